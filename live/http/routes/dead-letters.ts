import { RetryableError } from '@nhip/core/process/errors';
import { HttpProblem } from '@nhip/core/process/http-problem';
import { z } from 'zod';
import { type Route, route } from '../route.ts';
import type { RouteDeps } from './deps.ts';

/** The dead letters of the running server. */
export interface DeadLetters {
  /**
   * Puts the original messages of the chosen letters back to ingest, behind what waits there; those that are letters again afterwards
   * are not put back a second time. A sample that was stored by an earlier replay is not stored again. Rejects with RetryableError when
   * the log takes nothing now; what was put back until then stays.
   */
  replay(choice: ReplayChoice): Promise<ReplayAnswer>;
}

const replayChoice = z
  .strictObject({
    sourceIndexes: z
      .array(z.int().min(0))
      .min(1)
      .max(1000)
      .optional()
      .describe('Letters by the index of their message in the server’s log'),
    reason: z.string().min(1).max(100).optional().describe('Only letters with this reason'),
    edge: z.string().min(1).max(129).optional().describe('Only letters of this edge, `<group>/<edge>`'),
    from: z.int().min(0).default(0).describe('Where to go on: `next` of the answer before'),
    until: z
      .int()
      .min(0)
      .optional()
      .describe('Where to end: `until` of the answer before. Without it also what was put back before and became a letter again'),
    force: z
      .boolean()
      .default(false)
      .describe('Store samples although their time is out of range, e.g. after the server’s clock was wrong'),
  })
  .refine(({ sourceIndexes, reason }) => sourceIndexes !== undefined || reason !== undefined, 'say sourceIndexes or reason');
export type ReplayChoice = Readonly<z.infer<typeof replayChoice>>;

export const replayAnswer = z.strictObject({
  replayed: z.number().describe('Letters whose message was put back'),
  samples: z.number().describe('Samples that these letters stood for'),
  stored: z.number().nullable().describe('Samples that are stored now because of it; null: ingest is behind and has not come to them'),
  next: z.number().nullable().describe('There are more: ask again with this as `from`, and with `until`; null: that was all'),
  until: z
    .number()
    .optional()
    .describe('Only when there are more: where the letters of the first request ended; what is refused again is behind it'),
});
export type ReplayAnswer = Readonly<z.infer<typeof replayAnswer>>;

/** Dead letters, for whoever may change the server. */
export function deadLetterRoutes({ deadLetters }: RouteDeps): readonly Route[] {
  if (deadLetters === undefined) return [];
  return [
    route({
      method: 'POST',
      path: '/api/v1/dead-letters/replay',
      summary: 'Puts messages that could not be stored back to ingest, e.g. when the birth that they lacked is there now.',
      access: 'operate',
      body: replayChoice,
      response: replayAnswer,
      problems: [503],
      async handle({ body }) {
        try {
          return await deadLetters.replay(body);
        } catch (error) {
          if (error instanceof RetryableError) throw new HttpProblem(503, error.message);
          throw error;
        }
      },
    }),
  ];
}
