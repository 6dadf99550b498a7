import { HttpProblem } from '@nhip/core/process/http-problem';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { FailureLimit } from '../../auth/failure-limit.ts';
import { enterprisePage, loginPage } from '../../page/enterprise-page.ts';
import { createSessions, sessionCookie } from '../../page/sessions.ts';
import { style } from '../../page/style.ts';
import { type Language, languages } from '../../page/words.ts';
import type { MachineStates } from '../../status/machine-states.ts';
import { arrivedStates } from '../../status/routes.ts';
import type { AccessLog } from '../../store/access-log.ts';
import type { Agreements } from '../../store/agreements.ts';
import type { Client, Credentials } from '../../store/credentials.ts';
import type { Quarantine } from '../../store/quarantine.ts';
import type { Reports } from '../../store/reports.ts';
import type { Tenants } from '../../store/tenants.ts';
import type { CertificateRule } from '../../tls/certificate-rule.ts';
import { presentedCertificate } from '../../tls/client-certificate.ts';
import { type Route, route } from '../route.ts';
import { count, reportId, safeText } from '../schemas.ts';

export interface PageDeps {
  readonly tenants: Tenants;
  readonly agreements: Pick<Agreements, 'list'>;
  readonly reports: Reports;
  readonly quarantine: Quarantine;
  readonly accessLog: AccessLog;
  readonly credentials: Credentials;
  readonly states: MachineStates;
  readonly certificates: CertificateRule;
  readonly failures: FailureLimit;
  now(): number;
}

const pageRows = 50;
const htmlType = 'text/html; charset=utf-8';
const language = z.enum(languages).optional().describe('Language of the page. Default: vi');
const htmlAnswer = { 200: { words: 'A page', schema: null, contentType: 'text/html' } } as const;
const redirect = { 303: { words: 'Back to the page', schema: null } } as const;

/** The page for people of an enterprise: server-rendered, without scripts. */
export function pageRoutes(deps: PageDeps): readonly Route[] {
  const sessions = createSessions();
  const sessionOf = (request: FastifyRequest): Client | undefined => {
    const holder = sessions.find(request.headers.cookie, deps.now());
    const isGood = holder !== undefined && deps.certificates.fitsBound(holder.certificate, presentedCertificate(request.raw.socket));
    return isGood ? holder : undefined;
  };

  return [
    route({
      method: 'GET',
      path: '/',
      summary: 'What arrived from the own enterprise, its receipts, and who read it; the login without one',
      tag: 'page',
      access: 'open',
      query: z.strictObject({
        lang: language,
        before: count(Number.MAX_SAFE_INTEGER).optional().describe('leafIndex of the last row of the page before'),
      }),
      answers: htmlAnswer,
      async handle({ query }, request, reply) {
        const client = sessionOf(request);
        const lang = query.lang ?? 'vi';
        if (client === undefined) return reply.type(htmlType).send(loginPage(lang));
        return reply.type(htmlType).send(await render(deps, client, lang, query.before));
      },
    }),
    route({
      method: 'POST',
      path: '/login',
      summary: 'Begins a session of the page with the credentials of a client that may read',
      tag: 'page',
      access: 'open',
      query: z.strictObject({ lang: language }),
      takesCredentials: true,
      bodyType: 'form',
      body: z.strictObject({ clientId: safeText(200).describe('Of the client'), clientSecret: safeText(200).describe('Of the client') }),
      answers: { ...redirect, 401: { words: 'The login page again', schema: null, contentType: 'text/html' } },
      problems: [429],
      async handle({ query, body, caller }, request, reply) {
        refuseForeign(request);
        const lang = query.lang ?? 'vi';
        if (deps.failures.waitMs(caller.address, deps.now()) > 0) return reply.code(429).type(htmlType).send(loginPage(lang, 'wait'));
        const client = await deps.credentials.check(body.clientId, body.clientSecret);
        const { certificate } = caller;
        if (client?.scopes.includes('reports:read') !== true || !deps.certificates.fits(client.certificates, certificate)) {
          deps.failures.failed(caller.address, deps.now());
          return reply.code(401).type(htmlType).send(loginPage(lang, 'wrong'));
        }
        const bound = client.certificates.length > 0 && certificate.kind === 'good' ? certificate.thumbprint : null;
        // A session that the browser brought along ends: nobody goes on in one that was planted.
        sessions.end(request.headers.cookie);
        return withCookie(request, reply, sessions.start({ ...client, certificate: bound }, deps.now())).redirect(`/?lang=${lang}`, 303);
      },
    }),
    route({
      method: 'POST',
      path: '/logout',
      summary: 'Ends the session of the page',
      tag: 'page',
      access: 'open',
      answers: redirect,
      handle(_input, request, reply) {
        refuseForeign(request);
        sessions.end(request.headers.cookie);
        return withCookie(request, reply, '').redirect('/', 303);
      },
    }),
    route({
      method: 'GET',
      path: '/receipts/{reportId}',
      summary: 'A receipt as a file, for the session of the page',
      tag: 'page',
      access: 'open',
      params: z.strictObject({ reportId }),
      answers: { 200: { words: 'The receipt', schema: null } },
      problems: [401],
      async handle({ params }, request, reply) {
        const client = sessionOf(request);
        if (client === undefined) throw new HttpProblem(401, 'Log in on the page first.');
        const receipt = await deps.reports.receipt(client.enterpriseId, params.reportId);
        await record(deps, client, 'read receipt', params.reportId, receipt === undefined ? 0 : 1);
        if (receipt === undefined) throw new HttpProblem(404, 'The own enterprise has no such report here.');
        return reply
          .type('application/json')
          .header('content-disposition', `attachment; filename="receipt-${params.reportId}.json"`)
          .send(receipt);
      },
    }),
    route({
      method: 'GET',
      path: '/style.css',
      summary: 'Style of the page',
      tag: 'page',
      access: 'open',
      answers: { 200: { words: 'CSS', schema: null, contentType: 'text/css' } },
      handle: (_input, _request, reply) => reply.type('text/css; charset=utf-8').send(style),
    }),
  ];
}

