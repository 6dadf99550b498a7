import { z } from 'zod';
import { readStates } from '../../state-history.ts';
import { linkNext, nextField, pageFields, pageOf } from '../page.ts';
import { type Route, route } from '../route.ts';
import { machineParams, stateInterval } from '../schemas.ts';
import { rangeFields, readRange } from '../time-range.ts';
import type { RouteDeps } from './deps.ts';
import { notFound } from './machines.ts';

const maxRangeMs = 31 * 86_400_000;
const rangeQuery = z.strictObject(rangeFields);
const machinePage = { most: 10_000, usual: 1000 };

/** What machines did, as contiguous intervals. */
export function stateRoutes({ hub, store, queries, unknownAfterMs }: RouteDeps): readonly Route[] {
  /** The future is not known yet: intervals end at now. */
  function rangeOf(query: z.infer<typeof rangeQuery>, nowMs: number) {
    const { fromMs, toMs } = readRange(query, nowMs, maxRangeMs);
    return { fromMs, toMs: Math.min(toMs, nowMs), unknownAfterMs };
  }
  return [
    route({
      method: 'GET',
      path: '/api/v1/machines/{id}/states',
      summary: 'What one machine did: contiguous intervals, oldest first. Time without data is `unknown`.',
      access: 'read',
      params: machineParams,
      query: rangeQuery,
      response: z.strictObject({ intervals: z.array(stateInterval) }),
      async handle({ params, query, nowMs }) {
        if (hub.machine(params.id) === undefined) notFound(params.id);
        const range = rangeOf(query, nowMs);
        const states = await queries.run(() => readStates(store, [params.id], range));
        return { intervals: [...(states.get(params.id) ?? [])] };
      },
    }),
    route({
      method: 'GET',
      path: '/api/v1/states',
      summary: 'What every machine did, by machine id.',
      access: 'read',
      query: rangeQuery.extend(pageFields(machinePage)),
      response: z.strictObject({ machines: z.record(z.string(), z.array(stateInterval)), ...nextField }),
      async handle({ query, nowMs }, request, reply) {
        const range = rangeOf(query, nowMs);
        const { rows, next } = pageOf(hub.machines(), ({ id }) => id, query, machinePage);
        const ids = rows.map(({ id }) => id);
        // One place in the queue for all: a board with many machines must not push other queries out.
        const machines = Object.fromEntries(await queries.run(() => readStates(store, ids, range)));
        linkNext(request, reply, next);
        return { machines, next };
      },
    }),
  ];
}
