import { z } from 'zod';
import { linkNext, nextField, pageFields, pageOf } from '../page.ts';
import { prometheusText, prometheusType } from '../prometheus.ts';
import { type Route, route } from '../route.ts';
import { edgeHealth, pipelineStats } from '../schemas.ts';
import type { RouteDeps } from './deps.ts';

const edgePage = { most: 10_000, usual: 1000 };

/** How the pipeline, the edges and this service itself are doing. */
export function healthRoutes({ stats, edges, notReady, metrics }: RouteDeps): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/v1/stats',
      summary: 'The data path behind the edges: counts since the process started, and how it stands now.',
      access: 'read',
      response: pipelineStats,
      handle: () => stats(),
    }),
    route({
      method: 'GET',
      path: '/api/v1/health/edges',
      summary: 'Connection health and delivery of every edge agent, by id.',
      access: 'read',
      query: z.strictObject(pageFields(edgePage)),
      response: z.strictObject({ edges: z.array(edgeHealth), ...nextField }),
      handle({ query }, request, reply) {
        const { rows, next } = pageOf(edges(), ({ id }) => id, query, edgePage);
        linkNext(request, reply, next);
        return { edges: rows, next };
      },
    }),
    route({
      method: 'GET',
      path: '/metrics',
      summary: 'Figures for Prometheus.',
      access: 'metrics',
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
