import { randomUUID } from 'node:crypto';
import { chmod, mkdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { RetryableError, reasonOf } from '@nhip/core/process/errors';
import type { ExportedFile, ExportQuery, SeriesInfo } from '../history-store.ts';
import { literal, parquet } from './cold-catalog.ts';
import { allSamples, names, namesOf, nameTypes, parquetOptions, rank, ranksOf } from './cold-sql.ts';
import { type Cold, exportFolderOf } from './cold-store.ts';
import { freeBytes, watchRoom } from './disk-room.ts';
import { ofSeries, samplesIn } from './relations.ts';

/** A disk that an export fills would stop the log beside it. */
const reserveBytes = 536_870_912;

/** Text that a spreadsheet would run as a formula gets a leading apostrophe, as in every CSV of ours. */
const guarded = (column: string): string =>
  `CASE WHEN regexp_matches(${column}, '^[=+\\-@\\t\\r]') THEN '''' || ${column} ELSE ${column} END AS ${column}`;

const columnsOf = {
  parquet: 'machine, metric, time, number, boolean, text, "integer", quality',
  csv: `strftime(time, '%Y-%m-%dT%H:%M:%S.%gZ') AS time, ${guarded('machine')}, ${guarded('metric')}, number, boolean, ${guarded('text')}, "integer", quality`,
} as const;
const optionsOf = { parquet: parquetOptions.samples, csv: 'FORMAT csv, HEADER' } as const;

/**
 * Writes the samples of the query, sorted by machine, metric and time, into a new file beside the files of closed days: DuckDB may
 * write nowhere else. Run within `ColdStore.consistent`, on a connection of its own. Throws RetryableError `store.exportFailed`;
 * nothing is left then.
 */
export async function exportSamples(
  connection: DuckDBConnection,
  cold: Cold,
  series: readonly SeriesInfo[],
  query: ExportQuery,
): Promise<ExportedFile> {
  const { fromMs, toMs, machine, metric, format, signal } = query;
  const file = join(exportFolderOf(cold.folder), `${randomUUID()}.${format}`);
  const files = samplesIn(cold, { from: fromMs, to: toMs });
  const wanted = series.filter((each) => (machine ?? each.machine) === each.machine && (metric ?? each.metric) === each.metric);
  // Not of a series that is new by the time the statement runs: it would have no name.
  const filter = wanted.length === series.length ? `series < ${series.length}` : ofSeries(wanted.map(({ id }) => id));
  const all = allSamples(files.length === 0 ? undefined : parquet(cold.folder, files), filter);
  const ranks = ranksOf(series, (each) => `${each.machine}\n${each.metric}`);
  const params = { from: fromMs, to: toMs, ranks, ...namesOf(series) };
  const stopWatching = watchRoom(dirname(file), reserveBytes, () => connection.interrupt());
  const stopListening = interruptOn(signal, connection);
  try {
    signal?.throwIfAborted();
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    if (!(await hasRoom(dirname(file)))) throw new Error('the disk has too little room');
    const sorted = `SELECT * FROM (${all}) ORDER BY ${rank}, time, tick NULLS FIRST`;
    signal?.throwIfAborted();
    const written = await connection.run(
      `COPY (SELECT ${columnsOf[format]} FROM (SELECT *, ${names} FROM (${sorted}))) TO ${literal(file)} (${optionsOf[format]})`,
      params,
      nameTypes,
    );
    await chmod(file, 0o600);
    const { size } = await stat(file);
    return { file, rows: written.rowsChanged, bytes: size, dispose: () => rm(file, { force: true }) };
  } catch (error) {
    const isFull = !(await hasRoom(dirname(file)).catch(() => true));
    await rm(file, { force: true });
    const why = isFull ? 'the disk has too little room: ask for a shorter time, or for Parquet' : reasonOf(error);
    throw new RetryableError('store.exportFailed', `The samples could not be exported: ${why}`, { cause: error });
  } finally {
    stopWatching();
    stopListening();
  }
}

/** Interrupts when the signal aborts, again and again: DuckDB forgets what it is told before a statement runs. Returns what ends it. */
function interruptOn(signal: AbortSignal | undefined, connection: DuckDBConnection, everyMs = 250): () => void {
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    connection.interrupt();
    timer ??= setInterval(() => connection.interrupt(), everyMs);
  };
  signal?.addEventListener('abort', stop);
  return () => {
    clearInterval(timer);
    signal?.removeEventListener('abort', stop);
  };
}

async function hasRoom(folder: string): Promise<boolean> {
  return (await freeBytes(folder)) >= reserveBytes;
}
