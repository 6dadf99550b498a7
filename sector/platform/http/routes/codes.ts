import { HttpProblem } from '@nhip/core/process/http-problem';
import { z } from 'zod';
import { isInForce } from '../../../contract/codes/code-list.ts';
import { codeLists, hasMapping, mapCode } from '../../../contract/codes/codes.ts';
import { type Route, route } from '../route.ts';
import { safeText } from '../schemas.ts';

const date = z.iso.date({ error: 'is no date like 2026-03-01' });
const list = safeText(40).min(1).describe('Name of the scheme, e.g. VSIC2025');
const text = z.string();

const head = {
  id: text.describe('Name of the scheme'),
  title: z.strictObject({ vi: text.describe('Tiếng Việt'), en: text.describe('English') }).describe('What it lists'),
  validFrom: text.describe('First date of the list'),
  validTo: text.nullable().describe('Last date; null: still valid'),
  source: text.describe('Where it comes from'),
  isComplete: z.boolean().describe('false: codes of the right form are accepted that are not listed'),
};

const codeList = z.strictObject({
  ...head,
  items: z
    .array(z.strictObject({ code: text.describe('The code'), vi: text.describe('Tiếng Việt'), en: text.describe('English') }))
    .describe('The codes'),
  codes: z.array(text).describe('Further codes, whose names are in the source'),
});

/** The code lists that reports are checked by, for everybody. */
export function codeRoutes(): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/codes',
      summary: 'Code lists, with their dates and sources',
      tag: 'codes',
      access: 'open',
      answers: {
        200: { words: 'All lists', schema: z.strictObject({ lists: z.array(z.strictObject(head)).describe('Without their codes') }) },
      },
      handle: () => ({ lists: [...codeLists.values()].map(headOf) }),
    }),
    route({
      method: 'GET',
      path: '/v1/codes/{list}',
      summary: 'One code list; with validAt only when it is valid on that date',
      tag: 'codes',
      access: 'open',
      params: z.strictObject({ list }),
      query: z.strictObject({ validAt: date.optional().describe('Last day of the reported period') }),
      answers: { 200: { words: 'The list', schema: codeList } },
      handle({ params, query }) {
        const found = find(params.list);
        const { validFrom, validTo, items } = found;
        const { validAt } = query;
        if (validAt !== undefined && !isInForce(found, validAt)) {
          const end = validTo === undefined ? '' : ` to ${validTo}`;
          throw new HttpProblem(404, `${found.id} is not valid on ${validAt}, but from ${validFrom}${end}.`);
        }
        return { ...headOf(found), items: items.map(({ code, vi, en }) => ({ code, vi, en })), codes: found.codes ?? [] };
      },
    }),
    route({
      method: 'GET',
      path: '/v1/codes/{list}/mapping',
      summary: 'What the codes of a list became, or were, in another one',
      tag: 'codes',
      access: 'open',
      params: z.strictObject({ list }),
      query: z.strictObject({ to: list }),
      answers: {
        200: {
          words: 'The mapping',
          schema: z.strictObject({
            from: text.describe('Name of the scheme'),
            to: text.describe('Name of the other scheme'),
            items: z
              .array(z.strictObject({ code: text.describe('A code'), to: z.array(text).describe('Codes of the other scheme') }))
              .describe('One for each code'),
          }),
        },
      },
      handle({ params, query }) {
        const from = find(params.list);
        const to = find(query.to);
        if (!hasMapping(from.id, to.id)) {
          throw new HttpProblem(
            404,
            `There is no mapping from ${from.id} to ${to.id} here: choose the code by the official text of ${to.id}.`,
          );
        }
        return { from: from.id, to: to.id, items: from.items.map(({ code }) => ({ code, to: mapCode(from.id, to.id, code) })) };
      },
    }),
  ];
}

function find(id: string) {
  const found = codeLists.get(id);
  if (found === undefined) throw new HttpProblem(404, `There is no code list ${id.slice(0, 40)}; GET /v1/codes has them all.`);
  return found;
}

function headOf({ id, title, validFrom, validTo, source, isComplete }: ReturnType<typeof find>) {
  return { id, title: { vi: title.vi, en: title.en }, validFrom, validTo: validTo ?? null, source, isComplete };
}
