import { z } from 'zod';
import { type Route, route } from '../route.ts';

const state = z.strictObject({ ready: z.boolean().describe('The database answers') });

export function serverRoutes(isReady: () => Promise<boolean>): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/health/live',
      summary: 'The process answers',
      tag: 'server',
      access: 'open',
      answers: { 200: { words: 'It does', schema: z.strictObject({ live: z.literal(true).describe('Always') }) } },
      handle: () => ({ live: true }),
    }),
    route({
      method: 'GET',
      path: '/health/ready',
      summary: 'Reports can be taken',
      tag: 'server',
      access: 'open',
      answers: { 200: { words: 'They can', schema: state }, 503: { words: 'Not now', schema: state } },
      async handle(_input, _request, reply) {
        const ready = await isReady();
        return reply.code(ready ? 200 : 503).send({ ready });
      },
    }),
  ];
}
