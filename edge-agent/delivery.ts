import type { LogBus, LogStats } from '@nhip/core/log/log-bus';
import type { Env } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import type { Tracing } from '@nhip/core/process/tracing';
import { encodeIdentity, outboxReleasedMetric, streamFromText } from '@nhip/core/wire/outbox-identity';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import type { Metric } from '@nhip/core/wire/sparkplug/payload';
import type { DeviceConfig, MetricDefinition, Reading } from './driver.ts';
import { type Outbox, openOutbox } from './outbox/outbox.ts';
import { createPublisher, type Publisher } from './publisher/publisher.ts';
import type { ConnectMqtt } from './session/connection.ts';
import type { DeviceCommandHandler } from './session/device-command.ts';
import type { DeviceTable } from './session/device-table.ts';
import type { NodeRequest } from './session/node-command.ts';
import type { NodeText } from './session/node-texts.ts';
import { createSession, type Session } from './session/session.ts';

export interface DeliveryConfig {
  readonly group: string;
  readonly edge: string;
  /** What one message may hold; larger records are split. */
  readonly maxPayloadBytes: number;
  /** Messages sent and not yet acknowledged. */
  readonly window: number;
  /** No limit when undefined. */
  readonly backlogMessagesPerS: number | undefined;
  /** Strict Sparkplug: DATA at QoS 0, kept this long after it was sent (1.5 × keep-alive). Undefined: DATA at QoS 1. */
  readonly strictHoldMs?: number | undefined;
  /** Servers that `connect` knows. Default 1. */
  readonly servers?: number | undefined;
  /** No birth before this host is online. */
  readonly primaryHostId?: string | undefined;
  readonly outbox: {
    readonly maxBytes: number;
    readonly commitDelayMs: number;
    /** Of the loss ledger; a default when undefined. */
    readonly ledgerSlotBytes?: number | undefined;
  };
}

export interface DeliveryDeps {
  readonly env: Env;
  readonly log: Log;
  readonly connect: ConnectMqtt;
  readonly devices: DeviceTable;
  readonly tracing?: Tracing | undefined;
  /** Called when going on would break a promise: the process must end. */
  onFatal(error: Error): void;
  /**
   * Hosts want values in machines; metrics that are writable, and values that they can hold. Without it commands for devices are not
   * even subscribed to.
   */
  readonly deviceCommands?: DeviceCommandHandler | undefined;
  /** What the node says of itself in long texts. Must not reject. */
  nodeTexts?(): Promise<readonly NodeText[]>;
  /** The server asks for something that the configuration may allow; without it every such request is refused. */
  readonly onNodeRequest?: ((request: NodeRequest) => void) | undefined;
}

/** Everything between a reading and the broker: outbox, publisher, session. All time, randomness and disk come from `env`. */
export interface Delivery {
  /** Opens the outbox and begins to connect. */
  start(): Promise<void>;
  /** Says goodbye to the broker and closes the outbox. What was reported before is on disk. Idempotent. */
  stop(): Promise<void>;
  /** Takes readings of a known device. Resolves when they are on disk, or lost and counted. Never rejects. */
  report(deviceId: string, readings: readonly Reading[]): Promise<void>;
  deviceChanged(deviceId: string, isOnline: boolean): void;
  /** A device that is new or reports other metrics from now on: its DBIRTH goes out when a session is up, with a DDEATH when it is offline, and as soon as that is known. */
  deviceDeclared(config: DeviceConfig, metrics: readonly MetricDefinition[]): void;
  /** Nobody reads the device any more: DDEATH. What the outbox still holds of it is sent. */
  deviceRemoved(deviceId: string): void;
  /** A text of the node changed: it is told at once. Never rejects. */
  nodeChanged(): Promise<void>;
  /** The log of the outbox, for what must know whether something is in it; undefined before `start`. */
  outboxLog(): LogBus | undefined;
  health(): DeliveryHealth;
}

export interface DeliveryHealth {
  readonly session: ReturnType<Session['health']>;
  /** Records not yet acknowledged. */
  readonly pendingRecords: number;
  /** Losses not yet reported to a server that acknowledged them. */
  readonly pendingLosses: number;
  /** Samples taken since the start. */
  readonly recorded: number;
  /** Samples lost since the start. */
  readonly lost: number;
  /** Samples acknowledged since the start. */
  readonly published: number;
  /** Messages sent and not acknowledged. */
  readonly inFlight: number;
  /** The outbox on the disk; undefined until it is open. */
  readonly outbox: LogStats | undefined;
}

