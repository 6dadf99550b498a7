import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { PermanentError } from '@nhip/core/process/errors';
import type { SeriesInfo } from '../history-store.ts';
import {
  addWriting,
  type ColdFile,
  type ColdKind,
  coldFileName,
  coldKinds,
  freeVersion,
  literal,
  makeLive,
  parquet,
  partialSuffix,
  publishFile,
} from './cold-catalog.ts';
import { coldAsHot, fileOrder, namesOf, nameTypes, parquetOptions, ranksOf, rollUpOf, samplesOf, within } from './cold-sql.ts';
import { findDense, noteDense } from './dense.ts';
import { ofSeries } from './relations.ts';
import type { Slice } from './slices.ts';

/** Steps of the roll-ups. */
export const stepMs = { minutes: 60_000, hours: 3_600_000 } as const;

export interface Compacted {
  /** Samples in the slice's file, and those of them that came late. */
  readonly rows: number;
  readonly moved: number;
  readonly bytes: number;
}

/** Runs the commit that makes a new set of files count; queries that began before it are repeated. */
export type Switch = (commit: () => Promise<unknown>) => Promise<void>;

export interface CompactedSlice {
  readonly slice: Slice;
  /** Files of the slice that are replaced. */
  readonly old: readonly ColdFile[];
  /** All that are known, by id. */
  readonly series: readonly SeriesInfo[];
  /** Gives the slice up while its files are being written. */
  readonly signal?: AbortSignal | undefined;
}

interface Made {
  readonly kind: ColdKind;
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
}

/**
 * Moves the hot samples of one slice into files, in one transaction on a connection of its own: what ingest commits meanwhile is
 * not in its snapshot and stays hot, to be merged later. The files are durable under their names before the commit that takes
 * their samples out of the hot tables. Rejects with what failed; then nothing has changed but for files in state `writing`.
 */
export async function compactSlice(
  connection: DuckDBConnection,
  folder: string,
  { slice, old, series, signal }: CompactedSlice,
  switchTo: Switch,
): Promise<Compacted> {
  const named = (version: number) => coldKinds.map((kind) => ({ kind, name: coldFileName(kind, slice.fromMs, slice.isWholeDay, version) }));
  const next = 1 + Math.max(0, ...old.map((file) => file.version));
  const version = freeVersion(folder, next, (no) => named(no).map(({ name }) => name));
  const names = named(version);
  for (const { kind, name } of names) {
    await mkdir(join(folder, kind), { recursive: true, mode: 0o700 });
    await addWriting(connection, { kind, name, fromMs: slice.fromMs, toMs: slice.toMs, version, isSparse: kind === 'minutes' });
  }
  await connection.run('BEGIN');
  const stop = (): void => connection.interrupt();
  signal?.addEventListener('abort', stop);
  try {
    // The snapshot begins with the first table that is read: here, or it could have series that are newer than the names below.
    await connection.run('FROM series LIMIT 0');
    const oldSamples = old.find(({ kind }) => kind === 'samples');
    const made: Made[] = [];
    let source = '';
    let dense: readonly number[] = [];
    for (const { kind, name } of names) {
      const partial = name + partialSuffix;
      const copy = (content: string): string => `COPY (${content}) TO ${literal(join(folder, partial))} (${parquetOptions[kind]})`;
      let written: { readonly rowsChanged: number };
      if (kind === 'samples') {
        const content = samplesOf(oldSamples === undefined ? undefined : parquet(folder, [oldSamples.name]));
        const params = { from: slice.fromMs, to: slice.toMs, ranks: ranksOf(series, fileOrder), ...namesOf(series) };
        written = await connection.run(copy(content), params, nameTypes);
        // Roll-ups are made from the file itself: so it is read again, whole, before anything is deleted.
        source = parquet(folder, [partial]);
        dense = await findDense(connection, source);
      } else written = await connection.run(copy(rollUpOf(source, stepMs[kind], kind === 'minutes' ? ofSeries(dense) : 'true')));
      made.push({ kind, name, rows: written.rowsChanged, bytes: 0 });
      signal?.throwIfAborted();
    }
    // Writing the files is what takes long; what follows is brought to its end.
    signal?.removeEventListener('abort', stop);
    await noteSeries(connection, source);
    const published = await publishAll(folder, made);
    const rows = made[0]?.rows ?? 0;
    const moved = await deleteHot(connection, slice.fromMs, slice.toMs);
    if (rows !== moved + (oldSamples?.rows ?? 0)) {
      throw new PermanentError(
        'store.compactionDiffers',
        `The file of ${slice.name} has ${rows} samples instead of ${moved + (oldSamples?.rows ?? 0)}: nothing was moved`,
      );
    }
    for (const { name } of old) await connection.run(`UPDATE cold_files SET state = 'obsolete' WHERE name = ${literal(name)}`);
    for (const { name, rows: count, bytes } of published) {
      await makeLive(connection, { name, rows: count, bytes });
    }
    await noteDense(connection, slice.fromMs, dense);
    await switchTo(() => connection.run('COMMIT'));
    return { rows, moved, bytes: published.reduce((sum, { bytes }) => sum + bytes, 0) };
  } catch (error) {
    await connection.run('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

async function publishAll(folder: string, made: readonly Made[]): Promise<readonly Made[]> {
  const published: Made[] = [];
  for (const file of made) published.push({ ...file, bytes: await publishFile(folder, file.name) });
  return published;
}

/** Hot samples in [fromMs, toMs) as this transaction sees them; resolves with how many there were. */
export async function deleteHot(connection: DuckDBConnection, fromMs: number, toMs: number): Promise<number> {
  let deleted = 0;
  for (const table of ['samples', 'texts']) {
    deleted += (await connection.run(`DELETE FROM ${table} WHERE ${within('t')}`, { from: fromMs, to: toMs })).rowsChanged;
  }
  return deleted;
}

/** Brings `cold_series` up to a new file. */
async function noteSeries(connection: DuckDBConnection, source: string): Promise<void> {
  const newest = `SELECT series, make_timestamp_ms(min(t)::BIGINT)::TIMESTAMP_MS AS t_first, make_timestamp_ms(max(t)::BIGINT)::TIMESTAMP_MS AS t,
    arg_max(struct_pack(n, v, s, k, q), (t, n)) AS r FROM (${coldAsHot(source, 'true')}) GROUP BY series`;
  await connection.run(`
    MERGE INTO cold_series c USING (SELECT series, t_first, t, r.n, r.v, r.s, r.k, r.q FROM (${newest})) f ON c.series = f.series
    WHEN MATCHED AND (f.t > c.t OR (f.t = c.t AND f.n >= c.n))
      THEN UPDATE SET t_first = least(c.t_first, f.t_first), t = f.t, n = f.n, v = f.v, s = f.s, k = f.k, q = f.q
    WHEN MATCHED THEN UPDATE SET t_first = least(c.t_first, f.t_first)
    WHEN NOT MATCHED THEN INSERT VALUES (f.series, f.t_first, f.t, f.n, f.v, f.s, f.k, f.q)`);
}
