import { HttpProblem } from '@nhip/core/process/http-problem';
import type { ReportState, SharingOverview, SharingPolicyVersion, SharingReport, SharingReportDetail } from '@nhip/core/wire/sharing';
import { z } from 'zod';
import type { Identity } from '../../auth/authenticator.ts';
import { cursorText, linkNext, nextField, pageFields, pageOf, readCursor, readLimit } from '../page.ts';
import { type Route, route } from '../route.ts';
import { sharedProduct, sharingOverview, sharingPolicy, sharingReport, sharingReportDetail, sharingState } from '../sharing-schemas.ts';
import type { RouteDeps } from './deps.ts';

/**
 * The people's desk of the gateway to sector platforms. What it refuses it throws as a SharingRefusal.
 * `by` is the account of a person; only those whom the policy names can approve.
 */
export interface SharingDesk {
  overview(): Promise<SharingOverview>;
  /** Newest first. `before` is `next` of the page before. */
  items(page: {
    readonly recipient?: string;
    readonly states?: readonly ReportState[];
    readonly before?: number;
    readonly limit?: number;
  }): Promise<{ readonly items: readonly SharingReport[]; readonly next?: number }>;
  item(id: string): Promise<SharingReportDetail>;
  /** Agrees to exactly the bytes with this digest. */
  approve(id: string, by: string, digest: string): Promise<SharingReport>;
  hold(id: string, by: string): Promise<SharingReport>;
  release(id: string, by: string): Promise<SharingReport>;
  withdraw(id: string, by: string): Promise<SharingReport>;
  revoke(recipient: string, product: z.infer<typeof sharedProduct>, by: string): Promise<void>;
  policies(): Promise<readonly SharingPolicyVersion[]>;
  proposePolicy(yaml: string, by: string): Promise<SharingPolicyVersion>;
  approvePolicy(digest: string, by: string): Promise<SharingPolicyVersion>;
  receipt(id: string): Promise<{ readonly text: string }>;
}

/** Why the desk does not do what it was asked to, in words for a person. */
export interface SharingRefusal extends Error {
  readonly code: string;
  readonly text: { readonly vi: string; readonly en: string };
}

const statuses: Readonly<Record<string, number>> = {
  not_found: 404,
  not_approver: 403,
  already_approved: 409,
  other_bytes: 409,
  wrong_state: 409,
  statutory: 409,
  policy_invalid: 400,
};

const reportPage = { most: 200, usual: 50 };
const policyPage = { most: 1000, usual: 50 };
const beforeOrder = z.tuple([z.int()]);
const maxYaml = 100_000;

const reportParams = z.strictObject({ id: z.string().min(1).max(100).describe('Report id') });
const nothing = z.strictObject({});

