import { formatTime } from '@nhip/core/wire/time';
import type { Buckets, Columns } from '@nhip/stores/history-store';
import { z } from 'zod';
import { acceptedType, csvText, sendCsv, separatorField } from '../csv.ts';
import { HttpProblem } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { rangeFields, readDuration, readRange } from '../time-range.ts';
import type { RouteDeps } from './deps.ts';

const maxRangeMs = 400 * 86_400_000;
const maxPoints = 100_000;
const defaultPoints = 50_000;
const maxBuckets = 20_000;
const aggregates = ['min', 'max', 'avg', 'last', 'count'] as const;
type Aggregate = (typeof aggregates)[number];

const historyQuery = z.strictObject({
  machine: z.string().min(1).max(200).describe('Machine id `<group>/<edge>/<device>`'),
  metric: z.string().min(1).max(256).describe('Metric, e.g. `Power/Active`'),
  ...rangeFields,
  every: z.string().max(20).optional().describe('Bucket length: ms, or e.g. 10s, 1m, 1h. Absent: raw values'),
  agg: z.string().max(50).optional().describe('Which of min,max,avg,last,count a bucket shows. Default: all'),
  limit: z.string().max(10).optional().describe(`Raw values at most, up to ${maxPoints}. Default ${defaultPoints}. Oldest first`),
  ...separatorField,
});

const numbers = z.array(z.number());
const answer = z.union([
  z.strictObject({
    t: numbers.describe('ms UTC'),
    v: z.array(z.union([z.number(), z.boolean(), z.string(), z.null()])).describe('Values; 64-bit integers as text'),
    q: numbers.describe('192 good, 500 stale, 0 bad'),
  }),
  z.strictObject({
    t: numbers.describe('Start of the bucket, ms UTC; empty buckets are left out'),
    min: numbers.optional(),
    max: numbers.optional(),
    avg: numbers.optional(),
    last: numbers.optional(),
    count: numbers.optional(),
  }),
]);

/** One metric over time: raw or in buckets, as JSON or CSV. */
export function historyRoutes({ hub, store, queries }: RouteDeps): readonly Route[] {
  function requireSeries(machine: string, metric: string): void {
    const isStored = store.series().some((series) => series.machine === machine && series.metric === metric);
    if (isStored || hub.metrics(machine)?.some((each) => each.name === metric) === true) return;
    throw new HttpProblem(404, `${machine} has no metric "${metric}": see /api/v1/machines/{id}/metrics.`);
  }

  return [
    route({
      method: 'GET',
      path: '/api/v1/history',
      summary: 'One metric over time: raw values, or buckets with `every`. Columns of the same length, oldest first.',
      access: 'read',
      query: historyQuery,
      response: answer,
      contentTypes: ['text/csv'],
      async handle({ query, nowMs }, request, reply) {
        const type = acceptedType(request.headers.accept);
        const { fromMs, toMs } = readRange(query, nowMs, maxRangeMs);
        const { machine, metric } = query;
        const range = { machine, metric, fromMs, toMs };
        if (query.every !== undefined) {
          const everyMs = bucketLength(query.every, toMs - fromMs);
          const shown = readAggregates(query.agg);
          requireSeries(machine, metric);
          const buckets = await queries.run(() => store.buckets({ ...range, everyMs, limit: maxBuckets + 1 }));
          return type === 'csv'
            ? sendCsv(reply, `${machine}_${metric}`, bucketsCsv(buckets, shown, query.sep))
            : bucketsJson(buckets, shown);
        }
        if (query.agg !== undefined) throw new HttpProblem(400, 'agg needs every: ask for buckets, e.g. every=1m.');
        const limit = readLimit(query.limit);
        requireSeries(machine, metric);
        const columns = await queries.run(() => store.range({ ...range, limit }));
        return type === 'csv' ? sendCsv(reply, `${machine}_${metric}`, rawCsv(columns, query.sep)) : rawJson(columns);
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

function readLimit(text: string | undefined): number {
  const limit = text === undefined ? defaultPoints : /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= maxPoints) return limit;
  throw new HttpProblem(400, `limit must be 1 to ${maxPoints}: for more, ask for a shorter range or use every.`);
}

function rawJson({ t, v, q }: Columns) {
  return { t, v: v.map((value) => (typeof value === 'bigint' ? String(value) : value)), q };
}

function bucketsJson(buckets: Buckets, shown: readonly Aggregate[]) {
  return { t: buckets.t, ...Object.fromEntries(shown.map((name) => [name, buckets[name]])) };
}

function rawCsv({ t, v, q }: Columns, separator: ',' | ';'): string {
  const rows = t.map((at, i) => [formatTime(at), v[i] ?? null, q[i] ?? null]);
  return csvText(['time', 'value', 'quality'], rows, separator);
}

function bucketsCsv(buckets: Buckets, shown: readonly Aggregate[], separator: ',' | ';'): string {
  const rows = buckets.t.map((at, i) => [formatTime(at), ...shown.map((name) => buckets[name][i] ?? null)]);
  return csvText(['time', ...shown], rows, separator);
}
