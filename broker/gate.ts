import type { LogBus } from '@nhip/core/log/log-bus';
import type { Clock } from '@nhip/core/process/env';
import type { Tracing } from '@nhip/core/process/tracing';
import { encodeLogMessage } from '@nhip/core/telemetry/log-record';
import { refusePublish } from './acl.ts';
import { traceAppend } from './trace-append.ts';

/** Numbers since the broker started. */
export interface BrokerCounters {
  received: number;
  /** Not a count but how many there are now: handed to the log, not yet durable. */
  waiting: number;
  /** The log did not take them. */
  unkept: number;
  refused: number;
  oversized: number;
  authFailed: number;
}

export interface PublishedPacket {
  readonly topic: string;
  readonly payload: string | Uint8Array;
  retain: boolean;
}

/** Topics whose owner is remembered; one client can make up many. */
const maxKnownTopics = 10_000;

/**
 * The gate: identity → ACL → durable log, in that order. `pass` calls back without an error only after the message is
 * on disk; Aedes sends the PUBACK after that (promise P1). With an error Aedes closes the connection, which is the only
 * refusal that MQTT 3.1.1 knows: the publisher still has the message and comes back with it.
 */
export function createGate(deps: {
  readonly log: LogBus;
  readonly clock: Clock;
  readonly counters: BrokerCounters;
  readonly tracing?: Tracing | undefined;
  refused(reason: string): void;
  /** Called when messages can no longer be kept, with why (the disk or the log is full), and with `undefined` when they can again. */
  keepingChanged?(error: Error | undefined): void;
}): {
  pass(username: string | undefined, packet: PublishedPacket, done: (error?: Error) => void): void;
} {
  const { log, clock, counters, tracing } = deps;
  /** Who may publish on a topic, as acl.ts said: no topic is open to two. */
  const allowed = new Map<string, string>();
  let isKeeping = true;

  function refusal(username: string, topic: string): string | undefined {
    if (allowed.get(topic) === username) return undefined;
    const reason = refusePublish(username, topic);
    if (reason !== undefined) return reason;
    if (allowed.size >= maxKnownTopics) allowed.clear();
    allowed.set(topic, username);
    return undefined;
  }

  function setKeeping(error: Error | undefined): void {
    if (isKeeping === (error === undefined)) return;
    isKeeping = error === undefined;
    deps.keepingChanged?.(error);
  }

  return {
    pass(username, packet, done) {
      const reason = username === undefined ? 'not logged in' : refusal(username, packet.topic);
      if (username === undefined || reason !== undefined) {
        counters.refused++;
        deps.refused(reason ?? '');
        done(new Error(reason));
        return;
      }
      // Telemetry is never retained: a retained value would come back as if it were new.
      packet.retain = false;
      const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
      const receivedMs = clock.now();
      const message = encodeLogMessage({ receivedMs, sender: username, topic: packet.topic, payload });
      counters.waiting++;
      log.append(message).then(
        () => {
          counters.waiting--;
          counters.received++;
          setKeeping(undefined);
          done();
          if (tracing !== undefined) traceAppend(tracing, packet.topic, payload, receivedMs, clock.now());
        },
        (cause: unknown) => {
          counters.waiting--;
          counters.unkept++;
          const error = cause instanceof Error ? cause : new Error(String(cause));
          setKeeping(error);
          done(error);
        },
      );
    },
  };
}
