import { DuckDBBlobValue, type DuckDBConnection } from '@duckdb/node-api';
import { withEitherSignal } from '@nhip/core/process/either-signal';
import { PermanentError, RetryableError } from '@nhip/core/process/errors';
import type { Value } from '@nhip/core/wire/sample';
import type { Checkpoint, HistoryStore, SeriesInfo } from '../history-store.ts';
import { copyDatabase } from './backup.ts';
import { type Cold, clearExports, createColdStore } from './cold-store.ts';
import { type DuckdbSettings, duckdbConfig } from './config.ts';
import { connect, disconnect, type Open } from './connect.ts';
import { exportSamples } from './export.ts';
import { linkColdFiles } from './link-cold-files.ts';
import { queryDelivery, queryLosses, queryLossTotals } from './losses.ts';
import { queryBuckets, queryLastBeforeOfMany, queryLatest, queryRange, queryRangeOfMany } from './queries.ts';
import { prepareSchema } from './schema.ts';
import { createTurns } from './turns.ts';
import { createUpkeep } from './upkeep.ts';
import { type SeriesIndex, seriesKey, writeAll } from './writer.ts';

export type DuckdbStore = HistoryStore & Required<Pick<HistoryStore, 'copyTo' | 'exportSamples' | 'upkeep'>>;

/**
 * The embedded store: one DuckDB file with what is new, Parquet files with closed days; class D3: samples and checkpoint commit in one transaction, so that every sample
 * is there exactly once whatever is killed when. Only one process can have the file open.
 */
