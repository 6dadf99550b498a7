import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Principal, Scope } from '../auth/scope.ts';
import type { PresentedCertificate } from '../tls/client-certificate.ts';

/** One entry of the route table: the app serves it and the OpenAPI document describes it. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** OpenAPI form, e.g. `/v1/reports/{reportId}`. A literal colon is written as it is. */
  readonly path: string;
  readonly summary: string;
  readonly tag: 'intake' | 'transparency' | 'agreements' | 'codes' | 'log' | 'enrolment' | 'operator' | 'server' | 'page';
  /** `open`: for everybody; `operator`: with the operator's token; else the scope that a client must have. */
  readonly access: 'open' | 'operator' | Scope;
  /** Of an open route: who comes shows a secret, and so a certificate where clients must have one. */
  readonly takesCredentials?: boolean | undefined;
  readonly params?: z.ZodObject | undefined;
  readonly query?: z.ZodObject | undefined;
  /** A JSON body, or a form when `bodyType` says so. */
  readonly body?: z.ZodType | undefined;
  /** `raw`: the handler gets the bytes of a JSON text. */
  readonly bodyType?: 'json' | 'form' | 'raw' | undefined;
  /** Of the body in the document, where it is not the usual one of its kind. */
  readonly bodyContentType?: string | undefined;
  /** Answers by status; null: no JSON (see `contentType`). */
  readonly answers: Readonly<Record<number, { readonly words: string; readonly schema: z.ZodType | null; readonly contentType?: string }>>;
  /** Statuses of errors besides those that every route of its kind has. */
  readonly problems?: readonly number[] | undefined;
  readonly handle: (input: RouteInput, request: FastifyRequest, reply: FastifyReply) => unknown;
}

/** What a handler gets: already checked by the schemas of its route. */
export interface RouteInput<Params = unknown, Query = unknown, Body = unknown> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly caller: Caller;
}

/** Who asks and, for the access log, why. */
export interface Caller {
  readonly principal: Principal | undefined;
  readonly purpose: string;
  readonly address: string;
  readonly certificate: PresentedCertificate;
}

interface TypedRoute<Params extends z.ZodObject, Query extends z.ZodObject, Body extends z.ZodType>
  extends Omit<Route, 'params' | 'query' | 'body' | 'handle'> {
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  readonly handle: (
    input: RouteInput<z.infer<Params>, z.infer<Query>, z.infer<Body>>,
    request: FastifyRequest,
    reply: FastifyReply,
  ) => unknown;
}

/** Ties the types of a handler to the schemas of its route. */
export function route<
  Params extends z.ZodObject = z.ZodObject<Record<string, never>>,
  Query extends z.ZodObject = z.ZodObject<Record<string, never>>,
  Body extends z.ZodType = z.ZodType<Buffer>,
>(definition: TypedRoute<Params, Query, Body>): Route {
  return { ...definition, handle: (input, request, reply) => definition.handle(input as never, request, reply) };
}
