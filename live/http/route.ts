import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Identity } from '../auth/authenticator.ts';
import type { Scope } from '../auth/scope.ts';

/** One entry of the route table: the app serves it and the OpenAPI document describes it. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** OpenAPI form, e.g. `/api/v1/machines/{id}`. */
  readonly path: string;
  readonly summary: string;
  /** `open`: for everybody; else the least scope that a caller must have. */
  readonly access: 'open' | Scope;
  readonly params?: z.ZodObject | undefined;
  readonly query?: z.ZodObject | undefined;
  readonly body?: z.ZodType | undefined;
  /** Schema of a JSON answer; null: no body, or one that is not JSON (see `contentType`). */
  readonly response: z.ZodType | null;
  /** Content types besides application/json. */
  readonly contentTypes?: readonly string[] | undefined;
  /** Statuses of errors besides those that every route of its kind has. */
  readonly problems?: readonly number[] | undefined;
  readonly handle: (input: RouteInput, request: FastifyRequest, reply: FastifyReply) => unknown;
}

/** What a handler gets: already checked by the schemas of its route. */
export interface RouteInput<Params = unknown, Query = unknown, Body = unknown> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** undefined on an open route without a login. */
  readonly identity: Identity | undefined;
  readonly nowMs: number;
}

interface TypedRoute<Params extends z.ZodObject, Query extends z.ZodObject, Body extends z.ZodType, Response extends z.ZodType>
  extends Omit<Route, 'params' | 'query' | 'body' | 'response' | 'handle'> {
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  readonly response: Response | null;
  readonly handle: (
    input: RouteInput<z.infer<Params>, z.infer<Query>, z.infer<Body>>,
    request: FastifyRequest,
    reply: FastifyReply,
  ) => Answer<Response> | Promise<Answer<Response>>;
}

/** The JSON answer, or what the handler already made of the reply. */
type Answer<Response extends z.ZodType> = DeepReadonly<z.input<Response>> | FastifyReply | undefined;

type DeepReadonly<Value> = Value extends object ? { readonly [Key in keyof Value]: DeepReadonly<Value[Key]> } : Value;

/** Ties the types of a handler to the schemas of its route. */
export function route<
  Params extends z.ZodObject = z.ZodObject<Record<string, never>>,
  Query extends z.ZodObject = z.ZodObject<Record<string, never>>,
  Body extends z.ZodType = z.ZodUndefined,
  Response extends z.ZodType = z.ZodNever,
>(definition: TypedRoute<Params, Query, Body, Response>): Route {
  return { ...definition, handle: (input, request, reply) => definition.handle(input as never, request, reply) };
}
