import { machineStates } from '@nhip/core/wire/vocabulary';
import { z } from 'zod';
import { downtimeChange, downtimeEntry, downtimeStop, reasonView } from '../downtime-schemas.ts';
import { linkNext, nextField, pageFields, pageOf } from '../page.ts';
import { type Route, route } from '../route.ts';
import { readScope, scopeField } from '../scope-field.ts';
import { rangeFields, readRange } from '../time-range.ts';
import type { RouteDeps } from './deps.ts';

const maxRangeMs = 31 * 86_400_000;
const stopPage = { most: 5000, usual: 500 };
const reasonPage = { most: 100, usual: 100 };
const entryPage = { most: 1000, usual: 200 };

const stopParams = z.strictObject({
  id: z
    .string()
    .min(3)
    .max(240)
    .meta({ examples: ['hoalac/press/M01@1795150800000'] })
    .describe('Id of a stop, percent-encoded'),
});

const stopQuery = z.strictObject({
  scope: scopeField,
  ...rangeFields,
  state: z
    .enum(machineStates)
    .optional()
    .describe('Only stops in this state; `unknown`: planned time without data, which may be given a reason'),
  unexplained: z.enum(['0', '1']).default('0').describe('1: only stops whose reason somebody should tell'),
  ...pageFields(stopPage),
});

/** Stops, their reasons, and what people correct. */
export function downtimeRoutes({ downtime, kpi, queries }: RouteDeps): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/v1/downtime',
      summary: 'Stops in planned time that overlap the range, each as a whole, newest first.',
      access: 'read',
      query: stopQuery,
      response: z.strictObject({ stops: z.array(downtimeStop), ...nextField }),
      problems: [404],
      async handle({ query, nowMs }, request, reply) {
        const scope = readScope(kpi.scope, query.scope);
        const { fromMs, toMs } = readRange(query, nowMs, maxRangeMs);
        const { state, unexplained } = query;
        const isUnexplained = unexplained === '1';
        const stops = await queries.run(() => downtime.stops({ scope, fromMs, toMs, state, isUnexplained, nowMs }));
        const { rows, next } = pageOf(stops, newestFirst, query, stopPage);
        linkNext(request, reply, next);
        return { stops: rows, next };
      },
    }),
    route({
      method: 'PATCH',
      path: '/api/v1/downtime/{id}',
      summary:
        'Corrects a stop: reason, split, merge, or takes a correction back. The answer is the stops that come of it; figures follow.',
      access: 'operate',
      params: stopParams,
      body: downtimeChange,
      response: z.strictObject({ stops: z.array(downtimeStop) }),
      problems: [409, 503],
      async handle({ params, body, identity, nowMs }) {
        return { stops: await queries.run(() => downtime.change(params.id, body, identity?.name ?? '', nowMs)) };
      },
    }),
    route({
      method: 'GET',
      path: '/api/v1/downtime/{id}/history',
      summary: 'Who said what about a stop, and when: every entry, oldest first.',
      access: 'read',
      params: stopParams,
      query: z.strictObject(pageFields(entryPage)),
      response: z.strictObject({ entries: z.array(downtimeEntry), ...nextField }),
      async handle({ params, query, nowMs }, request, reply) {
        const entries = await queries.run(() => downtime.history(params.id, nowMs));
        const { rows, next } = pageOf(entries, ({ id }) => id, query, entryPage);
        linkNext(request, reply, next);
        return { entries: rows, next };
      },
    }),
    route({
      method: 'GET',
      path: '/api/v1/downtime-reasons',
      summary: 'The standard reasons of stops, and the codes of this plant that mean them.',
      access: 'read',
      query: z.strictObject(pageFields(reasonPage)),
      response: z.strictObject({ reasons: z.array(reasonView), ...nextField }),
      handle({ query }, request, reply) {
        const reasons = downtime.reasons();
        const keyed = new Map(reasons.map((reason, i) => [reason, String(i).padStart(3, '0')]));
        const { rows, next } = pageOf(reasons, (reason) => keyed.get(reason) ?? '', query, reasonPage);
        linkNext(request, reply, next);
        return { reasons: rows, next };
      },
    }),
  ];
}

/** By start, newest first, then machine: times have at most 13 digits for a long time. */
function newestFirst({ from, machine }: { readonly from: number; readonly machine: string }): string {
  return `${String(1e15 - from).padStart(16, '0')} ${machine}`;
}
