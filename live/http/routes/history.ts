import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { HttpProblem } from '@nhip/core/process/http-problem';
import { formatTime } from '@nhip/core/wire/time';
import type { Buckets, Columns } from '@nhip/stores/history-store';
import { z } from 'zod';
import { acceptedType, csvHead, csvLines, csvText, type Separator, sendCsv, separatorField } from '../csv.ts';
import { linkNext, nextField, pageFields, readLimit } from '../page.ts';
import { type Route, route } from '../route.ts';
import { rangeFields, readDuration, readRange } from '../time-range.ts';
import { nextPlace, placeText, readPlace, type TimedPlace } from '../timed-page.ts';
import type { RouteDeps } from './deps.ts';

const maxRangeMs = 400 * 86_400_000;
const valuePage = { most: 100_000, usual: 50_000 };
const maxBuckets = 20_000;
/** Rows that a streamed CSV holds in memory at a time. */
const streamedRows = 10_000;
const maxStreams = 8;
/** Whoever takes nothing of a stream for so long has gone. */
const stalledMs = 60_000;
const aggregates = ['min', 'max', 'avg', 'last', 'count'] as const;
type Aggregate = (typeof aggregates)[number];

const historyQuery = z.strictObject({
  machine: z.string().min(1).max(200).describe('Machine id `<group>/<edge>/<device>`'),
  metric: z.string().min(1).max(256).describe('Metric, e.g. `Power/Active`'),
  ...rangeFields,
  every: z.string().max(20).optional().describe('Bucket length: ms, or e.g. 10s, 1m, 1h. Absent: raw values'),
  agg: z.string().max(50).optional().describe('Which of min,max,avg,last,count a bucket shows. Default: all'),
  ...pageFields(valuePage),
  ...separatorField,
});
type HistoryQuery = z.infer<typeof historyQuery>;

const numbers = z.array(z.number());
const rawColumns = z
  .strictObject({
    t: numbers.describe('ms UTC'),
    v: z.array(z.union([z.number(), z.boolean(), z.string(), z.null()])).describe('Values; 64-bit integers as text'),
    q: numbers.describe('192 good, 500 stale, 0 bad'),
    ...nextField,
  })
  .meta({ id: 'RawColumns' });
const bucketColumns = z
  .strictObject({
    t: numbers.describe('Start of the bucket, ms UTC; empty buckets are left out'),
    min: numbers.optional(),
    max: numbers.optional(),
    avg: numbers.optional(),
    last: numbers.optional(),
    count: numbers.optional(),
  })
  .meta({ id: 'BucketColumns' });

