import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import { valueKind } from '@nhip/core/telemetry/sample-batch';
import type { Value } from '@nhip/core/wire/sample';
import type { Buckets, Columns, LatestValue, SeriesInfo } from '../history-store.ts';
import { stepOf } from './cold-sql.ts';
import type { Cold } from './cold-store.ts';
import { type ColdSource, planLong } from './long-plan.ts';
import { type Span, samplesOfSeries } from './relations.ts';

/**
 * Typed SQL of the store over hot tables and files. What comes from outside are bound parameters; time stamps cross as ms in a DOUBLE.
 * Run within `ColdStore.consistent`.
 */

type Params = Record<string, number>;

async function columns(connection: DuckDBConnection, sql: string, params: Params): Promise<readonly (readonly DuckDBValue[])[]> {
  const result = await connection.runAndReadAll(sql, params);
  return result.getColumns();
}

/** Stored number, text and kind back to the value that the machine said. */
export function toValue(kind: number, number: DuckDBValue, text: DuckDBValue): Value {
  switch (kind) {
    case valueKind.number:
      return Number(number);
    case valueKind.boolean:
      return number !== 0;
    case valueKind.text:
      return String(text);
    case valueKind.bigint:
      return BigInt(String(text));
    default:
      return null;
  }
}

export async function queryRange(connection: DuckDBConnection, cold: Cold, series: number, span: Span, limit: number): Promise<Columns> {
  const [t = [], k = [], v = [], s = [], q = []] = await columns(
    connection,
    `SELECT t, k, v, s, q FROM (${samplesOfSeries(cold, [series], span)}) ORDER BY t, n LIMIT $limit::BIGINT`,
    { ...span, limit },
  );
  return { t: t.map(Number), v: t.map((_, i) => toValue(Number(k[i]), v[i] ?? null, s[i] ?? null)), q: q.map(Number) };
}

/** How far back the last value is looked for, first near, then farther: DuckDB skips what lies outside without reading it. */
const lookBackMs = [3_600_000, 86_400_000, 30 * 86_400_000, 365 * 86_400_000, Number.POSITIVE_INFINITY];
/** make_timestamp_ms goes no further back than this (290,000 years). */
export const earliestMs = -8.64e15;

/** Samples of many series, in columns of the same length. */
export interface Changes extends Columns {
  readonly series: readonly number[];
}

async function changes(connection: DuckDBConnection, sql: string, params: Params): Promise<Changes> {
  const [series = [], t = [], k = [], v = [], s = [], q = []] = await columns(connection, sql, params);
  return {
    series: series.map(Number),
    t: t.map(Number),
    v: k.map((kind, i) => toValue(Number(kind), v[i] ?? null, s[i] ?? null)),
    q: q.map(Number),
  };
}

/** Samples of many series in the span, by series and time; at most `limit` rows. */
export function queryRangeOfMany(
  connection: DuckDBConnection,
  cold: Cold,
  ids: readonly number[],
  span: Span,
  limit: number,
): Promise<Changes> {
  const all = samplesOfSeries(cold, ids, span);
  return changes(connection, `SELECT series, t, k, v, s, q FROM (${all}) ORDER BY series, t, n LIMIT $limit::BIGINT`, { ...span, limit });
}

/** Series that may have samples before `at` in files: others are not looked for there. */
async function seriesInFiles(connection: DuckDBConnection, at: number): Promise<ReadonlySet<number>> {
  const older = 'SELECT series FROM cold_series WHERE t_first < make_timestamp_ms($at::BIGINT)';
  return new Set((await columns(connection, older, { at }))[0]?.map(Number));
}

/** The last sample before `at` of each series that has one. */
export async function queryLastBeforeOfMany(
  connection: DuckDBConnection,
  cold: Cold,
  ids: readonly number[],
  at: number,
): Promise<Changes> {
  const found = { series: [] as number[], t: [] as number[], v: [] as Value[], q: [] as number[] };
  let missing = ids;
  const inFiles = await seriesInFiles(connection, at);
  let to = at;
  for (const back of lookBackMs) {
    if (missing.length === 0) break;
    const span = { from: Math.max(earliestMs, at - back), to };
    const all = samplesOfSeries(
      cold,
      missing,
      span,
      missing.filter((id) => inFiles.has(id)),
    );
    // A row of its own keeps a null value, which arg_max would skip.
    const newest = `SELECT series, arg_max(struct_pack(t, k, v, s, q), (t, n)) AS r FROM (${all}) GROUP BY series`;
    const { series, t, v, q } = await changes(connection, `SELECT series, r.t, r.k, r.v, r.s, r.q FROM (${newest})`, { ...span });
    found.series.push(...series);
    found.t.push(...t);
    found.v.push(...v);
    found.q.push(...q);
    const known = new Set(series);
    missing = missing.filter((id) => !known.has(id));
    to = span.from;
  }
  return found;
}