export function createDuckdbStore(settings: DuckdbSettings): DuckdbStore {
  const config = duckdbConfig.parse(settings);
  const index: SeriesIndex = { all: [], ids: new Map() };
  let open: Open | undefined;
  let closing = new AbortController();
  let writtenDecoder: Uint8Array | undefined;

  const cold = createColdStore(config.file);
  const turns = createTurns();

  function connection(kind: 'writer' | 'reader' | 'keeper'): DuckDBConnection {
    if (open === undefined || (closing.signal.aborted && kind === 'keeper')) throw notOpen();
    return open[kind];
  }

  function notOpen(): PermanentError {
    return new PermanentError('store.closed', `The store ${config.file} is not open`);
  }

  function seriesId(machine: string, metric: string): number | undefined {
    return index.ids.get(seriesKey(machine, metric));
  }

  const query = <Result>(ask: (reader: DuckDBConnection, cold: Cold) => Promise<Result>): Promise<Result> =>
    cold.consistent((files) => ask(connection('reader'), files));

  const upkeep = createUpkeep({
    cold,
    config,
    connection: () => connection('keeper'),
    series: () => index.all,
    alone: turns.keep,
  });

  return {
    name: 'duckdb',
    durability: { class: 'D3', delayMs: 0 },

    async open() {
      if (open === undefined) {
        const opened = await connect(config, cold.folder);
        try {
          await prepareSchema(opened.writer, config.file);
          await cold.open(opened.writer);
          await clearExports(cold.folder);
        } catch (error) {
          disconnect(opened);
          throw error;
        }
        open = opened;
        closing = new AbortController();
      }
      await loadSeries(open.reader, index);
      return readCheckpoint(open.reader);
    },

    write(write) {
      const { batch, checkpoint } = write;
      return turns.write(async () => {
        try {
          await writeAll(connection('writer'), index, write, checkpoint.decoder !== writtenDecoder);
          writtenDecoder = checkpoint.decoder;
        } catch (error) {
          throw new RetryableError('store.writeFailed', `Writing ${batch.length} samples to ${config.file} failed`, { cause: error });
        }
      });
    },

    losses: (wanted) => queryLosses(connection('reader'), wanted),

    delivery(machine, fromMs, toMs) {
      const series = index.all.filter((info) => info.machine === machine);
      return query((reader, files) => queryDelivery(reader, files, machine, series, { from: fromMs, to: toMs }));
    },

    lossTotals: () => queryLossTotals(connection('reader')),

    series: () => index.all,

    latest: () => query((reader) => queryLatest(reader, index.all)),

    async range({ machine, metric, fromMs, toMs, limit }) {
      const id = seriesId(machine, metric);
      if (id === undefined) return { t: [], v: [], q: [] };
      return query((reader, files) => queryRange(reader, files, id, { from: fromMs, to: toMs }, limit));
    },

    async lastBefore(machine, metric, atMs) {
      const id = seriesId(machine, metric);
      if (id === undefined) return undefined;
      const { t, v } = await query((reader, files) => queryLastBeforeOfMany(reader, files, [id], atMs));
      return t[0] === undefined ? undefined : { t: t[0], v: v[0] ?? null };
    },

    async changes(series, fromMs, toMs, limit) {
      const ids = series.map(({ machine, metric }) => seriesId(machine, metric) ?? -1);
      const known = ids.filter((id) => id >= 0);
      const parts = await query(async (reader, files) => [
        await queryLastBeforeOfMany(reader, files, known, fromMs),
        await queryRangeOfMany(reader, files, known, { from: fromMs, to: toMs }, limit + 1),
      ]);
      if (parts.reduce((sum, { t }) => sum + t.length, 0) > limit) {
        throw new PermanentError(
          'store.tooManySamples',
          `The range holds more than ${limit} samples of these series: ask for a shorter one`,
        );
      }
      const bySeries = new Map<number, { t: number[]; v: Value[]; q: number[] }>(known.map((id) => [id, { t: [], v: [], q: [] }]));
      for (const part of parts) {
        for (const [i, id] of part.series.entries()) {
          const columns = bySeries.get(id);
          columns?.t.push(part.t[i] ?? 0);
          columns?.v.push(part.v[i] ?? null);
          columns?.q.push(part.q[i] ?? 0);
        }
      }
      return ids.map((id) => bySeries.get(id) ?? { t: [], v: [], q: [] });
    },

    async buckets({ machine, metric, fromMs, toMs, limit, everyMs }) {
      const id = seriesId(machine, metric);
      if (id === undefined) return { t: [], min: [], max: [], avg: [], last: [], count: [] };
      return query((reader, files) => queryBuckets(reader, files, id, { from: fromMs, to: toMs, every: everyMs, limit }));
    },

    copyTo(file, signal) {
      return turns.holdFiles(async () => {
        const checkpoint = await turns.pauseWrites(async () => {
          await copyDatabase(connection('writer'), config.file, file, signal);
          return readCheckpoint(connection('reader'));
        });
        // No longer: on another disk this takes as long as the whole history is.
        await linkColdFiles(cold.current(), file, signal);
        return checkpoint;
      });
    },

    exportSamples(wanted) {
      // Held, or a long export would begin again with every file that comes.
      return turns.holdFiles(async () => {
        if (open === undefined || closing.signal.aborted) throw notOpen();
        const own = await open.instance.connect();
        const signals = wanted.signal === undefined ? [closing.signal] : [closing.signal, wanted.signal];
        try {
          return await withEitherSignal(signals, (signal) => exportSamples(own, cold.current(), index.all, { ...wanted, signal }));
        } finally {
          own.closeSync();
        }
      });
    },

    upkeep,

    async close() {
      // Files that are being written are given up; the next start removes those of closed days.
      closing.abort(notOpen());
      open?.keeper.interrupt();
      await turns.ended();
      if (open !== undefined) disconnect(open);
      open = undefined;
    },
  };
}

async function loadSeries(connection: DuckDBConnection, index: SeriesIndex): Promise<void> {
  const rows = await connection.runAndReadAll('SELECT id, machine, metric FROM series ORDER BY id');
  index.all.length = 0;
  index.ids.clear();
  for (const [id, machine, metric] of rows.getRows()) {
    const info: SeriesInfo = { id: Number(id), machine: String(machine), metric: String(metric) };
    index.all.push(info);
    index.ids.set(seriesKey(info.machine, info.metric), info.id);
  }
}

async function readCheckpoint(connection: DuckDBConnection): Promise<Checkpoint | undefined> {
  const checkpoint = (await connection.runAndReadAll('SELECT next_index, repeats FROM checkpoint')).getRows()[0];
  const decoder = (await connection.runAndReadAll('SELECT state FROM decoder')).getRows()[0];
  if (checkpoint === undefined || decoder === undefined) return undefined;
  return { nextIndex: Number(checkpoint[0]), repeats: blob(checkpoint[1]), decoder: blob(decoder[0]) };
}

function blob(value: unknown): Uint8Array {
  return value instanceof DuckDBBlobValue ? Uint8Array.from(value.bytes) : new Uint8Array();
}
