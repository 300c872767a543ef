/**
 * One operation of the API, as data: its route (router.ts) and its description in the reference (src/openapi/) are
 * derived from it.
 */
import type * as z from 'zod/mini';
import type { ErrorCode } from '../errors.ts';
import type { Scope } from '../api-keys/scopes.ts';
import type { BodyRules } from './validation.ts';
import type { RateLimitClass } from '../rate-limits/rate-limits.ts';

export interface Operation<
  Query extends z.ZodMiniType = z.ZodMiniType,
  Body extends z.ZodMiniType = z.ZodMiniType,
> {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: `/${string}`;
  /** What a request counts as, for its API key; `nothing`: no API key is asked for. */
  rateLimitClass: RateLimitClass | 'nothing';
  /** Any one of them opens the route. */
  scopes: readonly Scope[];
  /** It shows some things without D1, also to a caller whose API key could not be checked. */
  servesCached?: boolean;
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
