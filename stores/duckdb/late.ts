import type { DuckDBConnection } from '@duckdb/node-api';
import type { DuckdbConfig } from './config.ts';
import type { Slice } from './slices.ts';

/** By begin of a slice: since when late samples of it wait in the hot tables, ms UTC. Known to the database: a restart must not begin the wait anew. */
export const lateTable = 'CREATE TABLE IF NOT EXISTS cold_late (t_from BIGINT NOT NULL, since BIGINT NOT NULL)';

/** Late samples of so many slices are merged in one round; the others stay hot and are answered from there. */
const maxSlices = 32;
const hourMs = 3_600_000;

export interface LateSlices {
  readonly due: readonly Slice[];
  /** Are answered from the hot tables meanwhile. */
  readonly waiting: readonly Slice[];
}

/**
 * Which slices are written again for their late samples: a file of millions for one sample is not worth it, so those of which enough came
 * late, those that have waited long enough, and those whose samples retention takes (`expiringBeforeMs`) before their roll-ups know of them:
 * these first, as retention waits for them, then those with the most.
 */
export async function chooseLate(
  connection: DuckDBConnection,
  late: readonly Slice[],
  { lateShare, lateWaitHours }: Pick<DuckdbConfig['compaction'], 'lateShare' | 'lateWaitHours'>,
  { nowMs, expiringBeforeMs }: { readonly nowMs: number; readonly expiringBeforeMs: number },
): Promise<LateSlices> {
  const since = await waitingSince(connection, late, nowMs);
  const isExpiring = ({ toMs }: Slice): boolean => toMs <= expiringBeforeMs;
  const isDue = (slice: Slice): boolean =>
    slice.hotRows >= lateShare * slice.coldRows ||
    nowMs - (since.get(slice.fromMs) ?? nowMs) >= lateWaitHours * hourMs ||
    isExpiring(slice);
  const byNeed = [...late].sort((a, b) => Number(isExpiring(b)) - Number(isExpiring(a)) || b.hotRows - a.hotRows || a.fromMs - b.fromMs);
  const due = byNeed.filter(isDue).slice(0, maxSlices);
  return { due, waiting: late.filter((slice) => !due.includes(slice)) };
}

/** Its late samples are in its file now. */
export async function forgetLate(connection: DuckDBConnection, { fromMs }: Slice): Promise<void> {
  await connection.run('DELETE FROM cold_late WHERE t_from = $from::BIGINT', { from: fromMs });
}

async function waitingSince(connection: DuckDBConnection, late: readonly Slice[], nowMs: number): Promise<ReadonlyMap<number, number>> {
  // A time in the future is from a clock that was set back since.
  await connection.run('DELETE FROM cold_late WHERE since > $now::BIGINT', { now: nowMs });
  const rows = (await connection.runAndReadAll('SELECT t_from::DOUBLE, since::DOUBLE FROM cold_late')).getRows();
  const since = new Map(rows.map(([from, at]) => [Number(from), Number(at)]));
  for (const { fromMs } of late) {
    if (since.has(fromMs)) continue;
    await connection.run('INSERT INTO cold_late VALUES ($from::BIGINT, $now::BIGINT)', { from: fromMs, now: nowMs });
    since.set(fromMs, nowMs);
  }
  return since;
}
