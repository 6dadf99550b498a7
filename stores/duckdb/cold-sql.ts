import { type DuckDBListValue, INTEGER, LIST, listValue, VARCHAR } from '@duckdb/node-api';
import { countPrefix, heldMetrics, metricNames } from '@nhip/core/wire/vocabulary';
import type { SeriesInfo } from '../history-store.ts';
import type { ColdKind } from './cold-catalog.ts';

/**
 * SQL that writes the files of closed days. Their columns are a promise to whoever opens them without us (docs/history-files.md):
 *
 * samples: series, machine, metric, time (UTC), tick, number | boolean | text | integer (all null: the source said "no value"), quality
 * minutes, hours: series, machine, metric, time (begin, UTC), state, count, numbers, min, max, sum, first, last,
 *   last_time, last_tick, gain, seconds; of counters alone: first, gain; of states alone: state, seconds, last_time, last_tick
 *
 * Sorted by metric, machine and time: what is alike stands together, which takes less room than series as they happened to come.
 * Files of earlier versions are sorted by series, and have `first`, `last_time` and `last_tick` of every metric.
 *
 * A roll-up row depends on the samples of its own step only, never on a neighbour, so that late data spoils one file and no other:
 * `gain` is what a counter gained between the samples of the step, `seconds` how long a state held from its first sample in the
 * step on. What happened between the last sample of a step and the first of the next is for who reads them to add.
 */
const zstd = (level: number): string => `FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL ${level}`;

/**
 * How the files are written, each as small as was found. Of the hours the numbers are left as they are (version 1): many of them come
 * again, and zstd finds them better whole than split into bytes, as version 2 has them.
 */
export const parquetOptions: Readonly<Record<ColdKind, string>> = {
  samples: `${zstd(17)}, PARQUET_VERSION 'v2', ROW_GROUP_SIZE 40960, DICTIONARY_SIZE_LIMIT 500`,
  minutes: `${zstd(17)}, PARQUET_VERSION 'v2', ROW_GROUP_SIZE 40960, DICTIONARY_SIZE_LIMIT 50`,
  hours: `${zstd(19)}, PARQUET_VERSION 'v1', ROW_GROUP_SIZE 40960, DICTIONARY_SIZE_LIMIT 50, WRITE_BLOOM_FILTER false`,
};

/** Bounds as $from and $to, ms; half open. */
export const within = (column: string): string =>
  `${column} >= make_timestamp_ms($from::BIGINT) AND ${column} < make_timestamp_ms($to::BIGINT)`;

/** Of a file of samples, without the names. */
const narrow = 'series, time, tick, number, boolean, text, "integer", quality';

/** The hot samples of a time span in the columns of a file of samples, without the names. */
const hotAsCold = (wanted: string): string => `
  SELECT series, t::TIMESTAMP AS time, n AS tick, CASE WHEN k = 1 THEN v END AS number, CASE WHEN k = 2 THEN v <> 0 END AS boolean,
    NULL::VARCHAR AS text, NULL::VARCHAR AS "integer", q AS quality
  FROM samples WHERE ${within('t')} AND ${wanted}
  UNION ALL
  SELECT series, t::TIMESTAMP, n, NULL, NULL, CASE WHEN k = 3 THEN v END, CASE WHEN k = 4 THEN v END, q
  FROM texts WHERE ${within('t')} AND ${wanted}`;

/** Hot samples and those of files in [$from, $to), without the names. */
export function allSamples(files: string | undefined, wanted = 'true'): string {
  const hot = hotAsCold(wanted);
  return files === undefined ? hot : `${hot} UNION ALL SELECT ${narrow} FROM ${files} WHERE ${within('time')} AND ${wanted}`;
}

/** The names of a series, from the parameters $machines and $metrics: lists by series id. Joined after sorting: sorting them too takes many times the memory. */
export const names = 'list_extract($machines, series + 1) AS machine, list_extract($metrics, series + 1) AS metric';

export function namesOf(series: readonly SeriesInfo[]): { readonly machines: DuckDBListValue; readonly metrics: DuckDBListValue } {
  return { machines: listValue(series.map(({ machine }) => machine)), metrics: listValue(series.map(({ metric }) => metric)) };
}

/** The place of a series, from the parameter $ranks: a list by series id. */
export const rank = 'list_extract($ranks, series + 1)';

/** Place of each series, by id, when all are sorted by `key`. */
export function ranksOf(series: readonly SeriesInfo[], key: (each: SeriesInfo) => string): DuckDBListValue {
  const ranks = new Int32Array(series.length);
  const sorted = [...series].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  for (const [place, { id }] of sorted.entries()) ranks[id] = place;
  return listValue([...ranks]);
}

/** In the order of the files. */
export const fileOrder = ({ machine, metric }: SeriesInfo): string => `${metric}\n${machine}`;

export const nameTypes = { machines: LIST(VARCHAR), metrics: LIST(VARCHAR), ranks: LIST(INTEGER) };

