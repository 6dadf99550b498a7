import { z } from 'zod';
import { HttpProblem } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { machineParams, machineView, metricView } from '../schemas.ts';
import type { RouteDeps } from './deps.ts';

/** Current values. */
export function machineRoutes({ hub }: RouteDeps): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/v1/machines',
      summary: 'All machines with their current state and figures.',
      access: 'read',
      response: z.strictObject({ machines: z.array(machineView) }),
      handle: () => ({ machines: hub.machines() }),
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
      summary: 'The newest value of every metric of a device.',
      access: 'read',
      params: machineParams,
      response: z.strictObject({ metrics: z.array(metricView) }),
      handle({ params }) {
        return { metrics: hub.metrics(params.id) ?? notFound(params.id) };
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
