import { DuckDBBlobValue, type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { PermanentError, RetryableError } from '@nhip/core/process/errors';
import type { Value } from '@nhip/core/wire/sample';
import type { Checkpoint, HistoryStore, SeriesInfo } from '../history-store.ts';
import { copyDatabase } from './backup.ts';
import { literal } from './cold-catalog.ts';
import { type Cold, clearExports, createColdStore, makeColdFolder } from './cold-store.ts';
import { type DuckdbSettings, duckdbConfig } from './config.ts';
import { exportSamples } from './export.ts';
import { linkColdFiles } from './link-cold-files.ts';
import { queryDelivery, queryLosses, queryLossTotals } from './losses.ts';
import { queryBuckets, queryLastBeforeOfMany, queryLatest, queryRange, queryRangeOfMany } from './queries.ts';
import { prepareSchema } from './schema.ts';
import { createUpkeep } from './upkeep.ts';
import { type SeriesIndex, seriesKey, writeAll } from './writer.ts';

export type DuckdbStore = HistoryStore & Required<Pick<HistoryStore, 'copyTo' | 'exportSamples' | 'upkeep'>>;

interface Open {
  readonly instance: DuckDBInstance;
  readonly writer: DuckDBConnection;
  /** Queries run beside the writer; DuckDB gives each its own snapshot. */
  readonly reader: DuckDBConnection;
  /** Moves closed days to files. */
  readonly keeper: DuckDBConnection;
}

/**
 * The embedded store: one DuckDB file with what is new, Parquet files with closed days; class D3: samples and checkpoint commit in one transaction, so that every sample
 * is there exactly once whatever is killed when. Only one process can have the file open.
 */
export function createDuckdbStore(settings: DuckdbSettings): DuckdbStore {
  const config = duckdbConfig.parse(settings);
  const index: SeriesIndex = { all: [], ids: new Map() };
  let open: Open | undefined;
  let writing: Promise<void> = Promise.resolve();
  /** Writes begin behind it. Never rejects. */
  let copying: Promise<unknown> = Promise.resolve();
  /** A step of upkeep; copies begin behind it. Never rejects. */
  let keeping: Promise<unknown> = Promise.resolve();
  let writtenDecoder: Uint8Array | undefined;

  const cold = createColdStore(config.file);
  const exporting = new Set<DuckDBConnection>();

  function connection(kind: 'writer' | 'reader' | 'keeper'): DuckDBConnection {
    if (open === undefined) throw new PermanentError('store.closed', `The store ${config.file} is not open`);
    return open[kind];
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
    async alone(step) {
      for (let seen: unknown; seen !== copying; ) {
        seen = copying;
        await copying;
      }
      const done = step();
      keeping = done.catch(() => undefined);
      return done;
    },
  });

  return {
    name: 'duckdb',
    durability: { class: 'D3', delayMs: 0 },

    async open() {
      if (open === undefined) {
        open = await connect(config, cold.folder);
        await prepareSchema(open.writer, config.file);
        await cold.open(open.writer);
        await clearExports(cold.folder);
      }
      await loadSeries(open.reader, index);
      return readCheckpoint(open.reader);
    },

    write(write) {
      const { batch, checkpoint } = write;
      writing = copying
        .then(() => writeAll(connection('writer'), index, write, checkpoint.decoder !== writtenDecoder))
        .then(
          () => {
            writtenDecoder = checkpoint.decoder;
          },
          (error: unknown) => {
            throw new RetryableError('store.writeFailed', `Writing ${batch.length} samples to ${config.file} failed`, { cause: error });
          },
        );
      return writing;
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
      const copied = Promise.allSettled([writing, copying, keeping]).then(async () => {
        await copyDatabase(connection('writer'), config.file, file, signal);
        await linkColdFiles(cold.current(), file, signal);
        return readCheckpoint(connection('reader'));
      });
      copying = copied.catch(() => undefined);
      return copied;
    },

    async exportSamples(wanted) {
      if (open === undefined) throw new PermanentError('store.closed', `The store ${config.file} is not open`);
      const own = await open.instance.connect();
      exporting.add(own);
      try {
        return await cold.consistent((files) => exportSamples(own, files, index.all, wanted));
      } finally {
        exporting.delete(own);
        own.closeSync();
      }
    },

    upkeep,

    async close() {
      await copying;
      // A file that is being written is given up; the next start removes it.
      open?.keeper.interrupt();
      for (const each of exporting) each.interrupt();
      await keeping;
      await writing.catch(() => undefined);
      open?.keeper.closeSync();
      open?.reader.closeSync();
      open?.writer.closeSync();
      open?.instance.closeSync();
      open = undefined;
    },
  };
}

async function connect(config: DuckdbSettings, coldFolder: string): Promise<Open> {
  let instance: DuckDBInstance;
  try {
    instance = await DuckDBInstance.create(config.file, {
      memory_limit: `${config.memoryLimitMb}MB`,
      threads: String(config.threads),
      // Fewer, larger checkpoints: each one pauses writing.
      checkpoint_threshold: '64MB',
      // Its tables are sized by statistics that a commit may have outrun by the time they are filled: then the query fails.
      perfect_ht_threshold: '0',
    });
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const hint = text.includes('lock') ? 'another process has it open; stop that one first' : text.split('\n')[0];
    throw new PermanentError('store.cannotOpen', `Cannot open the store ${config.file}: ${hint}`, error);
  }
  const writer = await instance.connect();
  // Nothing that reaches SQL may read or write other files than those of closed days.
  await makeColdFolder(coldFolder);
  await writer.run(`SET allowed_directories = [${literal(coldFolder)}]`);
  await writer.run('SET parquet_metadata_cache = true');
  await writer.run('SET enable_external_access = false');
  await writer.run('SET lock_configuration = true');
  return { instance, writer, reader: await instance.connect(), keeper: await instance.connect() };
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
