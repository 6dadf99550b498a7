import type { DuckDBConnection } from '@duckdb/node-api';
import { type ColdFile, type ColdKind, literal } from './cold-catalog.ts';
import type { ColdStore } from './cold-store.ts';
import { deleteHot } from './compactor.ts';
import { incompleteMinutes } from './complete-minutes.ts';
import type { DuckdbConfig } from './config.ts';
import { noteDense } from './dense.ts';
import { earliestMs } from './queries.ts';
import { dayMs } from './slices.ts';

export interface Expired {
  readonly files: number;
  /** In files and hot. */
  readonly samples: number;
}

/** What ends before is deleted, ms UTC; -Infinity: nothing. */
export type Cutoff = Readonly<Record<ColdKind, number>>;

/** By whole days, counted from the newest sample if the clock says a later time. */
export async function cutoffOf(
  connection: DuckDBConnection,
  { rawDays, minuteDays }: DuckdbConfig['retention'],
  nowMs: number,
): Promise<Cutoff> {
  const never = Number.NEGATIVE_INFINITY;
  if (rawDays === undefined && minuteDays === undefined) return { samples: never, minutes: never, hours: never };
  // What is deleted is gone: a clock that is years ahead must not do it. A plant that stands still keeps what it has.
  const today = Math.min(Math.floor(nowMs / dayMs), Math.floor((await newestMs(connection)) / dayMs) + 1);
  const before = (keptDays: number | undefined): number => (keptDays === undefined ? never : (today - keptDays) * dayMs);
  return { samples: before(rawDays), minutes: before(minuteDays), hours: never };
}

/**
 * Deletes what is older than it is kept. To be run after compaction: what is still hot of an expired day came later than its roll-ups were
 * made. `spared` are the spans that compaction has not done: their samples stay, hot and in files, until it has. Without the file there
 * would be nothing to merge the hot ones with. Samples in files also stay where minutes that are kept do not know of them yet.
 */
export async function expire(
  connection: DuckDBConnection,
  cold: ColdStore,
  cutoff: Cutoff,
  spared: readonly { readonly fromMs: number; readonly toMs: number }[],
): Promise<Expired> {
  if (Math.max(...Object.values(cutoff)) === Number.NEGATIVE_INFINITY) return { files: 0, samples: 0 };
  const needed = new Set(incompleteMinutes(cold.current(), cutoff).map(({ samples }) => samples.name));
  const begins = new Set(spared.map(({ fromMs }) => fromMs));
  const isKept = ({ kind, name, fromMs }: ColdFile): boolean => needed.has(name) || (kind === 'samples' && begins.has(fromMs));
  const files = cold.current().files.filter((file) => file.toMs <= cutoff[file.kind] && !isKept(file));
  const sparse = files.filter(({ isSparse }) => isSparse);
  let samples = files.reduce((sum, { kind, rows }) => sum + (kind === 'samples' ? rows : 0), 0);
  await connection.run('BEGIN');
  try {
    for (const { name } of files) await connection.run(`UPDATE cold_files SET state = 'obsolete' WHERE name = ${literal(name)}`);
    for (const { fromMs } of sparse) await noteDense(connection, fromMs, []);
    let from = earliestMs;
    const ends = [...spared].sort((a, b) => a.fromMs - b.fromMs);
    for (const { fromMs, toMs } of [...ends, { fromMs: Number.POSITIVE_INFINITY, toMs: 0 }]) {
      const to = Math.min(fromMs, cutoff.samples);
      if (from < to) samples += await deleteHot(connection, from, to);
      from = Math.max(from, toMs);
    }
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
