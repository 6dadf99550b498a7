import type { MetricView } from '@nhip/core/wire/live';
import { quality } from '@nhip/core/wire/sample';
import type { BucketHistory, RawHistory } from '../api/endpoints.ts';

/**
 * One metric over time as columns, oldest first. With buckets, `line` is the average, `low`/`high` the band around it and `last`
 * the newest value; without, `line` is every sample. A null in `line`: no trustworthy value.
 */
export interface TrendSeries {
  /** null: every sample. */
  readonly everyMs: number | null;
  readonly t: number[];
  readonly line: (number | null)[];
  readonly low: (number | null)[];
  readonly high: (number | null)[];
  readonly last: (number | null)[];
  readonly count: number[];
}

export function seriesFromRaw(history: RawHistory): TrendSeries {
  const series: TrendSeries = { everyMs: null, t: [], line: [], low: [], high: [], last: [], count: [] };
  for (const [index, t] of history.t.entries()) {
    pushPoint(series, t, trusted(numeric(history.v[index]), history.q[index] ?? quality.good));
  }
  return series;
}

export function seriesFromBuckets(history: BucketHistory, everyMs: number): TrendSeries {
  const series: TrendSeries = { everyMs, t: [], line: [], low: [], high: [], last: [], count: [] };
  for (const [index, t] of history.t.entries()) {
    series.t.push(t);
    series.line.push(numeric(history.avg[index]) ?? numeric(history.last[index]));
    series.last.push(numeric(history.last[index]));
    series.low.push(numeric(history.min[index]));
    series.high.push(numeric(history.max[index]));
    series.count.push(history.count[index] ?? 0);
  }
  return series;
}

/** Adds a live value at the end; values that are not newer than the end are already there. Returns whether anything changed. */
export function appendLive(series: TrendSeries, metric: Pick<MetricView, 'v' | 't' | 'q'>): boolean {
  const value = trusted(numeric(metric.v), metric.q);
  const end = series.t.at(-1) ?? Number.NEGATIVE_INFINITY;
  if (series.everyMs === null) {
    if (metric.t <= end) return false;
    pushPoint(series, metric.t, value);
    return true;
  }
  if (value === null) return false;
  if (metric.t < end) return false;
  if (metric.t < end + series.everyMs) return extendBucket(series, value);
  // Buckets lie where the server put them: count from the last one.
  const origin = series.t.length === 0 ? 0 : end;
  const bucket = origin + Math.floor((metric.t - origin) / series.everyMs) * series.everyMs;
  series.t.push(bucket);
  series.line.push(value);
  series.low.push(value);
  series.high.push(value);
  series.last.push(value);
  series.count.push(1);
  return true;
}

/** Forgets what lies before `from`, but keeps one point so that the line enters the chart from the left. */
export function trimSeries(series: TrendSeries, from: number): void {
  const keep = series.t.findIndex((t) => t >= from) - 1;
  if (keep <= 0) return;
  for (const column of [series.t, series.line, series.low, series.high, series.last, series.count]) column.splice(0, keep);
}

/** What a chart draws, column by column. */
export interface DrawnColumns {
  readonly t: number[];
  readonly line: (number | null)[];
  readonly low: (number | null)[];
  readonly high: (number | null)[];
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * Columns for a stepped line. Values are sent when they change, so a value holds until the next one, and the newest until `holdTo`
 * (null: it is not known whether it still holds); but not into `lost`, the spans without data, which are drawn as gaps.
 */
export function drawnColumns(series: TrendSeries, lost: readonly Span[], holdTo: number | null): DrawnColumns {
  const columns: DrawnColumns = { t: [], line: [], low: [], high: [] };
  let nextLost = 0;
  const add = (t: number, line: number | null, low: number | null, high: number | null): void => {
    for (let gap = lost[nextLost]; gap !== undefined && gap.from < t; gap = lost[nextLost]) {
      nextLost += 1;
      if (columns.t.length > 0 && gap.from > (columns.t.at(-1) ?? 0)) push(columns, gap.from, null, null, null);
    }
    push(columns, t, line, low, high);
  };
  const isLost = (t: number): boolean => lost.some((gap) => gap.from <= t && t < gap.to);
  for (const [index, t] of series.t.entries()) {
    add(t, series.line[index] ?? null, series.low[index] ?? null, series.high[index] ?? null);
    if (series.everyMs === null) continue;
    const next = series.t[index + 1] ?? holdTo ?? t;
    const end = t + series.everyMs;
    if (next > end && !isLost(end)) add(end, series.last[index] ?? null, null, null);
  }
  const end = series.t.at(-1);
  if (end === undefined || holdTo === null || holdTo <= (columns.t.at(-1) ?? end) || isLost(holdTo)) return columns;
  add(holdTo, series.everyMs === null ? (series.line.at(-1) ?? null) : (series.last.at(-1) ?? null), null, null);
  return columns;
}

export interface TrendSummary {
  readonly min: number;
  readonly max: number;
  readonly last: number;
}

/** null when there is no value at all. */
export function summaryOf(series: TrendSeries): TrendSummary | null {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let last: number | null = null;
  for (const [index, value] of series.line.entries()) {
    if (value === null) continue;
    min = Math.min(min, series.low[index] ?? value);
    max = Math.max(max, series.high[index] ?? value);
    last = series.last[index] ?? value;
  }
  return last === null ? null : { min, max, last };
}

/** Numbers and switches can be drawn; 64-bit integers come as text. */
export function numeric(value: number | boolean | string | null | undefined): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return Number(value);
  return null;
}

function trusted(value: number | null, q: number): number | null {
  return q === quality.good ? value : null;
}

function pushPoint(series: TrendSeries, t: number, value: number | null): void {
  series.t.push(t);
  series.line.push(value);
  series.low.push(null);
  series.high.push(null);
  series.last.push(value);
  series.count.push(1);
}

function extendBucket(series: TrendSeries, value: number): boolean {
  const at = series.t.length - 1;
  const count = series.count[at] ?? 0;
  series.line[at] = ((series.line[at] ?? value) * count + value) / (count + 1);
  series.low[at] = Math.min(series.low[at] ?? value, value);
  series.high[at] = Math.max(series.high[at] ?? value, value);
  series.last[at] = value;
  series.count[at] = count + 1;
  return true;
}

function push(columns: DrawnColumns, t: number, line: number | null, low: number | null, high: number | null): void {
  columns.t.push(t);
  columns.line.push(line);
  columns.low.push(low);
  columns.high.push(high);
}