/** One metric over time: raw or in buckets, as JSON, CSV or Parquet. */
export function historyRoutes({ hub, store, queries, exports }: RouteDeps): readonly Route[] {
  let streaming = 0;

  function requireSeries({ machine, metric }: HistoryQuery): void {
    const isStored = store.series().some((series) => series.machine === machine && series.metric === metric);
    if (isStored || hub.metrics(machine)?.some((each) => each.name === metric) === true) return;
    throw new HttpProblem(404, `${machine} has no metric "${metric}": see /api/v1/machines/{id}/metrics.`);
  }

  /** `limit` rows from a place on, and the place behind them. Each page has its own turn in the queue of queries. */
  async function readPage({ machine, metric }: HistoryQuery, place: TimedPlace, limit: number) {
    const { fromMs, toMs, skip } = place;
    const found = await queries.run(() => store.range({ machine, metric, fromMs, toMs, limit: skip + limit + 1 }));
    const cut = <Cell>(cells: readonly Cell[]) => cells.slice(skip, skip + limit);
    return { columns: { t: cut(found.t), v: cut(found.v), q: cut(found.q) }, following: nextPlace(found.t, place, limit, 'oldest') };
  }

  /** The whole range, page by page as the caller takes it. */
  async function* csvPages(query: HistoryQuery, from: TimedPlace): AsyncGenerator<string> {
    let page = await readPage(query, from, streamedRows);
    // Not before there are rows: an error of the first query is an answer of its own.
    yield csvHead(rawHeader, query.sep);
    for (;;) {
      yield csvLines(rawRows(page.columns), query.sep);
      if (page.following === undefined) return;
      page = await readPage(query, page.following, streamedRows);
    }
  }

  function streamCsv(query: HistoryQuery, from: TimedPlace, response: ServerResponse): Readable {
    if (streaming >= maxStreams)
      throw new HttpProblem(429, `${maxStreams} downloads are running: try again in a minute.`, { 'retry-after': '60' });
    streaming += 1;
    response.setTimeout(stalledMs, () => response.destroy());
    return Readable.from(csvPages(query, from), { objectMode: false }).once('close', () => {
      streaming -= 1;
    });
  }

  return [
    route({
      method: 'GET',
      path: '/api/v1/history',
      summary:
        'One metric over time: raw values, or buckets with `every`. Columns of the same length, oldest first. CSV and Parquet of raw values without `limit` and `cursor` hold the whole range.',
      access: 'read',
      query: historyQuery,
      response: z.union([rawColumns, bucketColumns]),
      contentTypes: ['text/csv', 'application/vnd.apache.parquet'],
      problems: [404, 406, 409, 503],
      async handle({ query, nowMs }, request, reply) {
        const type = acceptedType(request.headers.accept, ['json', 'csv', 'parquet']);
        const { machine, metric } = query;
        const name = `${machine}_${metric}`;
        const range = () => readRange(query, nowMs, maxRangeMs);
        if (query.every !== undefined) {
          if (type === 'parquet') throw new HttpProblem(406, 'Buckets are application/json or text/csv: leave every out for Parquet.');
          if (query.limit !== undefined || query.cursor !== undefined) {
            throw new HttpProblem(400, 'Buckets come all at once: leave limit and cursor out, or every.');
          }
          const { fromMs, toMs } = range();
          const everyMs = bucketLength(query.every, toMs - fromMs);
          const shown = readAggregates(query.agg);
          requireSeries(query);
          const buckets = await queries.run(() => store.buckets({ machine, metric, fromMs, toMs, everyMs, limit: maxBuckets + 1 }));
          return type === 'csv' ? sendCsv(reply, name, bucketsCsv(buckets, shown, query.sep)) : bucketsJson(buckets, shown);
        }
        if (query.agg !== undefined) throw new HttpProblem(400, 'agg needs every: ask for buckets, e.g. every=1m.');
        const isPaged = query.limit !== undefined || query.cursor !== undefined;
        if (type === 'parquet') {
          if (exports === undefined) {
            throw new HttpProblem(406, `A store of type ${store.name} writes no Parquet here: ask for text/csv or application/json.`);
          }
          if (isPaged) throw new HttpProblem(400, 'A Parquet file holds the whole range: leave limit and cursor out.');
          requireSeries(query);
          return exports.send(reply, { ...range(), machine, metric, format: 'parquet' }, name);
        }
        const place = readPlace(query.cursor, range);
        const limit = readLimit(query.limit, valuePage);
        requireSeries(query);
        if (type === 'csv' && !isPaged) return sendCsv(reply, name, streamCsv(query, place, reply.raw));
        const { columns, following } = await readPage(query, place, limit);
        const next = following === undefined ? null : placeText(following);
        linkNext(request, reply, next);
        return type === 'csv' ? sendCsv(reply, name, csvText(rawHeader, rawRows(columns), query.sep)) : rawJson(columns, next);
      },
    }),
  ];
}

function bucketLength(text: string, rangeMs: number): number {
  const everyMs = readDuration('every', text);
  if (rangeMs / everyMs <= maxBuckets) return everyMs;
  throw new HttpProblem(
    400,
    `That would be more than ${maxBuckets} buckets: use an every of at least ${Math.ceil(rangeMs / maxBuckets)} ms, or a shorter range.`,
  );
}

function readAggregates(text: string | undefined): readonly Aggregate[] {
  if (text === undefined) return aggregates;
  return text.split(',').map((name) => {
    const found = aggregates.find((aggregate) => aggregate === name);
    if (found === undefined) throw new HttpProblem(400, `agg "${name}" is not known: use ${aggregates.join(', ')}.`);
    return found;
  });
}

function rawJson({ t, v, q }: Columns, next: string | null) {
  return { t, v: v.map((value) => (typeof value === 'bigint' ? String(value) : value)), q, next };
}

function bucketsJson(buckets: Buckets, shown: readonly Aggregate[]) {
  return { t: buckets.t, ...Object.fromEntries(shown.map((name) => [name, buckets[name]])) };
}

const rawHeader = ['time', 'value', 'quality'];

function rawRows({ t, v, q }: Columns) {
  return t.map((at, i) => [formatTime(at), v[i] ?? null, q[i] ?? null]);
}

function bucketsCsv(buckets: Buckets, shown: readonly Aggregate[], separator: Separator): string {
  const rows = buckets.t.map((at, i) => [formatTime(at), ...shown.map((name) => buckets[name][i] ?? null)]);
  return csvText(['time', ...shown], rows, separator);
}
