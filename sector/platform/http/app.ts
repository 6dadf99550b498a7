import type { ServerOptions } from 'node:https';
import { RetryableError } from '@nhip/core/process/errors';
import { HttpProblem, problemOf } from '@nhip/core/process/http-problem';
import type { Log } from '@nhip/core/process/log';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Authenticator } from '../auth/authenticator.ts';
import type { CertificateRule } from '../tls/certificate-rule.ts';
import { presentedCertificate } from '../tls/client-certificate.ts';
import { openApiDocument } from './openapi.ts';
import { problemType } from './problem.ts';
import type { Caller, Route } from './route.ts';

export interface AppDeps {
  readonly log: Log;
  readonly routes: readonly Route[];
  readonly authenticator: Authenticator;
  readonly version: string;
  /** Of a request; a batch has many reports. */
  readonly maxBodyBytes: number;
  readonly certificates: Pick<CertificateRule, 'demand'>;
  /** undefined: plain HTTP. */
  readonly tls?: ServerOptions | undefined;
}

/** On every answer. Pages load their style from this server and nothing else. */
const securityHeaders = {
  'content-security-policy': "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  // With no-referrer browsers would send `Origin: null` with our own forms, as with foreign ones.
  'referrer-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

/** Why somebody reads, for the access log; percent-encoded UTF-8. */
const purposeHeader = 'nhip-purpose';
const maxPurpose = 200;

/** The HTTP server: route table, the document made from it, errors as RFC 9457. Does not listen yet. */
export function createApp(deps: AppDeps): FastifyInstance {
  const app = Fastify({
    // Typed for HTTPS only, which differs in nothing that is used here.
    ...({ https: deps.tls ?? null } as object),
    bodyLimit: deps.maxBodyBytes,
    requestTimeout: 60_000,
    keepAliveTimeout: 10_000,
    routerOptions: { maxParamLength: 400 },
    frameworkErrors: (error, _request, reply) => sendError(error, reply, deps.log),
  });
  app.server.headersTimeout = 10_000;
  // Bodies stay bytes until a route says what they are: a report is stored as it came.
  app.removeAllContentTypeParsers();
  for (const type of ['application/json', 'application/cloudevents-batch+json', 'application/x-www-form-urlencoded']) {
    app.addContentTypeParser(type, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  }
  app.addHook('onRequest', async (_request, reply) => void reply.headers(securityHeaders));
  app.setErrorHandler((error, _request, reply) => sendError(error, reply, deps.log));
  app.setNotFoundHandler((_request, reply) => sendError(new HttpProblem(404, 'There is no such address here.'), reply, deps.log));
  for (const route of deps.routes) {
    app.route({
      method: route.method,
      url: fastifyPath(route.path),
      exposeHeadRoute: false,
      handler: (request, reply) => handle(route, request, reply, deps),
    });
  }
  const document = JSON.stringify(openApiDocument(deps.routes, deps.version));
  app.get('/v1/openapi.json', { exposeHeadRoute: false }, async (_request, reply) => reply.type('application/json').send(document));
  return app;
}

/** `/v1/reports:validate` has a colon of its own; `{name}` is a parameter. */
export function fastifyPath(path: string): string {
  return path.replaceAll(':', '::').replaceAll(/\{(\w+)\}/g, ':$1');
}

async function handle(route: Route, request: FastifyRequest, reply: FastifyReply, deps: AppDeps): Promise<unknown> {
  const certificate = presentedCertificate(request.raw.socket);
  if (isForClients(route)) deps.certificates.demand(certificate);
  const principal = await deps.authenticator.identify(request.headers, certificate);
  const caller: Caller = { principal, purpose: purposeOf(request), address: request.socket.remoteAddress ?? '', certificate };
  authorise(route, caller);
  const input = {
    params: check(route.params, request.params, 'path'),
    query: check(route.query, request.query, 'query'),
    body: bodyOf(route, request.body),
    caller,
  };
  const answer = await route.handle(input, request, reply);
  return reply.sent || answer === undefined ? reply : answer;
}

/** Where a client identifies itself, by a token or, on open routes, by a secret. */
function isForClients({ access, takesCredentials }: Route): boolean {
  return access === 'open' ? takesCredentials === true : access !== 'operator';
}

function authorise({ access }: Route, { principal }: Caller): void {
  if (access === 'open') return;
  if (principal === undefined) {
    const detail = 'Send a token as Bearer, over the certificate it was given over: clients get one by POST /oauth/token.';
    throw new HttpProblem(401, detail, { 'www-authenticate': 'Bearer realm="nhip-sector"' });
  }
  const isAllowed = principal.role === 'operator' ? access === 'operator' : access !== 'operator' && principal.scopes.includes(access);
  if (isAllowed) return;
  throw new HttpProblem(403, `This needs ${access === 'operator' ? 'the operator' : `the scope ${access}`}.`, {
    'www-authenticate': `Bearer realm="nhip-sector", error="insufficient_scope", scope="${access}"`,
  });
}

function bodyOf({ body: schema, bodyType }: Route, body: unknown): unknown {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
  if (bodyType === 'raw') return bytes;
  if (schema === undefined) return undefined;
  if (bodyType === 'form') return check(schema, Object.fromEntries(new URLSearchParams(bytes.toString('utf8'))), 'form');
  return check(schema, parse(bytes), 'body');
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new HttpProblem(400, 'The body is no JSON.');
  }
}

function check(schema: z.ZodType | undefined, value: unknown, place: string): unknown {
  if (schema === undefined) return undefined;
  const parsed = schema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${[place, ...path].join(' ')}: ${message}`);
  throw new HttpProblem(400, problems.join('; ').slice(0, 1000));
}

function purposeOf(request: FastifyRequest): string {
  const given = request.headers[purposeHeader];
  if (typeof given !== 'string') return 'unspecified';
  try {
    return decodeURIComponent(given).replaceAll('\0', '').slice(0, maxPurpose);
  } catch {
    throw new HttpProblem(400, `${purposeHeader}: percent-encode what is not ASCII.`);
  }
}

function sendError(error: unknown, reply: FastifyReply, log: Log): void {
  const { status, detail, headers } = describe(error);
  if (status === 500) log.error({ err: error }, 'A request failed');
  void reply
    .code(status)
    .headers({ ...securityHeaders, ...headers })
    .type(problemType)
    .send(JSON.stringify(problemOf(status, detail)));
}

/** What the caller may know of an error: never a stack, never the text of an unexpected error. */
function describe(error: unknown): {
  readonly status: number;
  readonly detail: string;
  readonly headers: Readonly<Record<string, string>>;
} {
  if (error instanceof HttpProblem) return { status: error.status, detail: error.message, headers: error.headers };
  if (error instanceof RetryableError) {
    const headers = { 'retry-after': String(Math.ceil((error.retryAfterMs ?? 5000) / 1000)) };
    return { status: 503, detail: error.message, headers };
  }
  const status = error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500;
  if (status >= 400 && status < 500) return { status, detail: error instanceof Error ? error.message : '', headers: {} };
  return { status: 500, detail: 'The server made a mistake; its log says more.', headers: {} };
}
