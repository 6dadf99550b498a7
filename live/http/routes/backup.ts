import { RetryableError } from '@nhip/core/process/errors';
import { HttpProblem } from '@nhip/core/process/http-problem';
import { z } from 'zod';
import { linkNext, nextField, pageFields, pageOf } from '../page.ts';
import { type Route, route } from '../route.ts';
import type { RouteDeps } from './deps.ts';

/** Backups that the server writes of itself while it runs. */
export interface Backups {
  /** Begins one. Throws RetryableError `backup.running` while another is being written. */
  start(): BackupState;
  /** The finished ones that are still there and the last one, oldest first. */
  list(): Promise<readonly BackupState[]>;
}

export const backupState = z.strictObject({
  id: z.string().describe('Its time, UTC'),
  folder: z.string().describe('Where it is on the server’s computer'),
  startedMs: z.number().describe('When it was begun'),
  state: z.enum(['running', 'done', 'failed']).describe('A failed one leaves nothing behind'),
  doneBytes: z.number().describe('Progress'),
  totalBytes: z.number().describe('About how much there is to do; its size when it is done'),
  problem: z.string().nullable().describe('Why it failed'),
});
export type BackupState = Readonly<z.infer<typeof backupState>>;

const backupPage = { most: 1000, usual: 100 };

/** Backups of the running server. The answers name folders of its computer, so only who may change it sees them. */
export function backupRoutes({ backups }: RouteDeps): readonly Route[] {
  if (backups === undefined) return [];
  return [
    route({
      method: 'GET',
      path: '/api/v1/backups',
      summary: 'Backups that the server wrote, and how the running one is doing, oldest first.',
      access: 'admin',
      query: z.strictObject(pageFields(backupPage)),
      response: z.strictObject({ backups: z.array(backupState), ...nextField }),
      async handle({ query }, request, reply) {
        const { rows, next } = pageOf(await backups.list(), ({ id }) => id, query, backupPage);
        linkNext(request, reply, next);
        return { backups: rows, next };
      },
    }),
    route({
      method: 'POST',
      path: '/api/v1/backups',
      summary:
        'Begins a backup on the server’s own disk, with what was shared and its keys; live values go on meanwhile, the store waits while its file is copied.',
      access: 'admin',
      body: z.strictObject({}),
      response: backupState,
      problems: [409],
      handle() {
        try {
          return backups.start();
        } catch (error) {
          if (error instanceof RetryableError && error.code === 'backup.running') throw new HttpProblem(409, error.message);
          throw error;
        }
      },
    }),
  ];
}