export function createDelivery(config: DeliveryConfig, deps: DeliveryDeps): Delivery {
  const { env, log, devices } = deps;
  let outbox: Outbox | undefined;
  let publisher: Publisher | undefined;
  let session: Session | undefined;
  let stopped: Promise<void> | undefined;

  async function nodeMetrics(): Promise<readonly Metric[]> {
    const released = await outbox?.released().catch(() => undefined);
    const timestampMs = env.clock.now();
    const counts = outbox?.counts() ?? { recorded: 0, lost: 0 };
    const numbers: readonly (readonly [string, number])[] = [
      ['Outbox/PendingRecords', publisher?.pendingRecords() ?? 0],
      ['Outbox/Recorded', counts.recorded],
      ['Outbox/Lost', counts.lost],
    ];
    const metrics = numbers.map(([name, value]) => ({ name, timestampMs, dataType: dataType.UInt64, value }));
    if (released === undefined) return metrics;
    const value = encodeIdentity(streamFromText(released.stream), released.seq);
    return [{ name: outboxReleasedMetric, timestampMs, dataType: dataType.Bytes, value }, ...metrics];
  }

  return {
    async start() {
      const box = await openOutbox(
        env,
        'outbox',
        { ...config.outbox, maxRecordBytes: config.maxPayloadBytes },
        { log, tracing: deps.tracing, onFatal: deps.onFatal },
      );
      outbox = box;
      const sender = createPublisher(
        { window: config.window, backlogMessagesPerS: config.backlogMessagesPerS, holdMs: config.strictHoldMs },
        { clock: env.clock, log, outbox: box, devices, tracing: deps.tracing },
      );
      publisher = sender;
      session = createSession(
        { ...config, isStrict: config.strictHoldMs !== undefined },
        {
          clock: env.clock,
          random: env.random,
          disk: env.disk,
          log,
          devices,
          connect: deps.connect,
          nodeMetrics,
          ...(deps.nodeTexts === undefined ? {} : { nodeTexts: deps.nodeTexts }),
          onNodeRequest: deps.onNodeRequest,
          onSession: (link) => sender.run(link),
          onResend: (request) => sender.resend(request),
          deviceCommands: deps.deviceCommands,
        },
      );
      session.start();
    },

    stop() {
      stopped ??= (async () => {
        await session?.stop();
        await publisher?.flush();
        await outbox?.close();
      })();
      return stopped;
    },

    async report(deviceId, readings) {
      const device = devices.get(deviceId);
      if (device === undefined || readings.length === 0) return;
      const current = readings.filter(({ isHistorical }) => isHistorical !== true);
      for (const reading of current) device.last.set(reading.metric, reading);
      if (current.length === readings.length) {
        await outbox?.append(deviceId, chronological(current), device.metrics);
        return;
      }
      // Payloads of their own: a host may take what is historical later than the rest.
      const past = readings.filter(({ isHistorical }) => isHistorical === true);
      await Promise.all([past, current].map((part) => outbox?.append(deviceId, chronological(part), device.metrics)));
    },

    deviceChanged(deviceId, isOnline) {
      const device = devices.get(deviceId);
      if (device === undefined || device.isOnline === isOnline) return;
      device.isOnline = isOnline;
      session?.deviceChanged(deviceId, isOnline);
    },

    deviceDeclared(config, metrics) {
      devices.replace(config, metrics);
      const isOnline = devices.get(config.id)?.isOnline;
      // Its birth says something else now, also when it is dead.
      session?.deviceChanged(config.id, undefined);
      if (isOnline !== undefined) session?.deviceChanged(config.id, isOnline);
    },

    deviceRemoved(deviceId) {
      if (devices.get(deviceId)?.isOnline !== false) session?.deviceChanged(deviceId, false);
      devices.remove(deviceId);
    },

    nodeChanged: async () => session?.nodeChanged(),

    outboxLog: () => outbox?.log,

    health: () => ({
      session: session?.health() ?? { isOnline: false, connects: 0, rebirths: 0 },
      pendingRecords: publisher?.pendingRecords() ?? 0,
      pendingLosses: outbox?.pendingLosses() ?? 0,
      recorded: outbox?.counts().recorded ?? 0,
      lost: outbox?.counts().lost ?? 0,
      published: publisher?.counts().published ?? 0,
      inFlight: publisher?.counts().inFlight ?? 0,
      outbox: outbox?.log.stats(),
    }),
  };
}

/** In the order of their times, as Sparkplug wants them in a message (tck-id-operational-behavior-data-publish-dbirth-order). */
function chronological(readings: readonly Reading[]): readonly Reading[] {
  const isSorted = readings.every(({ timestampMs }, i) => i === 0 || timestampMs >= (readings[i - 1]?.timestampMs ?? timestampMs));
  return isSorted ? readings : [...readings].sort((a, b) => a.timestampMs - b.timestampMs);
}
