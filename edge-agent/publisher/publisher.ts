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
import type { Alias, DeviceTable } from '../session/device-table.ts';
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
  /** Samples that were acknowledged, and records that were gone (quota, damage) before they could be sent. */
  counts(): { readonly published: number; readonly goneRecords: number };
  /** Makes the acknowledged position durable. Never rejects. */
  flush(): Promise<void>;
}

export interface PublisherConfig {
  readonly window: number;
  readonly backlogMessagesPerS: number;
}

/** How often the cursor is made durable: repeats are dropped by ingest, fsyncs wear the card. */
const cursorIntervalMs = 2000;
const retryMs = 1000;

export function createPublisher(
  config: PublisherConfig,
  deps: { readonly clock: Clock; readonly log: Log; readonly outbox: Outbox; readonly devices: DeviceTable },
): Publisher {
  const { clock, outbox, devices, log } = deps;
  const acks = createAckTracker(outbox.log.cursor(publisherReader));
  let published = 0;
  let goneRecords = 0;
  let inFlight = 0;
  let committed = acks.cursor();
  let isLogBroken = false;
  let isCursorStuck = false;
  const waiting: (() => void)[] = [];

  /** The DDATA of a record. A type that the birth tells differently (another configuration wrote the record) goes along. */
  function encode(record: OutboxRecord, declared: readonly Alias[], identityAlias: number, seq: number, isHistorical: boolean): Uint8Array {
    const metrics: Metric[] = [{ alias: identityAlias, dataType: dataType.Bytes, value: encodeIdentity(record.stream, record.seq) }];
    const types = new Map<Metric, DataType>();
    record.metrics.forEach((metric, i) => {
      const type = metric.dataType ?? dataType.Double;
      const sent: Metric = {
        alias: declared[i]?.alias,
        timestampMs: metric.timestampMs,
        dataType: declared[i]?.type === type ? undefined : type,
        isHistorical: isHistorical || undefined,
        value: metric.value,
        properties: metric.properties,
      };
      types.set(sent, type);
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
      goneRecords++;
      acks.acknowledge(record.index, record.index + 1);
      return;
    }
    const declared = decoded.metrics.map((metric) => devices.alias(decoded.device, metric.name ?? '', metric.dataType ?? dataType.Double));
    if (declared.some(({ isNew }) => isNew)) link.rebirth();
    const identityAlias = devices.get(decoded.device)?.identityAlias ?? 0;
    await link.publish(decoded.device, (seq) => encode(decoded, declared, identityAlias, seq, isHistorical));
    acks.acknowledge(record.index, record.index + 1);
    published += decoded.metrics.length;
  }

  /** Sends until it is acknowledged or the session ends: then the next session sends it, because it is not acknowledged. */
  async function deliver(record: LogRecord, isHistorical: boolean, link: SessionLink): Promise<void> {
    for (let isFirst = true; !link.signal.aborted; isFirst = false) {
      try {
        await send(record, isHistorical, link);
        return;
      } catch (error) {
        if (link.signal.aborted) return;
        if (isFirst) log.warn({ err: error, index: record.index }, 'A message was not taken, trying until it is');
        await clock.sleep(retryMs, link.signal).catch(() => undefined);
      }
    }
  }

  /** Waits for a place in the window, then sends without waiting for the acknowledgement. */
  async function enqueue(record: LogRecord, isHistorical: boolean, link: SessionLink): Promise<void> {
    while (inFlight >= config.window && !link.signal.aborted) {
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    if (link.signal.aborted) return;
    inFlight++;
    void deliver(record, isHistorical, link).finally(() => {
      inFlight--;
      waiting.shift()?.();
    });
  }

  /** [] when nothing came in time or the session ended. A log that cannot be read is tried again: the session stays up. */
  async function read(index: number, waitMs: number, signal: AbortSignal): Promise<readonly LogRecord[]> {
    while (!signal.aborted) {
      try {
        const records = await outbox.log.read(index, { maxRecords: 64, maxBytes: 262_144, waitMs, signal });
        if (isLogBroken) log.info('The outbox can be read again');
        isLogBroken = false;
        return records;
      } catch (error) {
        if (signal.aborted) break;
        if (!isLogBroken) log.error({ err: error, index }, 'The outbox cannot be read, trying until it can');
        isLogBroken = true;
        await clock.sleep(retryMs, signal).catch(() => undefined);
      }
    }
    return [];
  }

  /** Records that no longer exist must not hold the cursor back for ever. */
  function gone(from: number, to: number): void {
    goneRecords += to - from;
    log.error({ from, to }, 'Records of the outbox were gone before they could be sent');
    acks.acknowledge(from, to);
  }

  /** Reads [from, to) and sends what is not acknowledged; `to` undefined follows the log for ever. */
  async function lane(from: number, to: number | undefined, link: SessionLink): Promise<void> {
    const isHistorical = to !== undefined;
    const end = to ?? Number.POSITIVE_INFINITY;
    const pauseMs = isHistorical ? 1000 / config.backlogMessagesPerS : 0;
    let index = from;
    let due = clock.monotonic();
    while (!link.signal.aborted && index < end) {
      const records = await read(index, isHistorical ? 0 : 1000, link.signal);
      if (link.signal.aborted) return;
      if (records.length === 0 && isHistorical) {
        gone(index, end);
        return;
      }
      for (const record of records) {
        if (record.index > index) gone(index, Math.min(record.index, end));
        if (record.index >= end) return;
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
    try {
      await outbox.log.commit(publisherReader, cursor);
      committed = cursor;
      isCursorStuck = false;
    } catch (error) {
      // Costs repeats after a restart, which ingest drops; no reason to end the session.
      if (!isCursorStuck) log.warn({ err: error }, 'The place in the outbox could not be written down');
      isCursorStuck = true;
    }
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
    counts: () => ({ published, goneRecords }),
    flush,
  };
}
