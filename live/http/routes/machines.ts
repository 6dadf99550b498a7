import { HttpProblem } from '@nhip/core/process/http-problem';
import { z } from 'zod';
import { linkNext, nextField, pageFields, pageOf } from '../page.ts';
import { type Route, route } from '../route.ts';
import { machineParams, machineView, metricView } from '../schemas.ts';
import type { RouteDeps } from './deps.ts';

const machinePage = { most: 10_000, usual: 1000 };
const metricPage = { most: 5000, usual: 5000 };

/** Current values. */
export function machineRoutes({ hub }: RouteDeps): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/v1/machines',
      summary: 'All machines with their current state and figures, by id.',
      access: 'read',
      query: z.strictObject(pageFields(machinePage)),
      response: z.strictObject({ machines: z.array(machineView), ...nextField }),
      handle({ query }, request, reply) {
        const { rows, next } = pageOf(hub.machines(), ({ id }) => id, query, machinePage);
        linkNext(request, reply, next);
        return { machines: rows, next };
      },
    }),
    route({
      method: 'GET',
      path: '/api/v1/machines/{id}',
      summary: 'One machine with its current state and figures.',
      access: 'read',
      params: machineParams,
      response: machineView,
      handle({ params }) {
        return hub.machine(params.id) ?? notFound(params.id);
      },
    }),
    route({
      method: 'GET',
      path: '/api/v1/machines/{id}/metrics',
      summary: 'The newest value of every metric of a device, by name.',
      access: 'read',
      params: machineParams,
      query: z.strictObject(pageFields(metricPage)),
      response: z.strictObject({ metrics: z.array(metricView), ...nextField }),
      handle({ params, query }, request, reply) {
        const { rows, next } = pageOf(hub.metrics(params.id) ?? notFound(params.id), ({ name }) => name, query, metricPage);
        linkNext(request, reply, next);
        return { metrics: rows, next };
      },
    }),
  ];
}

export function notFound(machine: string): never {
  throw new HttpProblem(
    404,
    `No machine "${machine.slice(0, 200)}": see /api/v1/machines. Write the id percent-encoded, e.g. group%2Fedge%2Fdevice.`,
  );
}
