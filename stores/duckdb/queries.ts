import { type DuckDBConnection, type DuckDBValue, INTEGER, LIST, listValue } from '@duckdb/node-api';
import { valueKind } from '@nhip/core/telemetry/sample-batch';
import type { Value } from '@nhip/core/wire/sample';
import type { Buckets, Columns, LatestValue, SeriesInfo } from '../history-store.ts';

/** Typed SQL of the store. All values are bound parameters; time stamps cross as ms in a DOUBLE. */

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

/** Both tables of one series as one relation: t (ms), n, v, s, k, q. */
const both = `
  SELECT epoch_ms(t)::DOUBLE AS t, n, v, NULL AS s, k, q FROM samples WHERE series = $series AND t >= make_timestamp_ms($from::BIGINT) AND t < make_timestamp_ms($to::BIGINT)
  UNION ALL
  SELECT epoch_ms(t)::DOUBLE AS t, n, NULL AS v, v AS s, k, q FROM texts WHERE series = $series AND t >= make_timestamp_ms($from::BIGINT) AND t < make_timestamp_ms($to::BIGINT)`;

export async function queryRange(connection: DuckDBConnection, series: number, from: number, to: number, limit: number): Promise<Columns> {
  const [t = [], k = [], v = [], s = [], q = []] = await columns(
    connection,
    `SELECT t, k, v, s, q FROM (${both}) ORDER BY t, n LIMIT $limit::BIGINT`,
    { series, from, to, limit },
  );
  return { t: t.map(Number), v: t.map((_, i) => toValue(Number(k[i]), v[i] ?? null, s[i] ?? null)), q: q.map(Number) };
}

/** How far back the last value is looked for, first near, then farther: DuckDB skips what lies outside without reading it. */
const lookBackMs = [3_600_000, 86_400_000, 30 * 86_400_000, Number.POSITIVE_INFINITY];
/** make_timestamp_ms goes no further back than this (290,000 years). */
const earliestMs = -8.64e15;

/** Both tables of many series as one relation: series, t (ms), n, v, s, k, q. */
const bothOfMany = `
  SELECT series, epoch_ms(t)::DOUBLE AS t, n, v, NULL AS s, k, q FROM samples WHERE series IN (SELECT unnest($ids)) AND t >= make_timestamp_ms($from::BIGINT) AND t < make_timestamp_ms($to::BIGINT)
  UNION ALL
  SELECT series, epoch_ms(t)::DOUBLE AS t, n, NULL AS v, v AS s, k, q FROM texts WHERE series IN (SELECT unnest($ids)) AND t >= make_timestamp_ms($from::BIGINT) AND t < make_timestamp_ms($to::BIGINT)`;

export interface ChangeRow {
  readonly series: number;
  readonly t: number;
  readonly v: Value;
  readonly q: number;
}

async function manyRows(connection: DuckDBConnection, sql: string, ids: readonly number[], params: Params): Promise<readonly ChangeRow[]> {
  const result = await connection.runAndReadAll(sql, { ...params, ids: listValue([...ids]) }, { ids: LIST(INTEGER) });
  return result.getRows().map(([series, t, k, v, s, q]) => ({
    series: Number(series),
    t: Number(t),
    v: toValue(Number(k), v ?? null, s ?? null),
    q: Number(q),
  }));
}

/** Samples of many series in [from, to), by series and time; at most `limit` rows. */
export function queryRangeOfMany(
  connection: DuckDBConnection,
  ids: readonly number[],
  range: { readonly from: number; readonly to: number; readonly limit: number },
): Promise<readonly ChangeRow[]> {
  return manyRows(connection, `SELECT series, t, k, v, s, q FROM (${bothOfMany}) ORDER BY series, t, n LIMIT $limit::BIGINT`, ids, range);
}

/** The last sample before `at` of each series that has one. */
export async function queryLastBeforeOfMany(
  connection: DuckDBConnection,
  ids: readonly number[],
  at: number,
): Promise<readonly ChangeRow[]> {
  const found = new Map<number, ChangeRow>();
  let to = at;
  for (const back of lookBackMs) {
    const missing = ids.filter((id) => !found.has(id));
    if (missing.length === 0) break;
    const from = Math.max(earliestMs, at - back);
    // A row of its own keeps a null value, which arg_max would skip.
    const newest = `SELECT series, arg_max(struct_pack(t, k, v, s, q), (t, n)) AS r FROM (${bothOfMany}) GROUP BY series`;
    const rows = await manyRows(connection, `SELECT series, r.t, r.k, r.v, r.s, r.q FROM (${newest})`, missing, { from, to });
    for (const row of rows) found.set(row.series, row);
    to = from;
  }
  return [...found.values()];
}

export async function queryBuckets(
  connection: DuckDBConnection,
  series: number,
  range: { readonly from: number; readonly to: number; readonly every: number; readonly limit: number },
): Promise<Buckets> {
  const [t = [], min = [], max = [], avg = [], last = [], count = []] = await columns(
    connection,
    `SELECT (floor(epoch_ms(t) / $every) * $every)::DOUBLE AS b, min(v), max(v), avg(v), arg_max(v, (t, n)), count(*)::DOUBLE
     FROM samples WHERE series = $series AND t >= make_timestamp_ms($from::BIGINT) AND t < make_timestamp_ms($to::BIGINT)
     GROUP BY b ORDER BY b LIMIT $limit::BIGINT`,
    { series, ...range },
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
  const latest = new Map<number, LatestValue & { readonly n: number }>();
  for (const [series = [], t = [], v = [], s = [], k = [], q = [], n = []] of [numbers, texts]) {
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
