import { setMaxListeners } from 'node:events';
import type { Clock, Disk, Random, Timer } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import type { ResendRequest } from '@nhip/core/wire/outbox-identity';
import type { Metric } from '@nhip/core/wire/sparkplug/payload';
import { sparkplugTopic } from '@nhip/core/wire/topic';
import { createBdSeq } from './bd-seq.ts';
import type { ConnectMqtt } from './connection.ts';
import type { DeviceTable } from './device-table.ts';
import { readNodeCommand } from './node-command.ts';
import { createNodeMessages, type NodeMessages, type NodeMessagesConfig, willOf } from './node-messages.ts';

/** What a session that is up gives to who has something to send. */
export interface SessionLink {
  /** Aborts when the session ends. */
  readonly signal: AbortSignal;
  /** Sends one DDATA at QoS 1; resolves at the PUBACK, rejects when the session ends first. `encode` gets the next Sparkplug seq. */
  publish(device: string, encode: (seq: number) => Uint8Array): Promise<void>;
  /** Sends one NDATA at QoS 1, the node's own metrics beside `metrics`; resolves at the PUBACK, rejects when the session ends first. */
  publishNode(metrics: readonly Metric[]): Promise<void>;
  /** Sends all births again, before the next message. */
  rebirth(): void;
}

export interface SessionDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
  readonly log: Log;
  readonly devices: DeviceTable;
  readonly connect: ConnectMqtt;
  /** Metrics of the node itself, for NBIRTH and NDATA. A rebirth tells the last ones again. Must not reject. */
  nodeMetrics(): Promise<readonly Metric[]>;
  /** Called for each session that is up; must return when the link's signal aborts. */
  onSession(link: SessionLink): Promise<void>;
  /** The host asks for numbers again. Called while a session is up only. */
  onResend(request: ResendRequest): void;
}

export interface Session {
  start(): void;
  /** Says goodbye with an NDEATH (tck-id-operational-behavior-edge-node-intentional-disconnect-ndeath), then disconnects. */
  stop(): Promise<void>;
  /** A device answers, or does not any more: DBIRTH or DDEATH when a session is up. */
  deviceChanged(deviceId: string, isOnline: boolean): void;
  health(): { readonly isOnline: boolean; readonly connects: number; readonly rebirths: number };
}

/** A rebirth that is asked for sooner after the last one waits for this: a host in trouble must not make a storm. */
const rebirthQuietMs = 1000;
const nodeDataIntervalMs = 5000;
const firstDelayMs = 500;
const longestDelayMs = 15_000;
/** When nobody listens, the computer is there and its broker is about to be: asking again costs both sides next to nothing. */
const longestRefusedDelayMs = 1000;
/** A session that lasted this long was a good one: the next attempt comes soon again. */
const steadyMs = 10_000;