/** What leaves the factory: exactly which bytes, to whom, who agreed. */
export function sharingRoutes({ sharing }: RouteDeps): readonly Route[] {
  if (sharing === undefined) return [];
  const act = (path: string, summary: string, work: (id: string, by: string) => Promise<SharingReport>): Route =>
    route({
      method: 'POST',
      path: `/api/v1/sharing/reports/{id}/${path}`,
      summary,
      access: 'admin',
      params: reportParams,
      body: nothing,
      response: sharingReport,
      problems: [404, 409],
      handle: ({ params, identity }, request) => answered(request.headers, () => work(params.id, personOf(identity))),
    });
  return [
    route({
      method: 'GET',
      path: '/api/v1/sharing',
      summary: 'What may leave the factory, to whom, and what needs a person. Without a policy nothing leaves.',
      access: 'read',
      response: sharingOverview,
      handle: () => sharing.overview(),
    }),
    route({
      method: 'GET',
      path: '/api/v1/sharing/reports',
      summary: 'Reports that wait, left or were refused, newest first.',
      access: 'read',
      query: z.strictObject({
        recipient: z.string().max(100).optional().describe('Only those to it'),
        state: sharingState.optional().describe('Only those in this state'),
        ...pageFields(reportPage),
      }),
      response: z.strictObject({ reports: z.array(sharingReport), ...nextField }),
      async handle({ query }, request, reply) {
        const [before] = readCursor(query.cursor, beforeOrder) ?? [];
        const page = await sharing.items({
          limit: readLimit(query.limit, reportPage),
          ...(query.recipient === undefined ? {} : { recipient: query.recipient }),
          ...(query.state === undefined ? {} : { states: [query.state] }),
          ...(before === undefined ? {} : { before }),
        });
        const next = page.next === undefined ? null : cursorText([page.next]);
        linkNext(request, reply, next);
        return { reports: page.items, next };
      },
    }),
    route({
      method: 'GET',
      path: '/api/v1/sharing/reports/{id}',
      summary: 'One report: the exact bytes, what leaves and what stays in words, and its history.',
      access: 'read',
      params: reportParams,
      response: sharingReportDetail,
      problems: [404],
      handle: ({ params }, request) => answered(request.headers, () => sharing.item(params.id)),
    }),
    route({
      method: 'GET',
      path: '/api/v1/sharing/reports/{id}/receipt',
      summary: 'The receipt of the platform, byte for byte, to be kept and verified offline.',
      access: 'read',
      params: reportParams,
      response: z.record(z.string(), z.unknown()),
      problems: [404],
      async handle({ params }, request, reply) {
        const { text } = await answered(request.headers, () => sharing.receipt(params.id));
        return reply.type('application/json; charset=utf-8').send(text);
      },
    }),
    route({
      method: 'POST',
      path: '/api/v1/sharing/reports/{id}/approve',
      summary: 'Agrees to exactly the bytes with this digest. It leaves when enough different people agreed and its waiting time is over.',
      access: 'admin',
      params: reportParams,
      body: z.strictObject({ digest: z.string().min(1).max(100).describe('`digest` of the report, as it was read') }),
      response: sharingReport,
      problems: [404, 409],
      handle: ({ params, body, identity }, request) =>
        answered(request.headers, () => sharing.approve(params.id, personOf(identity), body.digest)),
    }),
    act('hold', 'Keeps a report from leaving until it is released.', (id, by) => sharing.hold(id, by)),
    act('release', 'Ends a hold; a refused or expired report is made again.', (id, by) => sharing.release(id, by)),
    act('withdraw', 'Makes a revision that takes an accepted report back; it waits for approvals like any other.', (id, by) =>
      sharing.withdraw(id, by),
    ),
    route({
      method: 'POST',
      path: '/api/v1/sharing/recipients/{recipient}/revoke',
      summary: 'Stops a product to a recipient at once, until a policy that is approved later shares it again.',
      access: 'admin',
      params: z.strictObject({ recipient: z.string().min(1).max(100).describe('As the policy names it') }),
      body: z.strictObject({ product: sharedProduct.describe('What must not leave any more') }),
      response: sharingOverview,
      problems: [404, 409],
      handle: ({ params, body, identity }, request) =>
        answered(request.headers, async () => {
          await sharing.revoke(params.recipient, body.product, personOf(identity));
          return sharing.overview();
        }),
    }),
    route({
      method: 'GET',
      path: '/api/v1/sharing/policies',
      summary: 'Versions of the sharing policy, highest first; of those that wait, what they change in what leaves.',
      access: 'read',
      query: z.strictObject(pageFields(policyPage)),
      response: z.strictObject({ policies: z.array(sharingPolicy), ...nextField }),
      async handle({ query }, request, reply) {
        const { rows, next } = pageOf(await sharing.policies(), highestFirst, query, policyPage);
        linkNext(request, reply, next);
        return { policies: rows, next };
      },
    }),
    route({
      method: 'POST',
      path: '/api/v1/sharing/policies',
      summary: 'Proposes a version of the policy. It holds when the people whom the version before it names agreed.',
      access: 'admin',
      body: z.strictObject({ yaml: z.string().min(1).max(maxYaml).describe('sharing-policy.yaml') }),
      response: sharingPolicy,
      handle: ({ body, identity }, request) => answered(request.headers, () => sharing.proposePolicy(body.yaml, personOf(identity))),
    }),
    route({
      method: 'POST',
      path: '/api/v1/sharing/policies/{digest}/approve',
      summary: 'Agrees to a version of the policy.',
      access: 'admin',
      params: z.strictObject({ digest: z.string().min(1).max(100).describe('`digest` of the version') }),
      body: nothing,
      response: sharingPolicy,
      problems: [404, 409],
      handle: ({ params, identity }, request) => answered(request.headers, () => sharing.approvePolicy(params.digest, personOf(identity))),
    }),
  ];
}

/** A program may not agree for a person, whatever its token is called. */
function personOf(identity: Identity | undefined): string {
  if (identity === undefined || identity.user === null)
    throw new HttpProblem(403, 'Only people decide about what leaves: log in as a local user, a token will not do.');
  return identity.user.name;
}

/** The refusal in the caller's language; anything else as it is. */
async function answered<Answer>(
  headers: { readonly 'accept-language'?: string | undefined },
  work: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const language = /^\s*vi\b/i.test(headers['accept-language'] ?? '') ? 'vi' : 'en';
    throw new HttpProblem(statuses[error.code] ?? 409, error.text[language]);
  }
}

function isRefusal(error: unknown): error is SharingRefusal {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code in statuses && 'text' in error;
}

function highestFirst({ version, digest }: SharingPolicyVersion): string {
  return `${String(1e9 - version).padStart(10, '0')} ${digest}`;
}
