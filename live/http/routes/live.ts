import { HttpProblem } from '@nhip/core/process/http-problem';
import { z } from 'zod';
import { securityHeaders } from '../origins.ts';
import { type Route, route } from '../route.ts';
import type { RouteDeps } from './deps.ts';

/** The live feed as server-sent events. */
export function liveRoutes({ sse, slots }: RouteDeps): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/v1/live',
      summary: 'Live frames as server-sent events: a snapshot, then what changes, a heartbeat every second.',
      access: 'read',
      query: z.strictObject({ watch: z.string().max(200).optional().describe('A machine whose metric values follow too') }),
      response: null,
      contentTypes: ['text/event-stream'],
      problems: [503],
      handle({ query, identity, nowMs }, _request, reply) {
        if (identity === undefined || slots.isFull)
          throw new HttpProblem(503, 'Too many live viewers: close some, or raise maxViewers.', { 'retry-after': '10' });
        reply.hijack();
        // `close`: the connection ends with the stream, so that stopping the server waits for nobody.
        const headers = {
          ...securityHeaders,
          connection: 'close',
          'content-type': 'text/event-stream',
          'cache-control': 'no-store',
          'x-accel-buffering': 'no',
        };
        reply.raw.writeHead(200, headers);
        sse.open(reply.raw, identity, query.watch, nowMs);
        return undefined;
      },
    }),
  ];
}
