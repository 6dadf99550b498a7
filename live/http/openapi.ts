import { problemOf, titleOf } from '@nhip/core/process/http-problem';
import type { z } from 'zod';
import { sessionCookie } from '../auth/authenticator.ts';
import { scopes, scopeWords } from '../auth/scope.ts';
import { payloads } from '../webhooks/events.ts';
import { createComponents } from './components.ts';
import { examples } from './examples.ts';
import { problemDocument } from './problem.ts';
import type { Route } from './route.ts';

type Json = Record<string, unknown>;

export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: Json & { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly Json[];
  readonly tags: readonly Json[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  /** What the server sends to others. */
  readonly webhooks: Readonly<Record<string, Json>>;
  readonly components: Json;
}

export interface Operation {
  readonly summary: string;
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Json;
  readonly responses: Json;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: Json;
}

type SchemaOf = (schema: z.ZodType, io: 'input' | 'output') => Json;

const description = `Live values and history of a plant.

A machine is named \`<group>/<edge>/<device>\`, percent-encoded in paths. Times are ms since 1970 UTC.

**Who may**: a session cookie (browser), an API token as Bearer (\`nhip token add\`), or a local user as Basic. Scopes, each including those before it: ${scopes.map((scope) => `\`${scope}\` (${scopeWords[scope]})`).join(', ')}. The scope that an operation needs stands in its security requirement.

**Lists** have \`limit\` rows at most; while there are more, \`next\` is sent as \`cursor\` for the rows behind them. The header \`Link\` (rel="next") has the whole address.

**Errors** are RFC 9457 documents (application/problem+json). 429 and 503 tell in \`Retry-After\` how many seconds to wait.`;

const problemType = 'application/problem+json';

/** The OpenAPI 3.1 document of a route table. Schemas are JSON Schema 2020-12, made by zod. */
export function openApiDocument(routes: readonly Route[], version: string): OpenApiDocument {
  const { schemaOf, schemas } = createComponents();
  const paths: Record<string, Record<string, Operation>> = {};
  const tags = new Set<string>();
  const statuses = new Set<number>();
  for (const route of routes) {
    for (const status of problemsOf(route)) statuses.add(status);
    const operation = operationOf(route, schemaOf);
    for (const tag of operation.tags) tags.add(tag);
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation };
  }
  const problem = { schema: schemaOf(problemDocument, 'output') };
  const responses = [...statuses].sort().map((status) => [
    responseName(status),
    {
      description: titleOf(status),
      ...(isRetried(status) ? { headers: { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } } } : {}),
      content: { [problemType]: { ...problem, example: problemOf(status, 'What is wrong here and what to do about it.') } },
    },
  ]);
  return {
    openapi: '3.1.0',
    info: { title: 'Nhịp', version, description, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/', description: 'This server' }],
    tags: [...tags].sort().map((name) => ({ name })),
    paths,
    webhooks: Object.fromEntries(Object.entries(payloads).map(([type, payload]) => [type, hookOf(type, payload, schemaOf)])),
    components: {
      schemas: schemas(),
      responses: {
        ...Object.fromEntries(responses),
        Problem: { description: 'Any other problem', content: { [problemType]: problem } },
      },
      headers: {
        RetryAfter: { description: 'Seconds to wait before the next try', schema: { type: 'integer', minimum: 1 } },
        Link: { description: 'Address of the next page with rel="next"; absent on the last', schema: { type: 'string' } },
      },
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: sessionCookie, description: 'Made by POST /api/v1/session' },
        token: { type: 'http', scheme: 'bearer', description: 'API token of `nhip token add`' },
        basic: { type: 'http', scheme: 'basic', description: 'Local user' },
      },
    },
  };
}

/** Headers of Standard Webhooks 1.0. */
const hookHeaders = {
  'webhook-id': 'The same for every attempt: take an event once',
  'webhook-timestamp': 'Of the attempt, s since 1970 UTC: refuse old ones',
  'webhook-signature': '`v1,` and the base64 of HMAC-SHA256 over id, timestamp and body, joined by full stops',
};

