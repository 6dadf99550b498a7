import { titleOf } from '@nhip/core/process/http-problem';
import { z } from 'zod';
import { scopeWords } from '../auth/scope.ts';
import { problemDocument, problemType } from './problem.ts';
import type { Route } from './route.ts';

type Json = Record<string, unknown>;

const description = `Where factories of a sector send their signed production reports, and see what is held of them.

**Getting in**: the operator registers an enterprise and hands out a one-time code. \`POST /v1/enrolment\` exchanges it, with the factory's public key, for a client. The client gets tokens of 15 minutes by \`POST /oauth/token\`.

**Reports** are canonical JSON (RFC 8785, Unicode NFC), signed with Ed25519. The same bytes again give the first receipt again, so a sender repeats until it has one.

**Machine states** are CloudEvents, sent only with consent and under pseudonyms. An event is kept once, for a stated time.

**Reading** writes an entry into the access log of the enterprise; the header \`Nhip-Purpose\` (percent-encoded) says why.

**Errors** are RFC 9457 documents (application/problem+json). 503 and 429 tell in \`Retry-After\` how many seconds to wait.`;

/** The OpenAPI 3.1 document of a route table. */
export function openApiDocument(routes: readonly Route[], version: string): Json & { readonly paths: Record<string, Json> } {
  const paths: Record<string, Json> = {};
  for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationOf(route) };
  paths['/v1/openapi.json'] = {
    get: {
      summary: 'This document',
      operationId: 'getOpenapi',
      tags: ['server'],
      security: [],
      responses: { 200: { description: 'OpenAPI 3.1', content: { 'application/json': {} } } },
    },
  };
  return {
    openapi: '3.1.0',
    info: { title: 'Nhịp sector platform', version, description, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/', description: 'This server' }],
    tags: [...new Set(routes.map(({ tag }) => tag))].sort().map((name) => ({ name })),
    paths,
    components: {
      schemas: { Problem: schemaOf(problemDocument, 'output') },
      securitySchemes: {
        client: { type: 'oauth2', flows: { clientCredentials: { tokenUrl: '/oauth/token', scopes: scopeWords } } },
        operator: { type: 'http', scheme: 'bearer', description: "Text of the file operator-token in the server's data folder" },
      },
    },
  };
}

function operationOf(route: Route): Json {
  const parameters = [...parametersOf(route.params, 'path'), ...parametersOf(route.query, 'query')];
  const answers = Object.entries(route.answers).map(([status, { words, schema, contentType = 'application/json' }]) => {
    const content = { [contentType]: schema === null ? {} : { schema: schemaOf(schema, 'output') } };
    return [status, { description: words, ...(status === '204' || status.startsWith('3') ? {} : { content }) }];
  });
  const problems = problemsOf(route).map((status) => [status, problemAnswer(titleOf(status))]);
  const bodyContent = route.bodyContentType ?? (route.bodyType === 'form' ? 'application/x-www-form-urlencoded' : 'application/json');
  return {
    summary: route.summary,
    operationId: operationId(route),
    tags: [route.tag],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body === undefined
      ? {}
      : { requestBody: { required: true, content: { [bodyContent]: { schema: schemaOf(route.body, 'input') } } } }),
    responses: { ...Object.fromEntries(problems), ...Object.fromEntries(answers), default: problemAnswer('Any other problem') },
    security: route.access === 'open' ? [] : [route.access === 'operator' ? { operator: [] } : { client: [route.access] }],
  };
}

function problemAnswer(words: string): Json {
  return { description: words, content: { [problemType]: { schema: { $ref: '#/components/schemas/Problem' } } } };
}

function problemsOf(route: Route): readonly number[] {
  const hasInput = route.params !== undefined || route.query !== undefined || route.body !== undefined;
  const found = [
    ...(hasInput ? [400] : []),
    ...(route.access === 'open' ? [] : [401, 403]),
    ...(route.params === undefined ? [] : [404]),
    ...(route.body === undefined ? [] : [413, 415]),
    ...(route.problems ?? []),
  ];
  return [...new Set(found)].sort((a, b) => a - b);
}

function parametersOf(schema: z.ZodObject | undefined, place: 'path' | 'query'): readonly Json[] {
  if (schema === undefined) return [];
  const json = schemaOf(schema, 'input');
  const required = Array.isArray(json.required) ? json.required : [];
  return Object.entries((json.properties ?? {}) as Record<string, Json>).map(([name, { description: words, ...rest }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(typeof words === 'string' ? { description: words } : {}),
    schema: rest,
  }));
}

/** JSON Schema 2020-12 without the ids, so that it may stand anywhere in the document. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any', reused: 'inline' }) as Json;
  return json;
}

/** `POST /v1/reports:validate` → `postReportsValidate`. */
function operationId({ method, path }: Route): string {
  const words = path.replace('/v1', '').split(/[^A-Za-z0-9]+/);
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}
