import { createReadStream } from 'node:fs';
import { HttpProblem } from '@nhip/core/process/http-problem';
import type { ExportQuery, HistoryStore } from '@nhip/stores/history-store';
import type { FastifyReply } from 'fastify';

const types = { parquet: 'application/vnd.apache.parquet', csv: 'text/csv; charset=utf-8' } as const;

/** Files that the store writes of its samples. One at a time: it may take minutes and room on the disk. */
export interface Exports {
  /** Makes the file and sends it under that name, without what file systems do not like. Throws a 409 while another is made. */
  send(reply: FastifyReply, query: Omit<ExportQuery, 'signal'>, name: string): Promise<FastifyReply>;
}

/** undefined for a store that writes no files. */
export function createExports({ exportSamples }: HistoryStore): Exports | undefined {
  if (exportSamples === undefined) return undefined;
  let isRunning = false;
  return {
    async send(reply, query, name) {
      if (isRunning) throw new HttpProblem(409, 'Another export is running: try again when it is done.', { 'retry-after': '10' });
      isRunning = true;
      try {
        const { file, bytes, dispose } = await exportSamples({ ...query, signal: abortWith(reply.raw) });
        // Who has the file open can read it to its end.
        const stream = createReadStream(file);
        stream.once('open', () => void dispose()).once('error', () => void dispose());
        return reply
          .type(types[query.format])
          .header('content-length', bytes)
          .header('content-disposition', `attachment; filename="${fileName(name, query.format)}"`)
          .send(stream);
      } finally {
        isRunning = false;
      }
    },
  };
}

/** Without what file systems and headers do not like. */
export function fileName(name: string, ending: string): string {
  return `${name}.${ending}`.replaceAll(/[^A-Za-z0-9_.-]+/g, '-');
}

/** Aborts when the caller goes away before the answer is there. */
function abortWith(raw: { once(event: 'close', listener: () => void): unknown }): AbortSignal {
  const gone = new AbortController();
  raw.once('close', () => gone.abort());
  return gone.signal;
}
