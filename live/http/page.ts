import { HttpProblem } from '@nhip/core/process/http-problem';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

/**
 * Every list is read the same way: at most `limit` rows, and while there are more, `next`, which is sent as `cursor` for the rows
 * behind them. The same stands in the header `Link` (RFC 8288, rel="next") as a whole address, for answers that are no JSON.
 */
export interface PageLimits {
  readonly most: number;
  readonly usual: number;
}

/** Query fields of a list. */
export function pageFields({ most, usual }: PageLimits) {
  return {
    limit: z
      .string()
      .max(10)
      .optional()
      .meta({ type: 'integer', minimum: 1, maximum: most, default: usual, maxLength: undefined })
      .describe(`Rows at most, up to ${most}. Default ${usual}`),
    cursor: z.string().max(1000).optional().describe('`next` of the page before, as it is; without it the list begins'),
  };
}

/** Field of an answer that is a list. */
export const nextField = { next: z.string().nullable().describe('There is more: send it as `cursor`; null: that was all') };

/** Throws a 400. */
export function readLimit(text: string | undefined, { most, usual }: PageLimits): number {
  const limit = text === undefined ? usual : /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= most) return limit;
  throw new HttpProblem(400, `limit must be 1 to ${most}: for more, send \`next\` of each answer as cursor.`);
}

/** What a cursor means; undefined without one. Throws a 400 for one that we did not make. */
export function readCursor<Content>(text: string | undefined, schema: z.ZodType<Content>): Content | undefined {
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
  } catch {
    throw new HttpProblem(400, 'cursor is not the `next` of a page of this list: begin again without it.');
  }
}

export function cursorText(content: unknown): string {
  return Buffer.from(JSON.stringify(content)).toString('base64url');
}

/** Tells in the header `Link` where the next page is; nothing on the last one. */
export function linkNext(request: FastifyRequest, reply: FastifyReply, next: string | null): void {
  if (next === null) return;
  const url = new URL(request.url, 'http://localhost');
  url.searchParams.set('cursor', next);
  reply.header('link', `<${url.pathname}${url.search}>; rel="next"`);
}

const afterKey = z.tuple([z.string()]);

export interface PageQuery {
  readonly limit?: string | undefined;
  readonly cursor?: string | undefined;
}

/** A page of a list that is in memory, sorted by key: rows that come or go between two pages move no others. */
export function pageOf<Row>(
  rows: readonly Row[],
  keyOf: (row: Row) => string,
  query: PageQuery,
  limits: PageLimits,
): { readonly rows: readonly Row[]; readonly next: string | null } {
  const limit = readLimit(query.limit, limits);
  const [after] = readCursor(query.cursor, afterKey) ?? [];
  const sorted = [...rows].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0));
  const rest = after === undefined ? sorted : sorted.filter((row) => keyOf(row) > after);
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  return { rows: page, next: rest.length > limit && last !== undefined ? cursorText([keyOf(last)]) : null };
}
