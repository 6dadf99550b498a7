import type { Metric } from '@nhip/core/wire/sparkplug/payload';
import type { MqttConnection } from './connection.ts';
import type { NodeMessages } from './node-messages.ts';

/** What a session that is up gives to who has something to send. */
export interface SessionLink {
  /** Aborts when the session ends. */
  readonly signal: AbortSignal;
  /**
   * Sends one DDATA; resolves when the broker has it: at the PUBACK, in a strict session when a ping that was sent after it is
   * answered. Rejects when the session ends first. `encode` gets the next Sparkplug seq.
   */
  publish(device: string, encode: (seq: number) => Uint8Array): Promise<void>;
  /** Sends one NDATA, the node's own metrics beside `metrics`; settles likewise. */
  publishNode(metrics: readonly Metric[]): Promise<void>;
  /** Resolves when the broker answered a ping sent now; rejects when the session ends first. */
  alive(): Promise<void>;
  /** Sends all births again, before the next message. */
  rebirth(): void;
}

interface LinkParts {
  readonly messages: NodeMessages;
  readonly connection: MqttConnection;
  readonly signal: AbortSignal;
  readonly isStrict: boolean;
  nodeMetrics(): readonly Metric[];
  rebirth(): void;
}

/** A connection may never answer for what was under way when it ended; here the end rejects it. */
export function createLink({ messages, connection, signal, isStrict, nodeMetrics, rebirth }: LinkParts): SessionLink {
  const pending = new Set<(error: Error) => void>();
  signal.addEventListener('abort', () => {
    for (const reject of pending) reject(new Error('session ended'));
  });
  const pinged = createArrivals(connection);
  const arrived = isStrict ? pinged : () => Promise.resolve();
  const untilEnd = (send: () => Promise<void>): Promise<void> =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      pending.add(reject);
      send()
        .then(arrived)
        .then(resolve, reject)
        .finally(() => pending.delete(reject));
    });
  return {
    signal,
    rebirth,
    alive: () => untilEnd(pinged),
    publish: (device, encode) => untilEnd(() => messages.deviceData(device, encode)),
    publishNode: (metrics) => untilEnd(() => messages.nodeDataAcknowledged([...nodeMetrics(), ...metrics])),
  };
}

/**
 * Makes the function that resolves when everything sent before its call has reached the broker: MQTT answers a ping in the order of
 * the stream. One ping is under way at a time, whatever the number of callers.
 */
function createArrivals(connection: MqttConnection): () => Promise<void> {
  let underWay: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  return () => {
    next ??= underWay.then(() => {
      next = undefined;
      underWay = connection.ping();
      return underWay;
    });
    return next;
  };
}