async function render(deps: PageDeps, client: Client, lang: Language, before: string | undefined): Promise<string> {
  const { enterpriseId } = client;
  const reports = await deps.reports.list(enterpriseId, { limit: pageRows, before: before === undefined ? undefined : Number(before) });
  await record(deps, client, 'open page', 'reports', reports.length);
  const [enterprise, agreements, refused, accesses, machineStatus] = await Promise.all([
    deps.tenants.find(enterpriseId),
    deps.agreements.list(enterpriseId),
    deps.quarantine.list(enterpriseId),
    deps.accessLog.list(enterpriseId, { limit: pageRows }),
    arrivedStates(deps.states, enterpriseId),
  ]);
  const older = reports.length < pageRows ? null : (reports.at(-1)?.leafIndex ?? null);
  return enterprisePage(lang, {
    name: enterprise?.name ?? enterpriseId,
    reports,
    agreements,
    refused: refused.slice(0, pageRows),
    accesses,
    machineStatus,
    older,
  });
}

function record({ accessLog }: PageDeps, client: Client, action: string, object: string, rowCount: number): Promise<void> {
  const reader = `client ${client.clientId} (web)`;
  return accessLog.record({ enterpriseId: client.enterpriseId, reader, role: 'enterprise', purpose: 'own page', action, object, rowCount });
}

/** A form on another site must not act here. */
function refuseForeign(request: FastifyRequest): void {
  const { origin, host } = request.headers;
  if (origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host)) {
    throw new HttpProblem(403, 'The form is not on this server.');
  }
}

/** With TLS here or in a proxy before us the cookie travels by TLS only. */
function withCookie(request: FastifyRequest, reply: FastifyReply, value: string): FastifyReply {
  const secure = request.protocol === 'https' || request.headers['x-forwarded-proto'] === 'https' ? '; Secure' : '';
  const end = value === '' ? '; Max-Age=0' : '';
  return reply.header('set-cookie', `${sessionCookie}=${value}; Path=/; HttpOnly; SameSite=Strict${secure}${end}`);
}
