import type { Clock } from '@nhip/core/process/env';
import { RetryableError } from '@nhip/core/process/errors';
import { HttpProblem, problemOf } from '@nhip/core/process/http-problem';
import type { Log } from '@nhip/core/process/log';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Authenticator, Identity } from '../auth/authenticator.ts';
import { allows } from '../auth/scope.ts';
import { docsPage } from './docs-page.ts';
import { openApiDocument } from './openapi.ts';
import { type Origins, securityHeaders } from './origins.ts';
import { problemType } from './problem.ts';
import type { RateLimit } from './rate-limit.ts';
import type { ReadFacts } from './request-facts.ts';
import type { Route } from './route.ts';
import { serveWebApp } from './web-app.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Route['access'];
  }
}

export interface AppDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly routes: readonly Route[];
  readonly authenticator: Authenticator;
  readonly origins: Origins;
  readonly readFacts: ReadFacts;
  /** Of whatever needs a login. */
  readonly rateLimit: RateLimit;
  readonly webDir: string;
  readonly version: string;
  /** Called with every answer: route pattern and status. */
  readonly answered: (route: string, status: number) => void;
}

const maxBodyBytes = 256 * 1024;

/** Where the web app is served; it holds no values. */
const webFiles = '/*';

/** The HTTP server: route table, documents made from it, web app, errors as RFC 9457. Does not listen yet. */
export async function createApp(deps: AppDeps): Promise<FastifyInstance> {
  const { routes, origins, answered } = deps;
  const app = Fastify({
    bodyLimit: maxBodyBytes,
    requestTimeout: 15_000,
    keepAliveTimeout: 10_000,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    routerOptions: { maxParamLength: 1000 },
    frameworkErrors: (error, _request, reply) => sendError(error, reply, deps.log),
  });
  app.server.headersTimeout = 10_000;

  app.addHook('onRequest', async (request, reply) => {
    reply.headers(securityHeaders);
    const hostProblem = origins.hostProblem(request.headers);
    if (hostProblem !== undefined) throw new HttpProblem(421, hostProblem);
    const originProblem = isSafe(request.method) ? undefined : origins.originProblem(request.headers);
    if (originProblem !== undefined) throw new HttpProblem(403, originProblem);
  });
  app.addHook('onResponse', async (request, reply) => answered(request.routeOptions.url ?? 'other', reply.statusCode));
  app.setErrorHandler((error, _request, reply) => sendError(error, reply, deps.log));

  app.addHook('onRoute', ({ url, method, config }) => {
    if (config?.access === undefined && url !== webFiles) throw new Error(`${method} ${url} does not say who may use it`);
  });
  for (const route of routes) {
    app.route({
      config: { access: route.access },
      method: route.method,
      url: route.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      handler: (request, reply) => handle(route, request, reply, deps),
    });
  }
  const document = openApiDocument(routes, deps.version);
  const page = docsPage(document);
  const open = { config: { access: 'open' } } as const;
  app.get('/api/openapi.json', open, async () => document);
  app.get('/api/docs', open, async (_request, reply) => reply.type('text/html; charset=utf-8').send(page));
  await serveWebApp(app, deps.webDir);
  return app;
}

async function handle(route: Route, request: FastifyRequest, reply: FastifyReply, deps: AppDeps): Promise<unknown> {
  const nowMs = deps.clock.now();
  reply.header('cache-control', 'no-store');
  const facts = deps.readFacts(request.raw);
  const identity = await deps.authenticator.identify(facts, nowMs);
  if (route.access !== 'open') slowDown(deps.rateLimit.take(callerOf(identity, facts.address), deps.clock.monotonic()));
  authorise(route, identity, request);
  const input = {
    params: check(route.params, request.params, 'path'),
    query: check(route.query, request.query, 'query'),
    body: check(route.body, request.body, 'body'),
    identity,
    nowMs,
  };
  const answer = await route.handle(input, request, reply);
  return reply.sent || answer === undefined ? reply : answer;
}

function authorise(route: Route, identity: Identity | undefined, request: FastifyRequest): void {
  if (route.access === 'open') return;
  if (identity === undefined) {
    // Browsers answer a Basic challenge with a window of their own; they get the login page of the web app instead.
    const isBrowser = request.headers['sec-fetch-mode'] !== undefined;
    const challenge = isBrowser ? 'Bearer realm="nhip"' : 'Bearer realm="nhip", Basic realm="nhip", charset="UTF-8"';
    const detail = 'Log in with POST /api/v1/session, or send an API token as Bearer or a local user as Basic.';
    throw new HttpProblem(401, detail, { 'www-authenticate': challenge });
  }
  if (allows(identity.scope, route.access)) return;
  const detail = `This needs ${route.access}, and you may ${identity.scope}: use a token of scope ${route.access}, or log in as a user who may.`;
  throw new HttpProblem(403, detail, { 'www-authenticate': `Bearer realm="nhip", error="insufficient_scope", scope="${route.access}"` });
}

/** Screens of one user do not take each other's share; who names nobody shares it with its address. */
function callerOf(identity: Identity | undefined, address: string): object | string {
  if (identity?.session !== undefined) return identity.session;
  return identity === undefined || identity.by === 'demo' ? `address ${address}` : `${identity.by} ${identity.name}`;
}

function slowDown(waitMs: number): void {
  if (waitMs === 0) return;
  const seconds = Math.ceil(waitMs / 1000);
  throw new HttpProblem(429, `Too many requests: try again in ${seconds} s, and ask for more at once or less often.`, {
    'retry-after': String(seconds),
  });
}

function check(schema: z.ZodType | undefined, value: unknown, place: string): unknown {
  if (schema === undefined) return undefined;
  const parsed = schema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    (issue) => `${issue.path.length === 0 ? place : `${place} ${issue.path.join('.')}`}: ${issue.message}`,
  );
  throw new HttpProblem(400, problems.join('; ').slice(0, 1000));
}

function sendError(error: unknown, reply: FastifyReply, log: Log): void {
  const { status, detail, headers } = describe(error);
  // An answer that a route chose is no fault of the server.
  if (status >= 500 && !(error instanceof RetryableError) && !(error instanceof HttpProblem)) log.error({ err: error }, 'A request failed');
  const document = problemOf(status, detail);
  void reply
    .code(status)
    .headers({ ...securityHeaders, ...headers })
    .type(problemType)
    .send(JSON.stringify(document));
}

/** What the caller may know of an error: never a stack, never the text of an unexpected error. */
function describe(error: unknown): {
  readonly status: number;
  readonly detail: string;
  readonly headers: Readonly<Record<string, string>>;
} {
  if (error instanceof HttpProblem) return { status: error.status, detail: error.message, headers: error.headers };
  if (error instanceof RetryableError) {
    const isLimit = error.code === 'live.busy' || error.code === 'live.tooManyLogins';
    const headers = { 'retry-after': String(Math.ceil((error.retryAfterMs ?? 5000) / 1000)) };
    return isLimit
      ? { status: 429, detail: error.message, headers }
      : { status: 503, detail: 'The server cannot answer this now: try again in a few seconds.', headers };
  }
  const status = error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500;
  if (status >= 400 && status < 500) return { status, detail: error instanceof Error ? error.message : '', headers: {} };
  return { status: 500, detail: 'The server made a mistake; its log says more.', headers: {} };
}

function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}
