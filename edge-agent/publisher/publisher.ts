import type { LogRecord } from '@nhip/core/log/log-bus';
import type { Clock } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import { encodeIdentity } from '@nhip/core/wire/outbox-identity';
import type { DataType } from '@nhip/core/wire/sparkplug/datatype';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import { encodePayload } from '@nhip/core/wire/sparkplug/encode';
import type { Metric } from '@nhip/core/wire/sparkplug/payload';
import type { Outbox } from '../outbox/outbox.ts';
import { publisherReader } from '../outbox/outbox.ts';
import { decodeOutboxRecord, type OutboxRecord } from '../outbox/record.ts';
import type { DeviceTable } from '../session/device-table.ts';
import { createAckTracker } from './ack-tracker.ts';

/** What the publisher needs from a Sparkplug session that is up. */
export interface SessionLink {
  /** Aborts when the session ends. */
  readonly signal: AbortSignal;
  /** Sends one DDATA at QoS 1; resolves at the PUBACK, rejects when the session ends first. `encode` gets the next Sparkplug seq. */
  publish(device: string, encode: (seq: number) => Uint8Array): Promise<void>;
  /** Sends all births again, before the next message. */
  rebirth(): void;
}

export interface Publisher {
  /** Sends from the outbox until the session ends: live records first, older ones beside them as historical. */
  run(link: SessionLink): Promise<void>;
  /** Records not yet acknowledged. */
  pendingRecords(): number;
  counts(): { readonly published: number };
  /** Makes the acknowledged position durable. */
  flush(): Promise<void>;
}

export interface PublisherConfig {
  readonly window: number;
  readonly backlogMessagesPerS: number;
}

/** How often the cursor is made durable: repeats are dropped by ingest, fsyncs wear the card. */
const cursorIntervalMs = 2000;

export function createPublisher(
  config: PublisherConfig,
  deps: { readonly clock: Clock; readonly log: Log; readonly outbox: Outbox; readonly devices: DeviceTable },
): Publisher {
  const { clock, outbox, devices, log } = deps;
  const acks = createAckTracker(outbox.log.cursor(publisherReader));
  let published = 0;
  let inFlight = 0;
  let committed = acks.cursor();
  const waiting: (() => void)[] = [];

  function encode(record: OutboxRecord, seq: number, isHistorical: boolean, aliases: readonly number[], identityAlias: number): Uint8Array {
    const metrics: Metric[] = [{ alias: identityAlias, value: encodeIdentity(outbox.stream, record.seq) }];
    const types = new Map<Metric, DataType>();
    record.metrics.forEach((metric, i) => {
      const sent: Metric = {
        alias: aliases[i],
        timestampMs: metric.timestampMs,
        isHistorical: isHistorical || undefined,
        value: metric.value,
        properties: metric.properties,
      };
      types.set(sent, metric.dataType ?? dataType.Double);
      metrics.push(sent);
    });
    return encodePayload({ timestampMs: clock.now(), seq, metrics }, (metric) => types.get(metric) ?? dataType.Bytes);
  }

  async function send(record: LogRecord, isHistorical: boolean, link: SessionLink): Promise<void> {
    let decoded: OutboxRecord;
    try {
      decoded = decodeOutboxRecord(record.payload);
    } catch (error) {
      log.error({ err: error, index: record.index }, 'An outbox record cannot be read and is left out');
      acks.acknowledge(record.index);
      return;
    }
    const declared = decoded.metrics.map((metric) => devices.alias(decoded.device, metric.name ?? '', metric.dataType ?? dataType.Double));
    if (declared.some(({ isNew }) => isNew)) link.rebirth();
    const device = devices.get(decoded.device);
    const aliases = declared.map(({ alias }) => alias);
    await link.publish(decoded.device, (seq) => encode(decoded, seq, isHistorical, aliases, device?.identityAlias ?? 0));
    acks.acknowledge(record.index);
    published += decoded.metrics.length;
  }

  /** Waits for a place in the window, then sends without waiting for the acknowledgement. */
  async function enqueue(record: LogRecord, isHistorical: boolean, link: SessionLink): Promise<void> {
    while (inFlight >= config.window && !link.signal.aborted) {
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    if (link.signal.aborted) return;
    inFlight++;
    // A publish that the end of the session cut short is sent again by the next one: it is not acknowledged.
    send(record, isHistorical, link)
      .catch((error: unknown) => log.debug({ err: error }, 'Publish not acknowledged'))
      .finally(() => {
        inFlight--;
        waiting.shift()?.();
      });
  }

  async function read(index: number, waitMs: number, signal: AbortSignal): Promise<readonly LogRecord[]> {
    try {
      return await outbox.log.read(index, { maxRecords: 64, maxBytes: 262_144, waitMs, signal });
    } catch (error) {
      if (signal.aborted) return [];
      throw error;
    }
  }

  /** Reads [from, to) and sends what is not acknowledged; `to` undefined follows the log for ever. */
  async function lane(from: number, to: number | undefined, link: SessionLink): Promise<void> {
    const isHistorical = to !== undefined;
    const pauseMs = isHistorical ? 1000 / config.backlogMessagesPerS : 0;
    let index = from;
    let due = clock.monotonic();
    while (!link.signal.aborted && (to === undefined || index < to)) {
      const records = await read(index, to === undefined ? 1000 : 0, link.signal);
      if (records.length === 0 && to !== undefined) return;
      for (const record of records) {
        if (to !== undefined && record.index >= to) return;
        index = record.index + 1;
        if (acks.isAcknowledged(record.index)) continue;
        await enqueue(record, isHistorical, link);
        if (link.signal.aborted) return;
        due += pauseMs;
        const waitMs = due - clock.monotonic();
        if (pauseMs > 0 && waitMs > 4) await clock.sleep(waitMs, link.signal).catch(() => undefined);
        else if (waitMs < -1000) due = clock.monotonic();
      }
    }
  }

  async function commitLoop(link: SessionLink): Promise<void> {
    while (!link.signal.aborted) {
      await clock.sleep(cursorIntervalMs, link.signal).catch(() => undefined);
      await flush();
    }
  }

  async function flush(): Promise<void> {
    const cursor = acks.cursor();
    if (cursor === committed) return;
    await outbox.log.commit(publisherReader, cursor);
    committed = cursor;
  }

  return {
    async run(link) {
      link.signal.addEventListener('abort', () => {
        for (const proceed of waiting.splice(0)) proceed();
      });
      const splitAt = outbox.log.stats().nextIndex;
      await Promise.all([lane(splitAt, undefined, link), lane(acks.cursor(), splitAt, link), commitLoop(link)]);
    },
    pendingRecords: () => Math.max(0, outbox.log.stats().nextIndex - acks.cursor()),
    counts: () => ({ published }),
    flush,
  };
}
