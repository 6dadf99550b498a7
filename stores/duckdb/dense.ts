import type { DuckDBConnection } from '@duckdb/node-api';
import type { ColdFile } from './cold-catalog.ts';
import { ofSeries, type Span } from './relations.ts';

/**
 * Which series have minutes. A minute of one or two samples sums up nothing: it takes more room than they do, and reading them is as quick.
 * So a file of minutes has only the *dense* series of its slice; the others are answered by its samples. The files say it themselves, by
 * what they hold; the table `cold_dense` says it without opening them. Files that are not `isSparse` have every series: those of earlier
 * versions, and those whose samples retention has taken (complete-minutes.ts).
 */

/** Samples that a minute of a dense series has on average, minutes without any not counted. Half as many make the files larger, twice as many the questions slower. */
export const denseSamples = 8;

/** Of a file of samples. */
export async function findDense(connection: DuckDBConnection, samples: string): Promise<readonly number[]> {
  const minutes = `SELECT series, count(*) AS samples FROM ${samples} GROUP BY series, epoch_ms(time) // 60000`;
  const result = await connection.runAndReadAll(
    `SELECT series FROM (${minutes}) GROUP BY series HAVING sum(samples) >= ${denseSamples} * count(*) ORDER BY series`,
  );
  return result.getRows().map(([series]) => Number(series));
}

/** Within the transaction that makes the file of minutes live. */
export async function noteDense(connection: DuckDBConnection, fromMs: number, series: readonly number[]): Promise<void> {
  await connection.run('DELETE FROM cold_dense WHERE t_from = $from::BIGINT', { from: fromMs });
  if (series.length === 0) return;
  await connection.run(`INSERT INTO cold_dense SELECT $from::BIGINT, unnest([${series.map(Number).join(', ')}])`, { from: fromMs });
}

/** The files that may answer for a series: of minutes only those in which it is. */
export async function answering(
  connection: DuckDBConnection,
  files: readonly ColdFile[],
  series: number,
  { from, to }: Span,
): Promise<readonly ColdFile[]> {
  const sparse = files.filter((file) => file.isSparse && file.fromMs < to && file.toMs > from);
  if (sparse.length === 0) return files;
  const [first = 0, last = 0] = [sparse[0]?.fromMs, sparse.at(-1)?.fromMs];
  const result = await connection.runAndReadAll(
    `SELECT t_from::DOUBLE FROM cold_dense WHERE ${ofSeries([series])} AND t_from BETWEEN $first::BIGINT AND $last::BIGINT`,
    { first, last },
  );
  const slices = new Set(result.getRows().map(([fromMs]) => Number(fromMs)));
  return files.filter((file) => !file.isSparse || slices.has(file.fromMs));
}