/** One row a bucket of the numbers in a part of the span; `newest` orders by time and tick and carries the value. */
function rawBuckets(from: string, time: string, tick: string, value: string): string {
  return `SELECT ${stepOf(time, '$every')} AS b, min(${value}) AS min, max(${value}) AS max, sum(${value}) AS sum, count(*) AS count,
    max(struct_pack(t := ${time}::TIMESTAMP, n := ${tick}, v := ${value})) AS newest FROM ${from} GROUP BY b`;
}

function sampleBuckets({ files, where }: ColdSource): string {
  const numbers = `SELECT time, coalesce(tick, -1) AS tick, coalesce(number, boolean::DOUBLE) AS v FROM ${files} WHERE ${where}`;
  return rawBuckets(`(${numbers}) WHERE v IS NOT NULL`, 'time', 'tick', 'v');
}

/** Of a metric that is no state a step has one row: whatever its last time is, no other sample of the step is asked. */
function rollUpBuckets({ files, where }: ColdSource): string {
  return `SELECT ${stepOf('time', '$every')} AS b, min, max, sum, numbers AS count,
    struct_pack(t := coalesce(last_time, time), n := coalesce(last_tick, -1), v := last) AS newest FROM ${files} WHERE ${where} AND numbers > 0`;
}

/** Buckets of what is hot, of roll-ups and of samples in files, merged; the answer is the one of all samples. */
export async function queryBuckets(
  connection: DuckDBConnection,
  cold: Cold,
  series: number,
  range: Span & { readonly every: number; readonly limit: number },
): Promise<Buckets> {
  const { from, to, every } = range;
  const plan = await planLong(connection, cold, series, { from, to }, every);
  const parts = [
    rawBuckets(`samples WHERE ${plan.hot}`, 't', 'n', 'v'),
    ...plan.samples.map(sampleBuckets),
    ...plan.rollUps.map(rollUpBuckets),
  ];
  const [t = [], min = [], max = [], avg = [], last = [], count = []] = await columns(
    connection,
    `SELECT b::DOUBLE, min(min), max(max), sum(sum) / sum(count), max(newest).v, sum(count)::DOUBLE
     FROM (${parts.join(' UNION ALL ')}) GROUP BY b ORDER BY b LIMIT $limit::BIGINT`,
    { ...range },
  );
  return {
    t: t.map(Number),
    min: min.map(Number),
    max: max.map(Number),
    avg: avg.map(Number),
    last: last.map(Number),
    count: count.map(Number),
  };
}

export async function queryLatest(connection: DuckDBConnection, all: readonly SeriesInfo[]): Promise<readonly LatestValue[]> {
  const numbers = await columns(
    connection,
    `SELECT series, epoch_ms(max(t))::DOUBLE, arg_max(v, (t, n)), NULL, arg_max(k, (t, n)), arg_max(q, (t, n)), arg_max(n, (t, n)) FROM samples GROUP BY series`,
    {},
  );
  const texts = await columns(
    connection,
    `SELECT series, epoch_ms(max(t))::DOUBLE, NULL, arg_max(struct_pack(v := v), (t, n)).v, arg_max(k, (t, n)), arg_max(q, (t, n)), arg_max(n, (t, n)) FROM texts GROUP BY series`,
    {},
  );
  const cold = await columns(connection, 'SELECT series, epoch_ms(t)::DOUBLE, v, s, k, q, n FROM cold_series', {});
  const latest = new Map<number, LatestValue & { readonly n: number }>();
  for (const [series = [], t = [], v = [], s = [], k = [], q = [], n = []] of [numbers, texts, cold]) {
    series.forEach((id, i) => {
      const info = all[Number(id)];
      if (info === undefined) return;
      const found = { ...info, t: Number(t[i]), n: Number(n[i]), v: toValue(Number(k[i]), v[i] ?? null, s[i] ?? null), q: Number(q[i]) };
      const known = latest.get(info.id);
      if (known === undefined || found.t > known.t || (found.t === known.t && found.n > known.n)) latest.set(info.id, found);
    });
  }
  return [...latest.values()].map(({ n: _, ...value }) => value);
}
