import type { LogBus } from '@nhip/core/log/log-bus';
import { openSegmentLog } from '@nhip/core/log/segment-log';
import type { Env } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import type { Metric } from '@nhip/core/wire/sparkplug/payload';
import { WireError } from '@nhip/core/wire/wire-error';
import type { MetricDefinition, Reading } from '../driver.ts';
import { decodeOutboxRecord, encodeOutboxRecord, fitsType, qualityProperties } from './record.ts';

export const publisherReader = 'publisher';

export interface OutboxConfig {
  readonly maxBytes: number;
  readonly commitDelayMs: number;
  /** Larger records are split: what the broker refuses could never be sent. */
  readonly maxRecordBytes: number;
}

/** The edge's disk queue: a sample is here before anything else happens to it. */
export interface Outbox {
  readonly log: LogBus;
  /**
   * Takes the samples of one device. Numbers are given now, in order; the promise resolves when they are on disk, or
   * when they are lost and counted. Never rejects.
   */
  append(device: string, readings: readonly Reading[], definitions: ReadonlyMap<string, MetricDefinition>): Promise<void>;
  /** Samples taken since the process started, and samples that could not be written. */
  counts(): { readonly recorded: number; readonly lost: number };
  close(): Promise<void>;
}

/**
 * Opens the outbox in `folder` of the environment's disk. Numbering goes on where the last record ends; without a last
 * record that can be read a new stream begins, so that numbers of a lost outbox are never used again.
 */
export async function openOutbox(
  env: Env,
  folder: string,
  config: OutboxConfig,
  deps: { readonly log: Log; onFatal(error: Error): void },
): Promise<Outbox> {
  const log = await openSegmentLog(env, `${folder}/log`, {
    segmentBytes: 4_194_304,
    commitDelayMs: config.commitDelayMs,
    maxBytes: config.maxBytes,
    keepTailBytes: Math.floor(config.maxBytes / 4),
    keepTailMs: 86_400_000,
    readers: [publisherReader],
    log: deps.log,
    onFatal: deps.onFatal,
  });
  const place = (await lastPlace(log)) ?? { stream: env.random.bytes(16), seq: 0 };
  const { stream } = place;
  const misfits = new Set<string>();
  let { seq } = place;
  let recorded = 0;
  let lost = 0;
  let isFull = false;

  /** Encodes what can be encoded, usually all; a value that does not fit its declared type is lost, counted and logged once. */
  function encode(device: string, metrics: readonly Metric[]): { record: Uint8Array | undefined; count: number } {
    try {
      return { record: encodeOutboxRecord({ stream, seq, device, metrics }), count: metrics.length };
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const fitting = metrics.filter(
        (metric) => fitsType(metric) || noteLost(device, metric, 'Values do not fit the type of the metric and are lost'),
      );
      const record = fitting.length === 0 ? undefined : encodeOutboxRecord({ stream, seq, device, metrics: fitting });
      return { record, count: fitting.length };
    }
  }

  /** Records that each fit one message, in the order of their numbers. A single value that is too large is lost, counted and logged once. */
  function portions(device: string, metrics: readonly Metric[]): readonly { readonly record: Uint8Array; readonly count: number }[] {
    const { record, count } = encode(device, metrics);
    if (record === undefined) return [];
    if (record.length <= config.maxRecordBytes) {
      seq += count;
      return [{ record, count }];
    }
    const [only] = metrics;
    if (metrics.length === 1 && only !== undefined) {
      noteLost(device, only, 'A value is larger than one message may be and is lost');
      return [];
    }
    const middle = Math.ceil(metrics.length / 2);
    return [...portions(device, metrics.slice(0, middle)), ...portions(device, metrics.slice(middle))];
  }

  async function write({ record, count }: { readonly record: Uint8Array; readonly count: number }): Promise<void> {
    try {
      await log.append(record);
      recorded += count;
      if (isFull) deps.log.info('The outbox takes samples again');
      isFull = false;
    } catch (error) {
      lost += count;
      if (!isFull) deps.log.error({ err: error }, 'The outbox cannot be written: samples are lost until there is room');
      isFull = true;
    }
  }

  function noteLost(device: string, { name = '', dataType: type }: Metric, why: string): false {
    lost++;
    const key = `${device}/${name}`;
    if (!misfits.has(key)) deps.log.error({ device, metric: name, dataType: type }, why);
    misfits.add(key);
    return false;
  }

  return {
    log,
    async append(device, readings, definitions) {
      const metrics = readings.map(({ metric, value, timestampMs, quality }) => ({
        name: metric,
        timestampMs: Math.max(0, Math.floor(timestampMs)),
        dataType: dataType[definitions.get(metric)?.dataType ?? 'Double'],
        value,
        properties: qualityProperties(quality),
      }));
      await Promise.all(portions(device, metrics).map(write));
    },
    counts: () => ({ recorded, lost }),
    close: () => log.close(),
  };
}

/** Stream and number after the last recorded sample; `undefined` when no record is left to tell. */
async function lastPlace(log: LogBus): Promise<{ readonly stream: Uint8Array; readonly seq: number } | undefined> {
  const { nextIndex } = log.stats();
  if (nextIndex === 0) return undefined;
  const [last] = await log.read(nextIndex - 1, { maxRecords: 1, maxBytes: 1, waitMs: 0 });
  if (last === undefined) return undefined;
  try {
    const { stream, seq, metrics } = decodeOutboxRecord(last.payload);
    return { stream, seq: seq + metrics.length };
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
