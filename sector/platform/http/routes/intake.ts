import { HttpProblem } from '@nhip/core/process/http-problem';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Answer, Intake } from '../../intake/intake.ts';
import { splitArray } from '../../intake/split-array.ts';
import { enterpriseOf } from '../caller.ts';
import { findingSchema, findingsProblem, problemDocument, problemType } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { receiptSchema, reportSchema } from '../schemas.ts';

export const maxBatch = 500;

const statusOf = { accepted: 201, repeated: 200, tooLarge: 413, foreign: 403, refused: 422, conflict: 409 } as const satisfies Record<
  Answer['kind'],
  number
>;

const batchResult = z.strictObject({
  results: z
    .array(
      z.strictObject({
        status: z.number().int().describe('What the report alone would have been answered with'),
        receipt: receiptSchema.optional().describe('Of an accepted or repeated report'),
        problem: problemDocument.optional().describe('Of a refused one'),
      }),
    )
    .describe('One for each report, in their order'),
});

export function intakeRoutes(intake: Intake): readonly Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/reports',
      summary: `Sends a report, or an array of at most ${maxBatch}: each is judged alone`,
      tag: 'intake',
      access: 'reports:submit',
      body: z.union([reportSchema, z.array(reportSchema).min(1).max(maxBatch)]) as unknown as z.ZodType<Buffer>,
      bodyType: 'raw',
      answers: {
        201: { words: 'Stored; the signed receipt', schema: receiptSchema },
        200: { words: 'These bytes were here before; the first receipt, byte for byte', schema: receiptSchema },
        207: { words: 'Of an array: one result for each report', schema: batchResult },
      },
      problems: [409, 422, 503],
      async handle({ body, caller }, _request, reply) {
        const enterpriseId = enterpriseOf(caller);
        if (firstChar(body) === '[') return sendBatch(reply, await submitBatch(intake, enterpriseId, body));
        return sendOne(reply, await intake.submit(enterpriseId, body));
      },
    }),
    route({
      method: 'POST',
      path: '/v1/reports:validate',
      summary: 'Tells what would be found in a report; stores nothing. The order of its series is not checked',
      tag: 'intake',
      access: 'reports:submit',
      body: reportSchema as unknown as z.ZodType<Buffer>,
      bodyType: 'raw',
      answers: {
        200: {
          words: 'It would be accepted',
          schema: z.strictObject({
            valid: z.literal(true).describe('No error was found'),
            findings: z.array(findingSchema).describe('Warnings'),
          }),
        },
      },
      problems: [422],
      async handle({ body, caller }, _request, reply) {
        const { isValid, findings } = await intake.validate(enterpriseOf(caller), body);
        if (isValid) return { valid: true, findings };
        return reply
          .code(422)
          .type(problemType)
          .send(JSON.stringify(findingsProblem(422, findings)));
      },
    }),
  ];
}

/** All at once, so that they share a commit; reports of one series keep their order. */
async function submitBatch(intake: Intake, enterpriseId: string, body: Buffer): Promise<readonly Answer[]> {
  const text = body.toString('utf8');
  try {
    JSON.parse(text);
  } catch {
    throw new HttpProblem(400, 'The body is no JSON array.');
  }
  const items = splitArray(text);
  if (items.length === 0 || items.length > maxBatch) {
    throw new HttpProblem(413, `${items.length} reports: send 1 to ${maxBatch} at once.`);
  }
  return Promise.all(items.map((item) => intake.submit(enterpriseId, Buffer.from(item, 'utf8'))));
}

function sendOne(reply: FastifyReply, answer: Answer): FastifyReply {
  reply.code(statusOf[answer.kind]);
  if ('receipt' in answer) return reply.type('application/json').send(answer.receipt);
  return reply.type(problemType).send(JSON.stringify(problemOfAnswer(answer)));
}

function sendBatch(reply: FastifyReply, answers: readonly Answer[]): FastifyReply {
  const results = answers.map((answer) => {
    const status = statusOf[answer.kind];
    if ('receipt' in answer) return `{"status":${status},"receipt":${answer.receipt.toString('utf8')}}`;
    return JSON.stringify({ status, problem: problemOfAnswer(answer) });
  });
  return reply
    .code(207)
    .type('application/json')
    .send(`{"results":[${results.join(',')}]}`);
}

function problemOfAnswer(answer: Exclude<Answer, { readonly receipt: Buffer }>) {
  return findingsProblem(statusOf[answer.kind], answer.findings, answer.kind === 'conflict' ? answer.held : undefined);
}

function firstChar(body: Buffer): string {
  return /\S/.exec(body.subarray(0, 100).toString('latin1'))?.[0] ?? '';
}
