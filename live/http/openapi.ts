import { z } from 'zod';
import { problemDocument } from './problem.ts';
import type { Route } from './route.ts';

type Json = Record<string, unknown>;

export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Json;
}

export interface Operation {
  readonly summary: string;
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Json;
  readonly responses: Json;
  readonly security: readonly Json[];
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: Json;
}

/** The OpenAPI 3.1 document of a route table. Schemas are JSON Schema 2020-12, made by zod. */
export function openApiDocument(routes: readonly Route[], version: string): OpenApiDocument {
  const paths: Record<string, Record<string, Operation>> = {};
  for (const route of routes) {
    paths[route.path] ??= {};
    const operations = paths[route.path];
    if (operations !== undefined) operations[route.method.toLowerCase()] = operationOf(route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Nhịp',
      version,
      description:
        'Live values and history of a plant. A machine is named `<group>/<edge>/<device>`, percent-encoded in paths. Times are ms since 1970 UTC. Errors are RFC 9457 documents.',
    },
    paths,
    components: {
      schemas: { Problem: schemaOf(problemDocument, 'output') },
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: 'nhip_session', description: 'Made by POST /api/v1/session' },
        token: { type: 'http', scheme: 'bearer', description: 'API token' },
        basic: { type: 'http', scheme: 'basic', description: 'Local user' },
      },
    },
  };
}

function operationOf(route: Route): Operation {
  const parameters = [...parametersOf(route.params, 'path'), ...parametersOf(route.query, 'query')];
  return {
    summary: route.summary,
    operationId: operationId(route),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: schemaOf(route.body, 'input') } } } }),
    responses: {
      ...answerOf(route),
      default: {
        description: 'What is wrong and what to do',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
    security: route.access === 'open' ? [] : [{ session: [] }, { token: [] }, { basic: [] }],
  };
}

function answerOf(route: Route): Json {
  const content: Json = {};
  if (route.response !== null) content['application/json'] = { schema: schemaOf(route.response, 'output') };
  for (const type of route.contentTypes ?? []) content[type] = { schema: { type: 'string' } };
  return Object.keys(content).length > 0 ? { 200: { description: 'Done', content } } : { 204: { description: 'Done' } };
}

function parametersOf(schema: z.ZodObject | undefined, place: Parameter['in']): readonly Parameter[] {
  if (schema === undefined) return [];
  const json = schemaOf(schema, 'input');
  const required = Array.isArray(json.required) ? json.required : [];
  return Object.entries((json.properties ?? {}) as Record<string, Json>).map(([name, property]) => {
    const { description, ...rest } = property;
    return {
      name,
      in: place,
      required: place === 'path' || required.includes(name),
      ...(typeof description === 'string' ? { description } : {}),
      schema: rest,
    };
  });
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io });
  return json;
}

/** `GET /api/v1/machines/{id}/states` → `getMachinesIdStates`. */
function operationId({ method, path }: Route): string {
  const words = path.replace('/api/v1', '').split(/[^A-Za-z0-9]+/);
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}
