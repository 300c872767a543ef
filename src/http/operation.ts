/**
 * One operation of the API, as data: its route is made of it here, and so is what the reference says of it
 * (src/openapi/). What is not in an operation, a route does not have.
 */
import type { Handler, MiddlewareHandler } from 'hono';
import type { Hono } from 'hono/tiny';
import type * as z from 'zod/mini';
import { AppError, type ErrorCode } from '../errors.ts';
import type { Scope } from '../api-keys/scopes.ts';
import { requireKey } from './auth.ts';
import type { HttpContext, HttpEnv } from './context.ts';
import { validJson, validQuery, type BodyRules } from './validation.ts';
import type { RateClass } from '../rate-limits/rate-limits.ts';

export interface Operation<
  Query extends z.ZodMiniType = z.ZodMiniType,
  Body extends z.ZodMiniType = z.ZodMiniType,
> {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: `/${string}`;
  /** What a request counts as, for its API key; `nothing`: no API key is asked for. */
  counts: RateClass | 'nothing';
  /** Any one of them opens the route. */
  scopes: readonly Scope[];
  /** It shows some things without D1, also to a caller whose API key could not be checked. */
  atEdge?: boolean;
  query?: Query;
  body?: BodyRules<Body>;
  /** Ways to fail that are its own, besides those of its method, its input and every request. */
  errors: readonly ErrorCode[];
}

/** Keeps the types of an operation's schemas, for its handler. */
export function operation<
  Query extends z.ZodMiniType = z.ZodMiniType<undefined>,
  Body extends z.ZodMiniType = z.ZodMiniType<undefined>,
>(described: Operation<Query, Body>): Operation<Query, Body> {
  return described;
}

/** What came in, as the operation's schemas made it. */
export interface Input<Query extends z.ZodMiniType, Body extends z.ZodMiniType> {
  query: z.output<Query>;
  body: z.output<Body>;
}

/** What Cloudflare takes, and room for 100 ids and 100 phrases in a list's filters. */
const MAX_URL_CHARACTERS = 16 * 1024;

const refuseLongUrl: MiddlewareHandler<HttpEnv> = (context, next) => {
  if (context.req.url.length > MAX_URL_CHARACTERS) throw new AppError('URI_TOO_LONG');
  return next();
};

/** Puts an operation on its address: who may pass, what may come in, and then its handler. */
export function mount<Query extends z.ZodMiniType, Body extends z.ZodMiniType>(
  app: Hono<HttpEnv>,
  { method, path, counts, scopes, atEdge = false, query, body }: Operation<Query, Body>,
  handle: (context: HttpContext, input: Input<Query, Body>) => Response | Promise<Response>,
): void {
  const steps: MiddlewareHandler<HttpEnv>[] =
    counts === 'nothing' ? [] : [requireKey(counts, scopes, atEdge)];
  steps.push(refuseLongUrl);
  if (query !== undefined) steps.push(validQuery(query));
  if (body !== undefined) steps.push(validJson(body));
  const handler: Handler<HttpEnv> = (context) => {
    // Hono's types know of a validator only where it is written into the route itself.
    const valid = (target: 'query' | 'json') => context.req.valid(target as never);
    const input = { query: query && valid('query'), body: body && valid('json') };
    return handle(context, input as Input<Query, Body>);
  };
  app.on(method, [path], ...steps, handler);
}
