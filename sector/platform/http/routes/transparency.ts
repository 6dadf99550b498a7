import { HttpProblem } from '@nhip/core/process/http-problem';
import { z } from 'zod';
import type { MachineStates } from '../../status/machine-states.ts';
import { arrivedSchema, arrivedStates } from '../../status/routes.ts';
import type { AccessLog } from '../../store/access-log.ts';
import type { Quarantine } from '../../store/quarantine.ts';
import type { Reports } from '../../store/reports.ts';
import { enterpriseOf, recordRead } from '../caller.ts';
import { type Route, route } from '../route.ts';
import {
  accessEntry,
  count,
  establishmentId,
  moment,
  receiptSchema,
  refusedReport,
  reportId,
  reportSchema,
  seriesKey,
  storedReport,
} from '../schemas.ts';

const maxRows = 500;
const usualRows = 100;
const largest = Number.MAX_SAFE_INTEGER;

const limit = count(maxRows).optional().describe(`Rows at most, up to ${maxRows}. Default ${usualRows}`);
const asOf = moment.optional().describe('As the platform knew it at this moment; absent: now');
const byReportId = z.strictObject({ reportId });

export interface TransparencyDeps {
  readonly reports: Reports;
  readonly quarantine: Quarantine;
  readonly accessLog: AccessLog;
  readonly states: MachineStates;
}

/** What the platform holds about an enterprise, for that enterprise; another's is not found. Every read is logged. */
export function transparencyRoutes({ reports, quarantine, accessLog, states }: TransparencyDeps): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/reports',
      summary: 'Own reports: of each period the newest revision, or the one that was known at a moment; newest arrival first',
      tag: 'transparency',
      access: 'reports:read',
      query: z.strictObject({
        establishmentId: establishmentId.optional(),
        from: moment.optional().describe('Periods that begin at or after it'),
        to: moment.optional().describe('Periods that begin before it'),
        asOf,
        limit,
        before: count(largest).optional().describe('leafIndex of the last row of the page before'),
      }),
      answers: {
        200: { words: 'A page of reports', schema: z.strictObject({ reports: z.array(storedReport).describe('Without their bytes') }) },
      },
      async handle({ query, caller }) {
        const rows = await reports.list(enterpriseOf(caller), {
          establishmentId: query.establishmentId,
          from: dateOf(query.from),
          to: dateOf(query.to),
          asOf: dateOf(query.asOf),
          before: query.before === undefined ? undefined : Number(query.before),
          limit: limitOf(query.limit),
        });
        await recordRead(
          accessLog,
          caller,
          'list reports',
          query.asOf === undefined ? 'reports' : `reports as of ${query.asOf}`,
          rows.length,
        );
        return { reports: rows };
      },
    }),
    route({
      method: 'GET',
      path: '/v1/reports/{reportId}',
      summary: 'A report, byte for byte as it was sent',
      tag: 'transparency',
      access: 'reports:read',
      params: byReportId,
      answers: { 200: { words: 'The stored bytes; ETag is their digest', schema: reportSchema } },
      async handle({ params, caller }, _request, reply) {
        const found = await reports.body(enterpriseOf(caller), params.reportId);
        await recordRead(accessLog, caller, 'read report', params.reportId, found === undefined ? 0 : 1);
        if (found === undefined) throw notFound();
        return reply.type('application/json').header('etag', `"${found.digest}"`).send(found.bytes);
      },
    }),
    route({
      method: 'GET',
      path: '/v1/reports/{reportId}/receipt',
      summary: 'The receipt of a report, the same bytes for ever',
      tag: 'transparency',
      access: 'reports:read',
      params: byReportId,
      answers: { 200: { words: 'The signed receipt', schema: receiptSchema } },
      async handle({ params, caller }, _request, reply) {
        const receipt = await reports.receipt(enterpriseOf(caller), params.reportId);
        await recordRead(accessLog, caller, 'read receipt', params.reportId, receipt === undefined ? 0 : 1);
        if (receipt === undefined) throw notFound();
        return reply.type('application/json').send(receipt);
      },
    }),
    route({
      method: 'GET',
      path: '/v1/series/{key}/reports',
      summary: 'Revisions of a series, oldest first; with asOf the one that was current then',
      tag: 'transparency',
      access: 'reports:read',
      params: z.strictObject({ key: seriesKey }),
      query: z.strictObject({ asOf }),
      answers: { 200: { words: 'Revisions', schema: z.strictObject({ reports: z.array(storedReport).describe('Without their bytes') }) } },
      async handle({ params, query, caller }) {
        const rows = await reports.series(enterpriseOf(caller), params.key, dateOf(query.asOf));
        await recordRead(accessLog, caller, 'list revisions', params.key, rows.length);
        if (rows.length === 0 && query.asOf === undefined) throw notFound();
        return { reports: rows };
      },
    }),
    route({
      method: 'GET',
      path: '/v1/me/refused',
      summary: 'Own reports that were refused, and why; newest first',
      tag: 'transparency',
      access: 'reports:read',
      answers: {
        200: { words: 'What is kept', schema: z.strictObject({ refused: z.array(refusedReport).describe('Without their bytes') }) },
      },
      async handle({ caller }) {
        const refused = await quarantine.list(enterpriseOf(caller));
        await recordRead(accessLog, caller, 'list refused reports', 'refused reports', refused.length);
        return { refused };
      },
    }),
    route({
      method: 'GET',
      path: '/v1/me/access-log',
      summary: 'Who read rows of the own enterprise, why, what and when; newest first. And how many machine states arrived',
      tag: 'transparency',
      access: 'reports:read',
      query: z.strictObject({ limit, before: count(largest).optional().describe('entryId of the last row of the page before') }),
      answers: {
        200: {
          words: 'A page of entries',
          schema: z.strictObject({
            entries: z.array(accessEntry).describe('Newest first'),
            machineStatus: arrivedSchema.describe('Machine states that arrived, by day'),
          }),
        },
      },
      async handle({ query, caller }) {
        const beforeId = query.before === undefined ? undefined : Number(query.before);
        const entries = await accessLog.list(enterpriseOf(caller), { beforeId, limit: limitOf(query.limit) });
        return {
          entries: entries.map(({ enterpriseId: _, ...entry }) => entry),
          machineStatus: await arrivedStates(states, enterpriseOf(caller)),
        };
      },
    }),
  ];
}

/** The same whether it is another's or nobody's. */
function notFound(): HttpProblem {
  return new HttpProblem(404, 'The own enterprise has no such report here.');
}

function limitOf(text: string | undefined): number {
  return Math.max(1, text === undefined ? usualRows : Number(text));
}

function dateOf(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text);
}
