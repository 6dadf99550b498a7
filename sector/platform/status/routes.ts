import { HttpProblem } from '@nhip/core/process/http-problem';
import { z } from 'zod';
import { parseStrictJson } from '../../contract/strict-json.ts';
import { enterpriseOf, recordRead } from '../http/caller.ts';
import { type Route, route } from '../http/route.ts';
import { count } from '../http/schemas.ts';
import type { AccessLog } from '../store/access-log.ts';
import type { Agreements } from '../store/agreements.ts';
import type { Tenants } from '../store/tenants.ts';
import { type EventRefusal, eventSchema, judgeEvent, type MachineEvent, otherContent } from './machine-event.ts';
import type { MachineStates } from './machine-states.ts';

export interface StatusDeps {
  readonly states: MachineStates;
  readonly tenants: Pick<Tenants, 'find'>;
  readonly agreements: Pick<Agreements, 'records'>;
  readonly accessLog: AccessLog;
  now(): number;
}

export const eventsType = 'application/cloudevents-batch+json';
const maxBatch = 500;
const maxRows = 500;
const usualRows = 100;
const dayMs = 86_400_000;

const event = z.looseObject({}).meta(eventSchema);
const refusal = z.strictObject({
  index: z.number().int().describe('Which event of the batch; the first is 0'),
  code: z
    .string()
    .describe(
      'SCHEMA: does not fit; foreign: of another enterprise; establishment: not registered; future; tooOld; agreement: none that is in force covers it; otherContent: its id is taken',
    ),
  pointer: z.string().describe('JSON Pointer into the event'),
  message: z.strictObject({ vi: z.string().describe('Tiếng Việt'), en: z.string().describe('English') }).describe('For people'),
});
const result = z.strictObject({
  accepted: z.number().int().describe('Kept now'),
  repeated: z.number().int().describe('Were here before'),
  refused: z.array(refusal).describe('Will never be taken as they are: do not send them again'),
});

/** Arrivals by day, and for how long events are kept; also part of the access log's answer. */
export const arrivedSchema = z.strictObject({
  keepDays: z.number().describe('Events are deleted when their state began so many days ago'),
  arrived: z
    .array(
      z.strictObject({
        day: z.string().describe('Day of arrival in Việt Nam'),
        establishmentId: z.string().describe('Establishment'),
        events: z.number().int().describe('How many arrived; stays when they are deleted'),
        lastAt: z.string().describe('The last one'),
      }),
    )
    .describe('Newest day first'),
});

/** What arrived of an enterprise's machine states, as `arrivedSchema`. */
export async function arrivedStates(states: MachineStates, enterpriseId: string) {
  return { keepDays: states.keepMs / dayMs, arrived: await states.arrived(enterpriseId) };
}

/** Intake of machine states, and what is held of them for the enterprise itself. */
export function statusRoutes({ states, tenants, agreements, accessLog, now }: StatusDeps): readonly Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/machine-status/events',
      summary: `Sends states of machines, at most ${maxBatch} events: only with consent, under pseudonyms. Each event is judged alone`,
      tag: 'intake',
      access: 'status:submit',
      body: z.array(event).min(1).max(maxBatch) as unknown as z.ZodType<Buffer>,
      bodyType: 'raw',
      bodyContentType: eventsType,
      answers: {
        202: { words: 'All are kept; none was refused', schema: result },
        207: { words: 'Some were refused', schema: result },
      },
      problems: [429, 503],
      async handle({ body, caller }, _request, reply) {
        const enterpriseId = enterpriseOf(caller);
        const items = itemsOf(body);
        // Not from a cache: a revocation holds at once.
        const [enterprise, agreed] = await Promise.all([tenants.find(enterpriseId), agreements.records(enterpriseId)]);
        const establishmentIds = new Set(enterprise?.establishments.map(({ establishmentId }) => establishmentId));
        const context = { enterpriseId, establishmentIds, agreements: agreed, nowMs: now(), keepMs: states.keepMs };
        const refused: (EventRefusal & { readonly index: number })[] = [];
        const good: { readonly index: number; readonly event: MachineEvent }[] = [];
        for (const [index, item] of items.entries()) {
          const verdict = judgeEvent(item, context);
          if (verdict.ok) good.push({ index, event: verdict.event });
          else refused.push({ index, ...verdict.refusal });
        }
        const events = good.map((each) => each.event);
        const kept = events.length === 0 ? ({ kind: 'kept', outcomes: [] } as const) : await states.keep(enterpriseId, events);
        if (kept.kind === 'full') {
          const detail = 'Too many machine states of this enterprise today: send the rest later.';
          throw new HttpProblem(429, detail, { 'retry-after': '3600' });
        }
        for (const [i, { index }] of good.entries()) if (kept.outcomes[i] === 'conflict') refused.push({ index, ...otherContent });
        const times = (outcome: string): number => kept.outcomes.filter((each) => each === outcome).length;
        refused.sort((a, b) => a.index - b.index);
        return reply.code(refused.length === 0 ? 202 : 207).send({ accepted: times('accepted'), repeated: times('repeated'), refused });
      },
    }),
    route({
      method: 'GET',
      path: '/v1/me/machine-status',
      summary: 'States of own machines that are kept, newest arrival first, and how many arrived by day',
      tag: 'transparency',
      access: 'reports:read',
      query: z.strictObject({
        limit: count(maxRows).optional().describe(`Rows at most, up to ${maxRows}. Default ${usualRows}`),
        before: count(Number.MAX_SAFE_INTEGER).optional().describe('entryId of the last row of the page before'),
      }),
      answers: {
        200: {
          words: 'A page of events',
          schema: z.strictObject({
            ...arrivedSchema.shape,
            events: z
              .array(
                z.strictObject({
                  entryId: z.number().int().describe('Of this entry; send it as `before` for older ones'),
                  establishmentId: z.string().describe('Establishment'),
                  eventId: z.string().describe('id of the event'),
                  receivedAt: z.string().describe('When it arrived'),
                  data: z.looseObject({}).describe('The machine status of the contract'),
                }),
              )
              .describe('Newest first'),
          }),
        },
      },
      async handle({ query, caller }) {
        const enterpriseId = enterpriseOf(caller);
        const limit = Math.max(1, query.limit === undefined ? usualRows : Number(query.limit));
        const beforeId = query.before === undefined ? undefined : Number(query.before);
        const rows = await states.list(enterpriseId, { beforeId, limit });
        await recordRead(accessLog, caller, 'list machine states', 'machine states', rows.length);
        const events = rows.map(({ data, ...row }) => ({ ...row, data: JSON.parse(data) as object }));
        return { ...(await arrivedStates(states, enterpriseId)), events };
      },
    }),
  ];
}

function itemsOf(body: Buffer): readonly unknown[] {
  const value = parsed(body);
  if (!Array.isArray(value)) throw new HttpProblem(400, 'The body is no JSON array of events.');
  if (value.length === 0 || value.length > maxBatch) throw new HttpProblem(413, `${value.length} events: send 1 to ${maxBatch} at once.`);
  return value;
}

function parsed(body: Buffer): unknown {
  try {
    return parseStrictJson(body.toString('utf8'));
  } catch {
    throw new HttpProblem(400, 'The body is no JSON, or has a key twice.');
  }
}
