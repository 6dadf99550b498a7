import type { Clock, Disk, Random, Timer } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import { decodePayload } from '@nhip/core/wire/sparkplug/decode';
import { encodePayload } from '@nhip/core/wire/sparkplug/encode';
import type { Metric } from '@nhip/core/wire/sparkplug/payload';
import { type MessageType, sparkplugTopic } from '@nhip/core/wire/topic';
import { connect, type MqttClient } from 'mqtt';
import type { SessionLink } from '../publisher/publisher.ts';
import { createBdSeq } from './bd-seq.ts';
import type { DeviceTable } from './device-table.ts';

export interface SessionConfig {
  readonly group: string;
  readonly edge: string;
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly ca: string | undefined;
  readonly keepaliveS: number;
  /** A birth beyond this would end the session, at the broker, for ever; such a device is left out. */
  readonly maxPayloadBytes: number;
  /** How long a broker may take to answer the CONNECT. */
  readonly connectTimeoutMs: number;
}

export interface SessionDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
  readonly log: Log;
  readonly devices: DeviceTable;
  /** Metrics of the node itself, for NBIRTH and NDATA. */
  nodeMetrics(): readonly Metric[];
  /** Called for each session that is up; must return when the link's signal aborts. */
  onSession(link: SessionLink): Promise<void>;
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
/** A session that lasted this long was a good one: the next attempt comes soon again. */
const steadyMs = 10_000;

/**
 * The Sparkplug B 3.0 session of the edge node: one MQTT connection at a time, births before data, its own back-off.
 * Each connection is a new client, because MQTT.js would send the old will and what it had queued.
 */
