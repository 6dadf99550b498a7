import { connections } from '@nhip/core/wire/vocabulary';
import { z } from 'zod';
import { prometheusText, prometheusType } from '../prometheus.ts';
import { type Route, route } from '../route.ts';
import type { RouteDeps } from './deps.ts';

const edgeHealth = z.strictObject({
  id: z.string().describe('`<group>/<edge>`'),
  online: z.boolean().describe('Its session is open'),
  since: z.number().nullable().describe('Since when'),
  lastSeen: z.number().nullable().describe('When its last message arrived'),
  lagMs: z.number().nullable().describe('Arrival minus sample time of its last live batch'),
  outboxRecords: z.number().nullable().describe('Samples that wait on its disk'),
  devices: z.array(
    z.strictObject({ id: z.string().describe('Machine id'), connection: z.enum(connections).describe('How it is reached') }),
  ),
});

const pipelineStats = z.strictObject({
  received: z.number().describe('Samples received'),
  stored: z.number().describe('Samples stored'),
  repeated: z.number().describe('Samples that had been stored before'),
  deadLettered: z.number().describe('Samples that could not be used'),
  evicted: z.number().describe('Records given up because of a quota'),
  lagMs: z.number().describe('Age of the oldest record that is not stored yet'),
});

/** How the pipeline, the edges and this service itself are doing. */
export function healthRoutes({ stats, edges, notReady, metrics }: RouteDeps): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/v1/stats',
      summary: 'The pipeline in numbers since the process started.',
      access: 'read',
      response: pipelineStats,
      handle: () => stats(),
    }),
    route({
      method: 'GET',
      path: '/api/v1/health/edges',
      summary: 'Connection health of every edge agent.',
      access: 'read',
      response: z.strictObject({ edges: z.array(edgeHealth) }),
      handle: () => ({ edges: edges() }),
    }),
    route({
      method: 'GET',
      path: '/metrics',
      summary: 'Figures for Prometheus.',
      access: 'read',
      response: null,
      contentTypes: ['text/plain'],
      handle: (_input, _request, reply) => reply.type(prometheusType).send(prometheusText(metrics())),
    }),
    route({
      method: 'GET',
      path: '/health/live',
      summary: 'The process answers.',
      access: 'open',
      response: z.strictObject({ live: z.literal(true) }),
      handle: () => ({ live: true as const }),
    }),
    route({
      method: 'GET',
      path: '/health/ready',
      summary: 'Whether the service can serve: 200, or 503 with what is missing.',
      access: 'open',
      response: z.strictObject({ ready: z.boolean(), problems: z.array(z.string()) }),
      handle(_input, _request, reply) {
        const problems = notReady();
        reply.code(problems.length === 0 ? 200 : 503);
        return { ready: problems.length === 0, problems };
      },
    }),
  ];
}
