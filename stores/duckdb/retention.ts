import type { DuckDBConnection } from '@duckdb/node-api';
import { literal } from './cold-catalog.ts';
import type { ColdStore } from './cold-store.ts';
import { deleteHot } from './compactor.ts';
import type { DuckdbConfig } from './config.ts';
import { dayMs } from './slices.ts';

/** make_timestamp_ms goes no further back than this (290,000 years). */
const earliestMs = -8.64e15;

export interface Expired {
  readonly files: number;
  /** In files and hot. */
  readonly samples: number;
}

/**
 * Deletes what is older than it is kept, by whole days, counted from the newest sample if the clock says a later time. To be run when compaction has come to its end: what is still hot of an
 * expired day came later than its roll-ups were made.
 */
export async function expire(
  connection: DuckDBConnection,
  cold: ColdStore,
  { rawDays, minuteDays }: DuckdbConfig['retention'],
  nowMs: number,
): Promise<Expired> {
  if (rawDays === undefined && minuteDays === undefined) return { files: 0, samples: 0 };
  // What is deleted is gone: a clock that is years ahead must not do it. A plant that stands still keeps what it has.
  const today = Math.min(Math.floor(nowMs / dayMs), Math.floor((await newestMs(connection)) / dayMs) + 1);
  const before = (keptDays: number | undefined): number => (keptDays === undefined ? Number.NEGATIVE_INFINITY : (today - keptDays) * dayMs);
  const cutoff = { samples: before(rawDays), minutes: before(minuteDays), hours: Number.NEGATIVE_INFINITY };
  const files = cold.current().files.filter(({ kind, toMs }) => toMs <= cutoff[kind]);
  let samples = files.reduce((sum, { kind, rows }) => sum + (kind === 'samples' ? rows : 0), 0);
  await connection.run('BEGIN');
  try {
    for (const { name } of files) await connection.run(`UPDATE cold_files SET state = 'obsolete' WHERE name = ${literal(name)}`);
    if (rawDays !== undefined) samples += await deleteHot(connection, earliestMs, cutoff.samples);
    await cold.switchTo(connection, () => connection.run('COMMIT'));
  } catch (error) {
    await connection.run('ROLLBACK').catch(() => undefined);
    throw error;
  }
  return { files: files.length, samples };
}

/** Time of the newest sample that was ever written; of none, of one long ago. */
async function newestMs(connection: DuckDBConnection): Promise<number> {
  const newest = ['samples', 'texts', 'cold_series'].map((table) => `SELECT max(t) AS t FROM ${table}`).join(' UNION ALL ');
  const [row] = (await connection.runAndReadAll(`SELECT epoch_ms(max(t))::DOUBLE FROM (${newest})`)).getRows();
  return Number(row?.[0] ?? 0);
}
