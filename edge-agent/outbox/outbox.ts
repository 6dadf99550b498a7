import type { LogBus } from '@nhip/core/log/log-bus';
import { openSegmentLog } from '@nhip/core/log/segment-log';
import type { Env } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import type { MetricDefinition, Reading } from '../driver.ts';
import { decodeOutboxRecord, encodeOutboxRecord, qualityProperties } from './record.ts';
import { loadStreamId, makeStreamId } from './stream-id.ts';

export const publisherReader = 'publisher';

export interface OutboxConfig {
  readonly maxBytes: number;
  readonly commitDelayMs: number;
}

/** The edge's disk queue: a sample is here before anything else happens to it. */
export interface Outbox {
  readonly stream: Uint8Array;
  readonly log: LogBus;
  /** Takes the samples of one device. Numbers are given now, in order; the promise resolves when they are on disk. */
  append(device: string, readings: readonly Reading[], definitions: ReadonlyMap<string, MetricDefinition>): Promise<void>;
  /** Samples taken since the process started, and samples that could not be written. */
  counts(): { readonly recorded: number; readonly lost: number };
  close(): Promise<void>;
}

/** Opens the outbox in `folder` of the environment's disk. */
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
  const resumed = await lastNumber(log);
  const stream =
    resumed === undefined ? await makeStreamId(env.disk, env.random, folder) : await loadStreamId(env.disk, env.random, folder);
  let seq = resumed ?? 0;
  let recorded = 0;
  let lost = 0;
  let isFull = false;

  return {
    stream,
    log,
    async append(device, readings, definitions) {
      const metrics = readings.map(({ metric, value, timestampMs, quality }) => ({
        name: metric,
        timestampMs: Math.max(0, Math.floor(timestampMs)),
        dataType: dataType[definitions.get(metric)?.dataType ?? 'Double'],
        value,
        properties: qualityProperties(quality),
      }));
      const record = encodeOutboxRecord({ seq, device, metrics });
      seq += metrics.length;
      try {
        await log.append(record);
        recorded += metrics.length;
        if (isFull) deps.log.info('The outbox takes samples again');
        isFull = false;
      } catch (error) {
        lost += metrics.length;
        if (!isFull) deps.log.error({ err: error }, 'The outbox cannot be written: samples are lost until there is room');
        isFull = true;
      }
    },
    counts: () => ({ recorded, lost }),
    close: () => log.close(),
  };
}

/** The number after the last recorded sample; `undefined` when no record is left to tell. */
async function lastNumber(log: LogBus): Promise<number | undefined> {
  const { nextIndex } = log.stats();
  if (nextIndex === 0) return undefined;
  const [last] = await log.read(nextIndex - 1, { maxRecords: 1, maxBytes: 1, waitMs: 0 });
  if (last === undefined) return undefined;
  const { seq, metrics } = decodeOutboxRecord(last.payload);
  return seq + metrics.length;
}
