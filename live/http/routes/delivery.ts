import type { Completeness } from '@nhip/core/wire/live';
import { lossReasons } from '@nhip/core/wire/loss';
import { formatTime } from '@nhip/core/wire/time';
import { z } from 'zod';
import { readCompleteness } from '../../delivery.ts';
import { acceptedType, csvText, sendCsv, separatorField } from '../csv.ts';
import { linkNext, nextField, pageFields, pageOf, readLimit } from '../page.ts';
import { type Route, route } from '../route.ts';
import { delivery } from '../schemas.ts';
import { rangeFields, readRange } from '../time-range.ts';
import { nextPlace, placeText, readPlace } from '../timed-page.ts';
import type { RouteDeps } from './deps.ts';
import { notFound } from './machines.ts';

const dayMs = 86_400_000;
const maxLossRangeMs = 400 * dayMs;
const defaultLossRangeMs = 7 * dayMs;
const maxRangeMs = 31 * dayMs;
const lossPage = { most: 10_000, usual: 1000 };
/** A month of some sixty metrics. */
const hourPage = { most: 50_000, usual: 50_000 };

const loss = z.strictObject({
  edge: z.string().describe('`<group>/<edge>`; empty when not even that is known'),
  machine: z.string().describe('Machine id; empty when it is not known'),
  metric: z.string().describe('Metric; empty when it is not known'),
  reason: z.enum(lossReasons).describe('Why they are not in the history'),
  detail: z.string().describe('For the person who looks at it, e.g. the reason of a dead letter; empty for none'),
  samples: z.number().describe('How many; 0 when nobody can know. Negative when dead letters were replayed'),
  stream: z.string().describe('Outbox whose numbers are concerned; empty for none'),
  seqFrom: z.number().describe('First number of that outbox'),
  seqTo: z.number().describe('Last number, not included'),
  fromMs: z.number().describe('Time of the first sample'),
  toMs: z.number().describe('Time of the last sample'),
  atMs: z.number().describe('When the server learned of it'),
});

const completeness = z.strictObject({
  rows: z.array(
    delivery.extend({
      metric: z.string().describe('Metric; empty: nobody knows which'),
      t: z.number().describe('Begin of the hour, ms UTC; hours without samples are left out'),
    }),
  ),
  totals: delivery.describe('Of all rows, on every page'),
  reasons: z
    .array(z.strictObject({ reason: z.enum(lossReasons).describe('Reason'), samples: z.number().describe('Samples') }))
    .describe('Why samples are missing, most first'),
  unattributed: z.number().describe('Samples that its edge lost in the range without anybody knowing whose; not part of the totals'),
  ...nextField,
});

const lossQuery = z.strictObject({
  edge: z.string().min(1).max(200).optional().describe('Edge agent `<group>/<edge>`. Absent: all'),
  from: z
    .string()
    .max(40)
    .optional()
    .describe('Reported at or after: ms since 1970 UTC, or ISO 8601 with a zone. Default: 7 days before `to`'),
  to: rangeFields.to,
  ...pageFields(lossPage),
  ...separatorField,
});

const completenessQuery = z.strictObject({
  machine: z.string().min(1).max(200).describe('Machine id `<group>/<edge>/<device>`'),
  ...rangeFields,
  ...pageFields(hourPage),
  ...separatorField,
});

/** What did not reach the history, and how complete it is. */
export function deliveryRoutes({ hub, store, queries }: RouteDeps): readonly Route[] {
  function requireMachine(machine: string): void {
    if (hub.machine(machine) === undefined && !store.series().some((series) => series.machine === machine)) notFound(machine);
  }

  return [
    route({
      method: 'GET',
      path: '/api/v1/losses',
      summary: 'Samples that will never be in the history, and dead letters: whose, how many and why. Newest report first.',
      access: 'read',
      query: lossQuery,
      response: z.strictObject({ losses: z.array(loss), ...nextField }),
      contentTypes: ['text/csv'],
      async handle({ query, nowMs }, request, reply) {
        const type = acceptedType(request.headers.accept, ['json', 'csv']);
        const { edge, sep } = query;
        const limit = readLimit(query.limit, lossPage);
        // What is reported within this very millisecond belongs to an open range.
        const place = readPlace(query.cursor, () => readRange(query, nowMs + 1, maxLossRangeMs, defaultLossRangeMs));
        const { fromMs, toMs, skip } = place;
        const found = await queries.run(() => store.losses({ fromMs, toMs, edge, limit: skip + limit + 1 }));
        const losses = found.slice(skip, skip + limit);
        const times = found.map(({ atMs }) => atMs);
        const following = nextPlace(times, place, limit, 'newest');
        const next = following === undefined ? null : placeText(following);
        linkNext(request, reply, next);
        if (type === 'json') return { losses, next };
        const rows = losses.map((row) => [
          ...[formatTime(row.atMs), row.edge, row.machine, row.metric, row.reason, row.detail, row.samples],
          ...[formatTime(row.fromMs), formatTime(row.toMs), row.stream, row.seqFrom, row.seqTo],
        ]);
        const header = ['reported', 'edge', 'machine', 'metric', 'reason', 'detail', 'samples', 'from', 'to', 'stream', 'seqFrom', 'seqTo'];
        return sendCsv(reply, edge === undefined ? 'losses' : `${edge}_losses`, csvText(header, rows, sep));
      },
    }),
    route({
      method: 'GET',
      path: '/api/v1/completeness',
      summary:
        'What became of the samples of a machine, per metric and hour: stored, lost, dead-lettered. Completeness = stored / all three.',
      access: 'read',
      query: completenessQuery,
      response: completeness,
      contentTypes: ['text/csv'],
      async handle({ query, nowMs }, request, reply) {
        const type = acceptedType(request.headers.accept, ['json', 'csv']);
        const range = readRange(query, nowMs, maxRangeMs);
        requireMachine(query.machine);
        const found = await queries.run(() => readCompleteness(store, query.machine, { ...range, nowMs }));
        // A file holds everything, unless a page of it was asked for.
        const isWhole = type === 'csv' && query.limit === undefined && query.cursor === undefined;
        const { rows, next } = isWhole ? { rows: found.rows, next: null } : pageOf(found.rows, hourKey, query, hourPage);
        linkNext(request, reply, next);
        if (type === 'json') return { ...found, rows, next };
        return sendCsv(reply, `${query.machine}_completeness`, completenessCsv({ ...found, rows }, query.sep));
      },
    }),
  ];
}

/** By metric, then hour. */
function hourKey({ metric, t }: Completeness['rows'][number]): string {
  return `${metric}\n${String(t).padStart(16, '0')}`;
}

function completenessCsv({ rows, totals }: Completeness, separator: ',' | ';'): string {
  const figures = (row: Completeness['totals']) => [row.stored, row.lost, row.deadLettered, row.completeness];
  const lines = [...rows.map((row) => [formatTime(row.t), row.metric, ...figures(row)]), ['total', '', ...figures(totals)]];
  return csvText(['hour', 'metric', 'stored', 'lost', 'deadLettered', 'completeness'], lines, separator);
}