function hookOf(type: string, payload: z.ZodType, schemaOf: SchemaOf): Json {
  const parameters = Object.entries(hookHeaders).map(([name, words]) => {
    return { name, in: 'header', required: true, description: words, schema: { type: 'string' } };
  });
  const example = examples[type]?.body;
  const content = { 'application/json': { schema: schemaOf(payload, 'output'), ...(example === undefined ? {} : { example }) } };
  return {
    post: {
      summary: `Sent to the receivers of live.webhooks: ${type}`,
      operationId: `webhook${type.replace(/(?:^|\.)(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
      parameters,
      requestBody: { required: true, content },
      responses: { '2XX': { description: 'Taken; anything else is tried again' } },
    },
  };
}

function operationOf(route: Route, schemaOf: SchemaOf): Operation {
  const parameters = [...parametersOf(route.params, 'path', schemaOf), ...parametersOf(route.query, 'query', schemaOf)];
  const id = operationId(route);
  const problems = problemsOf(route).map((status) => [status, { $ref: `#/components/responses/${responseName(status)}` }]);
  return {
    summary: route.summary,
    operationId: id,
    tags: [tagOf(route)],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body === undefined ? {} : { requestBody: { required: true, content: { 'application/json': bodyOf(route, schemaOf) } } }),
    responses: {
      ...answerOf(route, schemaOf),
      ...Object.fromEntries(problems),
      default: { $ref: '#/components/responses/Problem' },
    },
    security: route.access === 'open' ? [] : ['session', 'token', 'basic'].map((scheme) => ({ [scheme]: [route.access] })),
  };
}

function bodyOf(route: Route, schemaOf: SchemaOf): Json {
  const example = examples[operationId(route)]?.body;
  return { schema: route.body === undefined ? {} : schemaOf(route.body, 'input'), ...(example === undefined ? {} : { example }) };
}

function answerOf(route: Route, schemaOf: SchemaOf): Json {
  const content: Json = {};
  if (route.response !== null) {
    const example = examples[operationId(route)]?.answer;
    content['application/json'] = { schema: schemaOf(route.response, 'output'), ...(example === undefined ? {} : { example }) };
  }
  for (const type of route.contentTypes ?? []) content[type] = { schema: type.startsWith('text/') ? { type: 'string' } : {} };
  if (Object.keys(content).length === 0) return { 204: { description: 'Done' } };
  const isList = route.query !== undefined && 'cursor' in route.query.shape;
  return { 200: { description: 'Done', ...(isList ? { headers: { Link: { $ref: '#/components/headers/Link' } } } : {}), content } };
}

/** Which errors a route may answer with, by what it is and by what it says. */
function problemsOf(route: Route): readonly number[] {
  const hasInput = route.params !== undefined || route.query !== undefined || route.body !== undefined;
  const found = [
    ...(hasInput ? [400] : []),
    ...(route.access === 'open' ? [] : [401, 403, 429]),
    ...(route.params === undefined ? [] : [404]),
    ...(route.contentTypes?.includes('text/csv') === true && route.response !== null ? [406] : []),
    ...(route.body === undefined ? [] : [413, 415]),
    ...(route.problems ?? []),
  ];
  return [...new Set(found)].sort((a, b) => a - b);
}

function isRetried(status: number): boolean {
  return status === 429 || status === 503;
}

/** `Not found` → `NotFound`. */
function responseName(status: number): string {
  return titleOf(status).replace(/\W+(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function parametersOf(schema: z.ZodObject | undefined, place: Parameter['in'], schemaOf: SchemaOf): readonly Parameter[] {
  if (schema === undefined) return [];
  const json = schemaOf(schema, 'input');
  const required = Array.isArray(json.required) ? json.required : [];
  return Object.entries((json.properties ?? {}) as Record<string, Json>).map(([name, property]) => {
    const { description: words, ...rest } = property;
    return {
      name,
      in: place,
      required: place === 'path' || required.includes(name),
      ...(typeof words === 'string' ? { description: words } : {}),
      schema: rest,
    };
  });
}

/** The noun of a path: `/api/v1/machines/{id}/states` → `machines`. */
function tagOf({ path }: Route): string {
  return path.replace(/^\/api\/v1/, '').split('/')[1] ?? '';
}

/** `GET /api/v1/machines/{id}/states` → `getMachinesIdStates`. */
export function operationId({ method, path }: Pick<Route, 'method' | 'path'>): string {
  const words = path.replace('/api/v1', '').split(/[^A-Za-z0-9]+/);
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}
