import { z } from 'zod';
import { type Route, route } from '../route.ts';
import type { RouteDeps } from './deps.ts';

const count = (what: string) => z.number().describe(what);

const upkeepStatus = z.strictObject({
  state: z.enum(['idle', 'running']).describe('Whether a round is running now'),
  waitingSlices: count('Days, or hours of a large one, that wait to be moved to files'),
  waitingLateSamples: count('Late samples of days that have files, too few yet to write one again'),
  lastEndMs: z.number().nullable().describe('Begin of the last round that came to its end, ms UTC; null: none since the start'),
  problem: z.string().nullable().describe('Why the last round failed; null: it did not'),
  slices: count('Moved since the start'),
  lateSlices: count('Of them, written again for samples that came late'),
  movedSamples: count('Samples moved to files since the start'),
  expiredFiles: count('Files deleted by retention since the start'),
  expiredSamples: count('Samples deleted by retention since the start'),
  coldFiles: count('Files that are there'),
  coldSamples: count('Samples in them'),
  coldBytes: count('Their size, roll-ups included'),
  coldToMs: z.number().nullable().describe('End of the newest day in files, ms UTC; null: there is none'),
});

/** What keeps the history, and its upkeep. */
export function storeRoutes({ store }: RouteDeps): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/v1/store',
      summary: 'What keeps the history, and how moving closed days to files is doing.',
      access: 'read',
      response: z.strictObject({
        name: z.string().describe('Type of the store'),
        durability: z.enum(['D3', 'D2', 'D1']).describe('Class of its promise'),
        upkeep: upkeepStatus.nullable().describe('null: this store keeps itself'),
      }),
      handle: () => ({ name: store.name, durability: store.durability.class, upkeep: store.upkeep?.status() ?? null }),
    }),
  ];
}
