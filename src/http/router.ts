/** Mounts operations as routes: authentication, validation and rate limits come from the operation's own data. */
import type { Handler, MiddlewareHandler } from 'hono';
import type { Hono } from 'hono/tiny';
import type * as z from 'zod/mini';
import type { Caller } from '../api-keys/caller.ts';
import { AppError } from '../errors.ts';
import { requireApiKey } from './auth.ts';
import type { HttpContext, HttpEnv } from './context.ts';
import type { Operation } from './operation.ts';
import { validJson, validQuery } from './validation.ts';

/** What a handler is given: the input as the operation's schemas made it, and what its feature depends on. */
export interface OperationRequest<Deps, Query extends z.ZodMiniType, Body extends z.ZodMiniType> {
  context: HttpContext;
  deps: Deps;
  /** Undefined for an operation that needs no API key. */
  caller: Caller;
  query: z.output<Query>;
  body: z.output<Body>;
}

/** What Cloudflare takes, and room for 100 ids and 100 phrases in a list's filters. */
const MAX_URL_CHARACTERS = 16 * 1024;

const refuseLongUrl: MiddlewareHandler<HttpEnv> = (context, next) => {
  if (context.req.url.length > MAX_URL_CHARACTERS) throw new AppError('URI_TOO_LONG');
  return next();
};

/** @template Deps what the handlers of the mounted operations depend on */
export class Router<Deps> {
  readonly #app: Hono<HttpEnv>;
  readonly #depsOf: (context: HttpContext) => Deps;

  constructor(app: Hono<HttpEnv>, depsOf: (context: HttpContext) => Deps) {
    this.#app = app;
    this.#depsOf = depsOf;
  }

  mount<Query extends z.ZodMiniType, Body extends z.ZodMiniType>(
    { method, path, rateLimitClass, scopes, servesCached = false, query, body }: Operation<Query, Body>,
    handle: (request: OperationRequest<Deps, Query, Body>) => Response | Promise<Response>,
  ): void {
    const steps: MiddlewareHandler<HttpEnv>[] =
      rateLimitClass === 'nothing' ? [] : [requireApiKey(rateLimitClass, scopes, servesCached)];
    steps.push(refuseLongUrl);
    if (query !== undefined) steps.push(validQuery(query));
    if (body !== undefined) steps.push(validJson(body));
    const handler: Handler<HttpEnv> = (context) => {
      // Hono's types know of a validator only if it is written into the route itself.
      const valid = (target: 'query' | 'json') => context.req.valid(target as never);
      const input = { query: query && valid('query'), body: body && valid('json') };
      const [deps, caller] = [this.#depsOf(context), context.get('caller')];
      return handle({ context, deps, caller, ...input } as OperationRequest<Deps, Query, Body>);
    };
    this.#app.on(method, [path], ...steps, handler);
  }
}
