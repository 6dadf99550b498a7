import { type PeriodKind, periodKinds } from '@nhip/core/kpi/periods';
import { HttpProblem } from '@nhip/core/process/http-problem';
import { z } from 'zod';
import { kpiRow } from '../kpi-schemas.ts';
import { linkNext, nextField, pageFields, readLimit } from '../page.ts';
import { type Route, route } from '../route.ts';
import { readScope, scopeField } from '../scope-field.ts';
import { rangeFields, readRange } from '../time-range.ts';
import { placeText, readPlace } from '../timed-page.ts';
import type { RouteDeps } from './deps.ts';

const dayMs = 86_400_000;
/** A year of days, and some; a month of hours. */
const longest: Readonly<Record<PeriodKind | 'range', number>> = {
  range: 400 * dayMs,
  hour: 32 * dayMs,
  shift: 400 * dayMs,
  day: 400 * dayMs,
  week: 1100 * dayMs,
  month: 1100 * dayMs,
};
const kpiPage = { most: 2000, usual: 1000 };

const kpiQuery = z.strictObject({
  scope: scopeField,
  ...rangeFields,
  by: z
    .enum(periodKinds)
    .optional()
    .describe(
      'A row for each of these periods that the range touches, each as a whole: days begin at `dayStart` of the plant. Absent: one row for the range',
    ),
  children: z.enum(['0', '1']).default('0').describe('1: also the lines of a site, or the machines of a line, behind each row'),
  ...pageFields(kpiPage),
});

/** OEE and what it is made of. */
export function kpiRoutes({ kpi, queries }: RouteDeps): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/v1/kpi',
      summary:
        'Figures of ISO 22400-2 with the sums that they are made from, of a site, line or machine, oldest first. Late data restates them.',
      access: 'read',
      query: kpiQuery,
      response: z.strictObject({ rows: z.array(kpiRow), ...nextField }),
      problems: [404, 503],
      async handle({ query, nowMs }, request, reply) {
        const { by } = query;
        const scope = readScope(kpi.scope, query.scope);
        const limit = readLimit(query.limit, kpiPage);
        const place = readPlace(query.cursor, () => readRange(query, nowMs, longest[by ?? 'range']));
        if (place.fromMs >= nowMs) throw new HttpProblem(400, 'from is in the future: there are figures only of what has happened.');
        const { skip } = place;
        const page = { fromMs: place.fromMs, toMs: place.toMs, skip, limit };
        const { rows, isMore } = await queries.run(() => kpi.rows({ ...page, scope, by, hasChildren: query.children === '1', nowMs }));
        const next = isMore ? placeText({ ...place, skip: skip + limit }) : null;
        linkNext(request, reply, next);
        return { rows, next };
      },
    }),
  ];
}
