import { PermanentError } from '@nhip/core/process/errors';
import type { Value } from '@nhip/core/wire/sample';
import { quality } from '@nhip/core/wire/sample';
import type { Buckets, Columns, RangeQuery, SeriesName } from '../history-store.ts';
import type { Cell, InfluxServer, Series } from './influx-server.ts';
import { decodeName, encodeName, lastMs, quoteText } from './line-protocol.ts';

/** InfluxQL of the store, in the part of the language that 1.x, 2.x and 3 share. Names and texts are always quoted. */

const pointFields = 'v, b, s, i, n, q';
/** Conditions of one statement: longer ones are split. */
const maxSeriesPerStatement = 50;

export interface Sample {
  readonly t: number;
  readonly v: Value;
  readonly q: number;
}

export interface SeriesSamples extends SeriesName {
  readonly samples: readonly Sample[];
}

export function equals(key: string, value: string): string {
  return `${key} = ${quoteText(encodeName(value))}`;
}

/** [fromMs, toMs), cut to what InfluxDB's time can say. The end is always told: some statements would take "now". */
export function between(fromMs: number, toMs: number): string {
  return `time >= ${limitMs(fromMs)}ms AND time < ${limitMs(toMs)}ms`;
}

function limitMs(ms: number): number {
  return Math.min(lastMs, Math.max(0, Math.ceil(ms)));
}

function ofSeries({ machine, metric }: SeriesName): string {
  return `${equals('machine', machine)} AND ${equals('metric', metric)}`;
}

function toSample([time, v, b, s, i, , q]: readonly Cell[]): Sample {
  return { t: Number(time), v: toValue(v, b, s, i), q: q === null || q === undefined ? quality.good : Number(q) };
}

function toValue(v: Cell | undefined, b: Cell | undefined, s: Cell | undefined, i: Cell | undefined): Value {
  if (typeof s === 'string') return s;
  if (typeof i === 'string') return BigInt(i);
  if (typeof b === 'boolean') return b;
  return typeof v === 'number' ? v : null;
}

function toSeriesSamples({ tags, values }: Series): SeriesSamples {
  return { machine: decodeName(tags.machine ?? ''), metric: decodeName(tags.metric ?? ''), samples: values.map(toSample) };
}

export function toColumns(samples: readonly Sample[]): Columns {
  return { t: samples.map(({ t }) => t), v: samples.map(({ v }) => v), q: samples.map(({ q }) => q) };
}

/** The newest sample of every series. */
export async function queryLatest(server: InfluxServer): Promise<readonly SeriesSamples[]> {
  const [series = []] = await server.query([`SELECT ${pointFields} FROM samples GROUP BY machine, metric ORDER BY time DESC LIMIT 1`]);
  return series.map(toSeriesSamples);
}

/** Raw samples of one series in [fromMs, toMs), `newest` or oldest first, at most `limit`. */
export async function queryRange(
  server: InfluxServer,
  { fromMs, toMs, limit, ...name }: RangeQuery,
  order: 'oldest' | 'newest' = 'oldest',
): Promise<readonly Sample[]> {
  const [series = []] = await server.query([
    `SELECT ${pointFields} FROM samples WHERE ${ofSeries(name)} AND ${between(fromMs, toMs)} ORDER BY time ${order === 'oldest' ? 'ASC' : 'DESC'} LIMIT ${limit}`,
  ]);
  return (series[0]?.values ?? []).map(toSample);
}

/** See HistoryStore.changes. */
export async function queryChanges(
  server: InfluxServer,
  asked: readonly SeriesName[],
  range: { readonly fromMs: number; readonly toMs: number; readonly limit: number },
): Promise<readonly Columns[]> {
  const found = new Map<string, Sample[]>();
  let count = 0;
  for (let at = 0; at < asked.length; at += maxSeriesPerStatement) {
    const some = asked.slice(at, at + maxSeriesPerStatement);
    const names = `(${some.map((name) => `(${ofSeries(name)})`).join(' OR ')})`;
    const select = `SELECT ${pointFields} FROM samples WHERE ${names} AND`;
    const [held = [], changed = []] = await server.query([
      `${select} ${between(0, range.fromMs)} GROUP BY machine, metric ORDER BY time DESC LIMIT 1`,
      `${select} ${between(range.fromMs, range.toMs)} GROUP BY machine, metric ORDER BY time ASC LIMIT ${range.limit + 1}`,
    ]);
    for (const { machine, metric, samples } of [...held, ...changed].map(toSeriesSamples)) {
      const known = found.get(keyOf({ machine, metric }));
      if (known === undefined) found.set(keyOf({ machine, metric }), [...samples]);
      else known.push(...samples);
      count += samples.length;
    }
    if (count > range.limit) {
      throw new PermanentError(
        'store.tooManySamples',
        `The range holds more than ${range.limit} samples of these series: ask for a shorter one`,
      );
    }
  }
  return asked.map((name) => toColumns(found.get(keyOf(name)) ?? []));
}

function keyOf({ machine, metric }: SeriesName): string {
  return `${machine}\n${metric}`;
}

/** See HistoryStore.buckets. */
export async function queryBuckets(
  server: InfluxServer,
  { fromMs, toMs, limit, everyMs, ...name }: RangeQuery & { readonly everyMs: number },
): Promise<Buckets> {
  const [series = []] = await server.query([
    `SELECT min(v), max(v), mean(v), last(v), count(v) FROM samples WHERE ${ofSeries(name)} AND ${between(fromMs, toMs)} GROUP BY time(${Math.max(1, Math.round(everyMs))}ms) fill(none) LIMIT ${limit}`,
  ]);
  const rows = series[0]?.values ?? [];
  const column = (i: number): readonly number[] => rows.map((row) => Number(row[i]));
  return { t: column(0), min: column(1), max: column(2), avg: column(3), last: column(4), count: column(5) };
}
