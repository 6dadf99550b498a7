import { z } from 'zod';
import { type Route, route } from '../route.ts';
import { rangeFields, readRange } from '../time-range.ts';
import type { RouteDeps } from './deps.ts';

const maxRangeMs = 400 * 86_400_000;

const exportQuery = z.strictObject({
  ...rangeFields,
  machine: z.string().min(1).max(200).optional().describe('Only this machine `<group>/<edge>/<device>`'),
  metric: z.string().min(1).max(256).optional().describe('Only this metric'),
  format: z.enum(['parquet', 'csv']).default('parquet').describe('Kind of file'),
});

/** Raw samples of many machines as one file. */
export function exportRoutes({ exports }: RouteDeps): readonly Route[] {
  if (exports === undefined) return [];
  return [
    route({
      method: 'GET',
      path: '/api/v1/export',
      summary: 'All samples of a time as one file, Parquet or CSV, sorted by machine, metric and time. One export at a time.',
      access: 'read',
      query: exportQuery,
      response: null,
      contentTypes: ['application/vnd.apache.parquet', 'text/csv'],
      problems: [409, 503],
      handle({ query, nowMs }, _request, reply) {
        const range = readRange(query, nowMs, maxRangeMs);
        const { machine, metric, format } = query;
        return exports.send(reply, { ...range, machine, metric, format }, `nhip-${new Date(range.fromMs).toISOString().slice(0, 10)}`);
      },
    }),
  ];
}
