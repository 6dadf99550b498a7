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

/** Series, and the files that may answer for them. */
export interface Answering {
  readonly ids: readonly number[];
  readonly files: readonly ColdFile[];
}

/** The series by what may answer them: each file of minutes knows all series of a group, or is not in its files. */
export async function answering(
  connection: DuckDBConnection,
  files: readonly ColdFile[],
  ids: readonly number[],
  { from, to }: Span,
): Promise<readonly Answering[]> {
  const sparse = files.filter((file) => file.isSparse && file.fromMs < to && file.toMs > from);
  if (sparse.length === 0 || ids.length === 0) return [{ ids, files }];
  const [first = 0, last = 0] = [sparse[0]?.fromMs, sparse.at(-1)?.fromMs];
  const result = await connection.runAndReadAll(
    `SELECT series, t_from::DOUBLE FROM cold_dense WHERE ${ofSeries(ids)} AND t_from BETWEEN $first::BIGINT AND $last::BIGINT ORDER BY t_from`,
    { first, last },
  );
  const dense = new Map<number, number[]>(ids.map((id) => [id, []]));
  for (const [series, fromMs] of result.getRows()) dense.get(Number(series))?.push(Number(fromMs));
  const groups = new Map<string, { ids: number[]; slices: readonly number[] }>();
  for (const [id, slices] of dense) {
    const key = slices.join(' ');
    const group = groups.get(key) ?? { ids: [], slices };
    group.ids.push(id);
    groups.set(key, group);
  }
  return [...groups.values()].map((group) => {
    const slices = new Set(group.slices);
    return { ids: group.ids, files: files.filter((file) => !file.isSparse || slices.has(file.fromMs)) };
  });
}