/** The Sparkplug B 3.0 session of the edge node: one MQTT connection at a time, births before data, its own back-off. */
export function createSession(config: NodeMessagesConfig, deps: SessionDeps): Session {
  const { clock, log } = deps;
  const stopping = new AbortController();
  const unborn = new Set<string>();
  const nextBdSeq = createBdSeq(deps.disk, 'session', log);
  let live: NodeMessages | undefined;
  let nodeMetrics: readonly Metric[] = [];
  let connects = 0;
  let rebirths = 0;
  let lastRebirthMs = Number.NEGATIVE_INFINITY;
  let waitingRebirth: Timer | undefined;
  let upSinceMs: number | undefined;
  let running: Promise<void> | undefined;

  function rebirth(): void {
    if (live === undefined) return;
    rebirths++;
    lastRebirthMs = clock.monotonic();
    waitingRebirth?.cancel();
    waitingRebirth = undefined;
    live.birth(nodeMetrics);
  }

  function onCommand(payload: Uint8Array): void {
    if (live === undefined) return;
    try {
      const command = readNodeCommand(payload);
      for (const request of command.resends) deps.onResend(request);
      if (!command.rebirth || waitingRebirth !== undefined) return;
      log.info('The host asked for a rebirth');
      const waitMs = lastRebirthMs + rebirthQuietMs - clock.monotonic();
      if (waitMs <= 0) rebirth();
      else waitingRebirth = clock.after(waitMs, rebirth);
    } catch (error) {
      log.warn({ err: error }, 'A command could not be read and is ignored');
    }
  }

  /** One session from CONNECT to its end. Throws why it ended, unless `signal` ended it. */
  async function connectOnce(signal: AbortSignal): Promise<void> {
    upSinceMs = undefined;
    const bdSeq = await nextBdSeq();
    const connection = deps.connect(willOf(config, bdSeq, clock.now()));
    const ended = new AbortController();
    // Every message under way may wait for the end.
    setMaxListeners(0, ended.signal);
    let isClosed = false;
    void connection.closed.then((error) => {
      isClosed = true;
      ended.abort(error);
    });
    const abort = (): void => ended.abort();
    signal.addEventListener('abort', abort, { once: true });
    try {
      await Promise.race([connection.connected, aborted(ended.signal)]);
      const messages = createNodeMessages(config, { clock, log, devices: deps.devices, unborn }, connection, bdSeq);
      // The subscription stands before the birth, or a rebirth request could be missed.
      await Promise.race([connection.subscribe(sparkplugTopic(config.group, 'NCMD', config.edge), onCommand), aborted(ended.signal)]);
      nodeMetrics = await deps.nodeMetrics();
      ended.signal.throwIfAborted();
      live = messages;
      upSinceMs = clock.monotonic();
      connects++;
      log.info({ bdSeq }, 'Session is up');
      messages.birth(nodeMetrics);
      await Promise.all([deps.onSession(createLink(messages, ended.signal)), sendNodeData(messages, ended.signal)]);
      if (!signal.aborted) throw await connection.closed;
      if (!isClosed) {
        await Promise.race([messages.death(), clock.sleep(1000)]).catch(() => undefined);
        await Promise.race([connection.disconnect(), clock.sleep(500)]).catch(() => undefined);
      }
    } finally {
      live = undefined;
      waitingRebirth?.cancel();
      waitingRebirth = undefined;
      signal.removeEventListener('abort', abort);
      ended.abort();
      connection.destroy();
    }
  }

  /** A connection may never answer for what was under way when it ended; here the end rejects it. */
  function createLink(messages: NodeMessages, signal: AbortSignal): SessionLink {
    const pending = new Set<(error: Error) => void>();
    signal.addEventListener('abort', () => {
      for (const reject of pending) reject(new Error('session ended'));
    });
    const untilEnd = (send: () => Promise<void>): Promise<void> =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        pending.add(reject);
        send()
          .then(resolve, reject)
          .finally(() => pending.delete(reject));
      });
    return {
      signal,
      rebirth,
      publish: (device, encode) => untilEnd(() => messages.deviceData(device, encode)),
      publishNode: (metrics) => untilEnd(() => messages.nodeDataAcknowledged([...withoutProperties(nodeMetrics), ...metrics])),
    };
  }

  async function sendNodeData(messages: NodeMessages, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(nodeDataIntervalMs, signal).catch(() => undefined);
      nodeMetrics = await deps.nodeMetrics();
      if (signal.aborted) return;
      messages.nodeData(withoutProperties(nodeMetrics));
    }
  }

  async function run(): Promise<void> {
    let delayMs = firstDelayMs;
    let isDown = false;
    while (!stopping.signal.aborted) {
      const error = await connectOnce(stopping.signal).catch((cause: unknown) => cause);
      if (stopping.signal.aborted) return;
      if (upSinceMs !== undefined) {
        isDown = false;
        if (clock.monotonic() - upSinceMs > steadyMs) delayMs = firstDelayMs;
      }
      if (!isDown) log.warn({ reason: reasonOf(error) }, 'No session with the broker, will try again');
      isDown = true;
      const waitMs = isRefused(error) ? Math.min(delayMs, longestRefusedDelayMs) : delayMs;
      await clock.sleep(waitMs * (0.5 + deps.random.next()), stopping.signal).catch(() => undefined);
      delayMs = Math.min(delayMs * 2, longestDelayMs);
    }
  }

  return {
    start() {
      running ??= run();
    },
    async stop() {
      stopping.abort();
      await running;
    },
    deviceChanged(deviceId, isOnline) {
      live?.deviceChanged(deviceId, isOnline);
    },
    health: () => ({ isOnline: live !== undefined, connects, rebirths }),
  };
}

function withoutProperties(metrics: readonly Metric[]): readonly Metric[] {
  return metrics.map(({ properties: _, ...metric }) => metric);
}

/** Rejects with the reason of the abort: why the connection failed, for whoever reads the log. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message || (error as { code?: string }).code || error.name : String(error);
}

function isRefused(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
}
