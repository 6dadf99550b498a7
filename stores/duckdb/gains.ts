import type { DuckDBConnection } from '@duckdb/node-api';
import { counterIncrease } from '@nhip/core/kpi/counter';
import { isCounter } from '@nhip/core/wire/vocabulary';
import type { Gains, SeriesInfo, TimesQuery } from '../history-store.ts';
import { requireRows } from '../state-times.ts';
import type { ColdKind } from './cold-catalog.ts';
import { increase } from './cold-sql.ts';
import type { Cold } from './cold-store.ts';
import { type LongPlan, planLong } from './long-plan.ts';
import { earliestMs, lookBackMs, seriesInFiles } from './queries.ts';
import type { Span } from './relations.ts';

/** Of other metrics the roll-ups do not know what was gained within a step. */
const kindsOf = (isRolledUp: boolean): readonly ColdKind[] => (isRolledUp ? ['samples', 'minutes', 'hours'] : ['samples']);

/**
 * See HistoryStore.gains. `series` are the asked ones; undefined: the store does not know it. Run within `ColdStore.consistent`.
 */
export async function queryGains(
  connection: DuckDBConnection,
  cold: Cold,
  series: readonly (SeriesInfo | undefined)[],
  query: TimesQuery,
): Promise<readonly Gains[]> {
  const found = new Map<number, { t: number[]; gain: number[] }>();
  for (const isRolledUp of [true, false]) {
    const ids = series.flatMap((each) => (each !== undefined && isCounter(each.metric) === isRolledUp ? [each.id] : []));
    if (ids.length > 0) await gainsOf(connection, cold, ids, { ...query, kinds: kindsOf(isRolledUp) }, found);
  }
  const answer = series.map((each) => (each === undefined ? undefined : found.get(each.id)) ?? { t: [], gain: [] });
  requireRows(answer, query.limit);
  return answer;
}

async function gainsOf(
  connection: DuckDBConnection,
  cold: Cold,
  ids: readonly number[],
  { fromMs, toMs, everyMs, limit, kinds }: TimesQuery & { readonly kinds: readonly ColdKind[] },
  found: Map<number, { t: number[]; gain: number[] }>,
): Promise<void> {
  const span = { from: fromMs, to: toMs };
  const before = await lastNumbersBefore(connection, cold, ids, fromMs, kinds);
  const plan = await planLong(connection, cold, ids, span, { everyMs, kinds });
  const gained = `SELECT series, t, n, first, gain + ${increase('lag(last) OVER (PARTITION BY series ORDER BY t, n)', 'first')} AS gained FROM (${steps(plan)})`;
  const result = await connection.runAndReadAll(
    `SELECT series, floor(t / $every::DOUBLE) * $every::DOUBLE AS b, sum(gained), arg_min(first, (t, n)) FROM (${gained})
     GROUP BY series, b ORDER BY series, b LIMIT $limit::BIGINT`,
    { ...span, every: everyMs, limit: limit + 1 },
  );
  for (const [id, bucket, gain, first] of result.getRows().map((row) => row.map(Number))) {
    const rows = found.get(id ?? -1);
    if (rows === undefined) {
      const increased = counterIncrease(before.get(id ?? -1) ?? null, first ?? Number.NaN);
      found.set(id ?? -1, { t: [bucket ?? 0], gain: [(gain ?? 0) + increased] });
    } else {
      rows.t.push(bucket ?? 0);
      rows.gain.push(gain ?? 0);
    }
  }
}

/** Numbers and steps of roll-ups as one relation: series, t (ms), n, the first and the last number, and what was gained between them. */
function steps({ hot, samples, rollUps }: LongPlan): string {
  return [
    `SELECT series, epoch_ms(t)::DOUBLE AS t, n, v AS first, v AS last, 0.0::DOUBLE AS gain FROM samples WHERE ${hot}`,
    ...samples.map(
      ({ files, where }) => `SELECT series, epoch_ms(time)::DOUBLE, coalesce(tick, -1), v, v, 0.0
        FROM (SELECT series, time, tick, coalesce(number, boolean::DOUBLE) AS v FROM ${files} WHERE ${where}) WHERE v IS NOT NULL`,
    ),
    ...rollUps.map(
      ({ files, where }) =>
        `SELECT series, epoch_ms(time)::DOUBLE, -2, "first", "last", coalesce(gain, 0) FROM ${files} WHERE ${where} AND numbers > 0`,
    ),
  ].join('\nUNION ALL\n');
}

/** The last number before `at` of each series that has one, looked for near first. */
async function lastNumbersBefore(
  connection: DuckDBConnection,
  cold: Cold,
  ids: readonly number[],
  at: number,
  kinds: readonly ColdKind[],
): Promise<ReadonlyMap<number, number>> {
  const found = new Map<number, number>();
  const inFiles = await seriesInFiles(connection, at);
  let missing = ids;
  let to = at;
  for (const back of lookBackMs) {
    if (missing.length === 0) break;
    const span: Span = { from: Math.max(earliestMs, at - back), to };
    const files = missing.some((id) => inFiles.has(id)) ? cold.files : [];
    const plan = await planLong(connection, { ...cold, files }, missing, span, { everyMs: 3_600_000, kinds });
    const result = await connection.runAndReadAll(`SELECT series, arg_max(last, (t, n)) FROM (${steps(plan)}) GROUP BY series`, {
      ...span,
    });
    for (const [id, last] of result.getRows()) found.set(Number(id), Number(last));
    missing = missing.filter((id) => !found.has(id));
    to = span.from;
  }
  return found;
}
