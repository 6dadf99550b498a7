import { createReadStream } from 'node:fs';
import { z } from 'zod';
import { HttpProblem } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { rangeFields, readRange } from '../time-range.ts';
import type { RouteDeps } from './deps.ts';

const maxRangeMs = 400 * 86_400_000;
const types = { parquet: 'application/vnd.apache.parquet', csv: 'text/csv; charset=utf-8' } as const;

const exportQuery = z.strictObject({
  ...rangeFields,
  machine: z.string().min(1).max(200).optional().describe('Only this machine `<group>/<edge>/<device>`'),
  metric: z.string().min(1).max(256).optional().describe('Only this metric'),
  format: z.enum(['parquet', 'csv']).default('parquet').describe('Kind of file'),
});

/** Raw samples of many machines as one file. One export at a time: it may take minutes and room on the disk. */
export function exportRoutes({ store }: RouteDeps): readonly Route[] {
  const { exportSamples } = store;
  if (exportSamples === undefined) return [];
  let isRunning = false;
  return [
    route({
      method: 'GET',
      path: '/api/v1/export',
      summary: 'All samples of a time as one file, Parquet or CSV, sorted by machine, metric and time. One export at a time.',
      access: 'read',
      query: exportQuery,
      response: null,
      contentTypes: ['application/vnd.apache.parquet', 'text/csv'],
      async handle({ query, nowMs }, _request, reply) {
        const { fromMs, toMs } = readRange(query, nowMs, maxRangeMs);
        if (isRunning) throw new HttpProblem(409, 'Another export is running: try again when it is done.');
        isRunning = true;
        try {
          const { machine, metric, format } = query;
          const signal = abortWith(reply.raw);
          const { file, bytes, dispose } = await exportSamples({ fromMs, toMs, machine, metric, format, signal });
          // Who has the file open can read it to its end.
          const stream = createReadStream(file);
          stream.once('open', () => void dispose()).once('error', () => void dispose());
          const name = `nhip-${new Date(fromMs).toISOString().slice(0, 10)}.${format}`;
          return reply
            .type(types[format])
            .header('content-length', bytes)
            .header('content-disposition', `attachment; filename="${name}"`)
            .send(stream);
        } finally {
          isRunning = false;
        }
      },
    }),
  ];
}

/** Aborts when the caller goes away before the answer is there. */
function abortWith(raw: { once(event: 'close', listener: () => void): unknown }): AbortSignal {
  const gone = new AbortController();
  raw.once('close', () => gone.abort());
  return gone.signal;
}