export function createSession(config: SessionConfig, deps: SessionDeps): Session {
  const { clock, log, devices } = deps;
  const stopping = new AbortController();
  /** Devices whose birth is too large; said once. */
  const unborn = new Set<string>();
  const nextBdSeq = createBdSeq(deps.disk, 'session', log);
  let live: { readonly client: MqttClient; readonly bdSeq: number } | undefined;
  let seq = 0;
  let connects = 0;
  let rebirths = 0;
  let lastRebirthMs = Number.NEGATIVE_INFINITY;
  let waitingRebirth: Timer | undefined;
  let upSinceMs: number | undefined;
  let running: Promise<void> | undefined;

  function publish(type: MessageType, device: string, payload: Uint8Array, qos: 0 | 1): Promise<void> {
    const client = live?.client;
    if (client === undefined) return Promise.reject(new Error('no session'));
    const topic = sparkplugTopic(config.group, type, config.edge, device);
    return new Promise((resolve, reject) => {
      client.publish(topic, Buffer.from(payload.buffer, payload.byteOffset, payload.length), { qos }, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  }

  function nextSeq(): number {
    seq = (seq + 1) % 256;
    return seq;
  }

  /** Births go at QoS 0 (tck-id-topics-nbirth-mqtt); the order of TCP and of the broker's log puts them before the data. */
  function birth(): void {
    if (live === undefined) return;
    seq = 0;
    const timestampMs = clock.now();
    const metrics: Metric[] = [
      { name: 'bdSeq', timestampMs, dataType: dataType.Int64, value: live.bdSeq },
      { name: 'Node Control/Rebirth', timestampMs, dataType: dataType.Boolean, value: false },
      ...deps.nodeMetrics(),
    ];
    sendUnacknowledged('NBIRTH', '', encodePayload({ timestampMs, seq: 0, metrics }));
    for (const device of devices.all()) {
      birthDevice(device.id);
      // Born and declared dead at once: the host then knows the aliases of what the backlog still holds of it.
      if (!device.isOnline) deathDevice(device.id);
    }
  }

  function birthDevice(deviceId: string): void {
    const timestampMs = clock.now();
    const payload = encodePayload({ timestampMs, seq: (seq + 1) % 256, metrics: devices.birthMetrics(deviceId, timestampMs) });
    if (payload.length > config.maxPayloadBytes) {
      if (!unborn.has(deviceId)) {
        const advice =
          'The birth of a device is larger than one message may be: split the device or raise mqtt.maxPacketBytes on both sides';
        log.error({ device: deviceId, bytes: payload.length, maxBytes: config.maxPayloadBytes }, advice);
      }
      unborn.add(deviceId);
      return;
    }
    nextSeq();
    sendUnacknowledged('DBIRTH', deviceId, payload);
  }

  function deathDevice(deviceId: string): void {
    if (unborn.has(deviceId)) return;
    sendUnacknowledged('DDEATH', deviceId, encodePayload({ timestampMs: clock.now(), seq: nextSeq(), metrics: [] }));
  }

  function sendUnacknowledged(type: MessageType, device: string, payload: Uint8Array): void {
    publish(type, device, payload, 0).catch((error: unknown) =>
      log.debug({ err: error, type, device }, 'Message not sent, the session ended'),
    );
  }

  function rebirth(): void {
    if (live === undefined) return;
    rebirths++;
    lastRebirthMs = clock.monotonic();
    waitingRebirth?.cancel();
    waitingRebirth = undefined;
    birth();
  }

  function onCommand(payload: Uint8Array): void {
    try {
      const wanted = decodePayload(payload).metrics.some(({ name, value }) => name === 'Node Control/Rebirth' && value === true);
      if (!wanted || waitingRebirth !== undefined) return;
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
    const will = encodePayload({
      timestampMs: clock.now(),
      metrics: [{ name: 'bdSeq', dataType: dataType.Int64, timestampMs: clock.now(), value: bdSeq }],
    });
    const client = connect(config.url, {
      clientId: `${config.group}/${config.edge}`,
      username: config.username,
      password: config.password,
      clean: true,
      keepalive: config.keepaliveS,
      connectTimeout: config.connectTimeoutMs,
      reconnectPeriod: 0,
      queueQoSZero: false,
      resubscribe: false,
      protocolVersion: 4,
      ...(config.ca === undefined ? {} : { ca: config.ca }),
      will: { topic: sparkplugTopic(config.group, 'NDEATH', config.edge), payload: Buffer.from(will), qos: 1, retain: false },
    });
    const ended = new AbortController();
    const failed = new Promise<Error>((resolve) => {
      client.on('error', resolve);
      client.on('close', () => resolve(new Error('connection closed')));
    });
    void failed.then((error) => ended.abort(error));
    const abort = (): void => ended.abort();
    signal.addEventListener('abort', abort, { once: true });
    try {
      await Promise.race([new Promise((resolve) => client.once('connect', resolve)), aborted(ended.signal)]);
      client.on('message', (_, payload) => onCommand(payload));
      // The subscription stands before the birth, or a rebirth request could be missed.
      await Promise.race([client.subscribeAsync(sparkplugTopic(config.group, 'NCMD', config.edge), { qos: 1 }), aborted(ended.signal)]);
      live = { client, bdSeq };
      upSinceMs = clock.monotonic();
      connects++;
      log.info({ url: config.url, bdSeq }, 'Session is up');
      birth();
      const link = createLink(ended.signal);
      await Promise.all([deps.onSession(link), sendNodeData(ended.signal)]);
      if (!signal.aborted) throw await failed;
      if (client.connected) await goodbye(client, bdSeq);
    } finally {
      live = undefined;
      waitingRebirth?.cancel();
      waitingRebirth = undefined;
      signal.removeEventListener('abort', abort);
      ended.abort();
      client.end(true);
    }
  }

  /** MQTT.js may never call back for what was under way when a connection ended; here the end rejects it. */
  function createLink(signal: AbortSignal): SessionLink {
    const pending = new Set<(error: Error) => void>();
    signal.addEventListener('abort', () => {
      for (const reject of pending) reject(new Error('session ended'));
    });
    return {
      signal,
      rebirth,
      publish: (device, encode) =>
        new Promise<void>((resolve, reject) => {
          pending.add(reject);
          publish('DDATA', device, encode(nextSeq()), 1)
            .then(resolve, reject)
            .finally(() => pending.delete(reject));
        }),
    };
  }

  async function sendNodeData(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(nodeDataIntervalMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      const metrics = deps.nodeMetrics().map(({ properties: _, ...metric }) => metric);
      sendUnacknowledged('NDATA', '', encodePayload({ timestampMs: clock.now(), seq: nextSeq(), metrics }));
    }
  }

  async function goodbye(client: MqttClient, bdSeq: number): Promise<void> {
    const metrics = [{ name: 'bdSeq', dataType: dataType.Int64, timestampMs: clock.now(), value: bdSeq }];
    const payload = Buffer.from(encodePayload({ timestampMs: clock.now(), metrics }));
    const said = client.publishAsync(sparkplugTopic(config.group, 'NDEATH', config.edge), payload, { qos: 1 });
    await Promise.race([said, clock.sleep(1000)]).catch(() => undefined);
    await Promise.race([client.endAsync(), clock.sleep(500)]).catch(() => undefined);
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
      if (!isDown) log.warn({ reason: reasonOf(error), url: config.url }, 'No session with the broker, will try again');
      isDown = true;
      await clock.sleep(delayMs * (0.5 + deps.random.next()), stopping.signal).catch(() => undefined);
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
      if (live === undefined) return;
      if (isOnline) birthDevice(deviceId);
      else deathDevice(deviceId);
    },
    health: () => ({ isOnline: live !== undefined, connects, rebirths }),
  };
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