/**
 * What the file of a span holds: the file that is there, if any, and what is hot. The tick is only kept where it has something to
 * order, in a millisecond with several samples of a series: it would be half of the file. A sample that comes later still with
 * such a time stands behind the one without a tick.
 */
export function samplesOf(oldFile: string | undefined): string {
  const sorted = `SELECT * FROM (${allSamples(oldFile)}) ORDER BY ${rank}, time, tick NULLS FIRST`;
  // Windows without an order go along with the sorted rows and hold none.
  const near = (side: 'lag' | 'lead') =>
    `${side}(series) OVER () IS NOT DISTINCT FROM series AND ${side}(time) OVER () IS NOT DISTINCT FROM time`;
  return `SELECT series, ${names}, time::TIMESTAMP_MS AS time, CASE WHEN has_twin THEN tick END AS tick, number, boolean, text, "integer", quality
    FROM (SELECT *, (${near('lag')}) OR (${near('lead')}) AS has_twin FROM (${sorted}))`;
}

/** Cold samples as the hot tables have them: series, t (ms), n, v, s, k, q. */
export function coldAsHot(files: string, filter: string): string {
  return `SELECT series, epoch_ms(time)::DOUBLE AS t, coalesce(tick, -1) AS n, coalesce(number, boolean::DOUBLE) AS v, coalesce(text, "integer") AS s,
    CASE WHEN number IS NOT NULL THEN 1 WHEN boolean IS NOT NULL THEN 2 WHEN text IS NOT NULL THEN 3 WHEN "integer" IS NOT NULL THEN 4 ELSE 0 END AS k,
    quality AS q FROM ${files} WHERE ${filter}`;
}

const list = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ');
const isState = `metric IN (${list(heldMetrics)})`;
const isCounter = `(starts_with(metric, '${countPrefix}') OR metric = '${metricNames.energyImport}')`;

/** Begin of the step that `column` (a TIMESTAMP) falls into, ms. */
export const stepOf = (column: string, everyMs: string): string => `(floor(epoch_ms(${column}) / ${everyMs}) * ${everyMs})`;

/** As `counterIncrease` of core/kpi: a drop is a reset, readings that are negative or not finite gain nothing. */
export const increase = (before: string, now: string): string => `CASE WHEN ${before} IS NULL OR ${before} < 0 OR ${now} < 0
  OR NOT isfinite(${before}) OR NOT isfinite(${now}) THEN 0 WHEN ${now} >= ${before} THEN ${now} - ${before} ELSE ${now} END`;

/**
 * Roll-ups of the samples of a file for which `wanted` is true, one row a series and step; of the metrics that are states one a series,
 * step and state.
 */
export function rollUpOf(file: string, everyMs: number, wanted = 'true'): string {
  return `
  WITH raw AS (
    SELECT series, machine, metric, time, coalesce(tick, -1) AS tick, text, coalesce(number, boolean::DOUBLE) AS v, ${stepOf('time', String(everyMs))}::BIGINT AS step
    FROM ${file} WHERE ${wanted}
  ), plain AS (
    SELECT series, any_value(machine) AS machine, any_value(metric) AS metric, step, NULL::VARCHAR AS state, count(*) AS count, count(v) AS numbers,
      min(v) AS min, max(v) AS max, sum(v) AS sum, arg_min(v, (time, tick)) FILTER (${isCounter}) AS first,
      arg_max(v, (time, tick)) AS last, NULL::TIMESTAMP AS last_time, NULL::INTEGER AS last_tick
    FROM raw WHERE NOT ${isState} GROUP BY series, step
  ), gains AS (
    SELECT series, step, sum(${increase('before', 'v')}) AS gain
    FROM (SELECT series, step, v, lag(v) OVER (PARTITION BY series, step ORDER BY time, tick) AS before FROM raw WHERE ${isCounter} AND v IS NOT NULL)
    GROUP BY series, step
  ), held AS (
    SELECT *, coalesce(lead(epoch_ms(time)) OVER (PARTITION BY series, step ORDER BY time, tick), step + ${everyMs}) - epoch_ms(time) AS ms
    FROM raw WHERE ${isState}
  ), states AS (
    SELECT series, any_value(machine), any_value(metric), step, text, count(*), count(v), min(v), max(v), sum(v), NULL::DOUBLE,
      arg_max(v, (time, tick)), max(time), arg_max(tick, (time, tick)), NULL::DOUBLE, sum(ms) / 1000.0
    FROM held GROUP BY series, step, text
  )
  SELECT series, machine, metric, make_timestamp_ms(step)::TIMESTAMP_MS AS time, 
    * EXCLUDE (series, machine, metric, step) REPLACE (last_time::TIMESTAMP_MS AS last_time) FROM (
    SELECT plain.*, gain::DOUBLE AS gain, NULL::DOUBLE AS seconds FROM plain LEFT JOIN gains USING (series, step)
    UNION ALL SELECT * FROM states
  ) ORDER BY metric, machine, time, state`;
}
