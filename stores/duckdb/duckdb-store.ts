import { DuckDBBlobValue, type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { PermanentError, RetryableError } from '@nhip/core/process/errors';
import type { Value } from '@nhip/core/wire/sample';
import type { Checkpoint, HistoryStore, SeriesInfo } from '../history-store.ts';
import { copyDatabase } from './backup.ts';
import type { DuckdbConfig } from './config.ts';
import { queryDelivery, queryLosses, queryLossTotals } from './losses.ts';
import { queryBuckets, queryLastBeforeOfMany, queryLatest, queryRange, queryRangeOfMany } from './queries.ts';
import { prepareSchema } from './schema.ts';
import { type SeriesIndex, seriesKey, writeAll } from './writer.ts';

interface Open {
  readonly instance: DuckDBInstance;
  readonly writer: DuckDBConnection;
  /** Queries run beside the writer; DuckDB gives each its own snapshot. */
  readonly reader: DuckDBConnection;
}

/**
 * The embedded store: one DuckDB file, class D3: samples and checkpoint commit in one transaction, so that every sample
 * is there exactly once whatever is killed when. Only one process can have the file open.
 */
export function createDuckdbStore(config: DuckdbConfig): HistoryStore {
  const index: SeriesIndex = { all: [], ids: new Map() };
  let open: Open | undefined;
  let writing: Promise<void> = Promise.resolve();
  /** Writes begin behind it. Never rejects. */
  let copying: Promise<unknown> = Promise.resolve();
  let writtenDecoder: Uint8Array | undefined;

  function connection(kind: 'writer' | 'reader'): DuckDBConnection {
    if (open === undefined) throw new PermanentError('store.closed', `The store ${config.file} is not open`);
    return open[kind];
  }

  function seriesId(machine: string, metric: string): number | undefined {
    return index.ids.get(seriesKey(machine, metric));
  }

  return {
    name: 'duckdb',
    durability: { class: 'D3', delayMs: 0 },

    async open() {
      open ??= await connect(config);
      await prepareSchema(open.writer, config.file);
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

    losses: (query) => queryLosses(connection('reader'), query),

    delivery(machine, fromMs, toMs) {
      const series = index.all.filter((info) => info.machine === machine);
      return queryDelivery(connection('reader'), machine, series, { from: fromMs, to: toMs });
    },

    lossTotals: () => queryLossTotals(connection('reader')),

    series: () => index.all,

    latest: () => queryLatest(connection('reader'), index.all),

    async range({ machine, metric, fromMs, toMs, limit }) {
      const id = seriesId(machine, metric);
      return id === undefined ? { t: [], v: [], q: [] } : queryRange(connection('reader'), id, fromMs, toMs, limit);
    },

    async lastBefore(machine, metric, atMs) {
      const id = seriesId(machine, metric);
      const [row] = id === undefined ? [] : await queryLastBeforeOfMany(connection('reader'), [id], atMs);
      return row === undefined ? undefined : { t: row.t, v: row.v };
    },

    async changes(series, fromMs, toMs, limit) {
      const reader = connection('reader');
      const ids = series.map(({ machine, metric }) => seriesId(machine, metric) ?? -1);
      const known = ids.filter((id) => id >= 0);
      const held = await queryLastBeforeOfMany(reader, known, fromMs);
      const rows = [...held, ...(await queryRangeOfMany(reader, known, { from: fromMs, to: toMs, limit: limit + 1 }))];
      if (rows.length > limit) {
        throw new PermanentError(
          'store.tooManySamples',
          `The range holds more than ${limit} samples of these series: ask for a shorter one`,
        );
      }
      const bySeries = new Map<number, { t: number[]; v: Value[]; q: number[] }>(known.map((id) => [id, { t: [], v: [], q: [] }]));
      for (const row of rows) {
        const columns = bySeries.get(row.series);
        columns?.t.push(row.t);
        columns?.v.push(row.v);
        columns?.q.push(row.q);
      }
      return ids.map((id) => bySeries.get(id) ?? { t: [], v: [], q: [] });
    },

    async buckets({ machine, metric, fromMs, toMs, limit, everyMs }) {
      const id = seriesId(machine, metric);
      if (id === undefined) return { t: [], min: [], max: [], avg: [], last: [], count: [] };
      return queryBuckets(connection('reader'), id, { from: fromMs, to: toMs, every: everyMs, limit });
    },

    copyTo(file, signal) {
      const copied = Promise.allSettled([writing, copying]).then(async () => {
        await copyDatabase(connection('writer'), config.file, file, signal);
        return readCheckpoint(connection('reader'));
      });
      copying = copied.catch(() => undefined);
      return copied;
    },

    async close() {
      await copying;
      await writing.catch(() => undefined);
      open?.reader.closeSync();
      open?.writer.closeSync();
      open?.instance.closeSync();
      open = undefined;
    },
  };
}

async function connect(config: DuckdbConfig): Promise<Open> {
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
  // Nothing that reaches SQL may read or write other files.
  await writer.run('SET enable_external_access = false');
  await writer.run('SET lock_configuration = true');
  return { instance, writer, reader: await instance.connect() };
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
