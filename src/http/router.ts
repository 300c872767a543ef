/** Mounts operations as routes: everything around a handler comes from the operation's own data. */
import type { Handler, MiddlewareHandler } from 'hono';
import type { Hono } from 'hono/tiny';
import type * as z from 'zod/mini';
import type { Caller } from '../api-keys/caller.ts';
import { AppError } from '../errors.ts';
import { requireApiKey } from './auth.ts';
import type { HttpContext, HttpEnv } from './context.ts';
import { countMisses } from './guessing.ts';
import type { Operation, ResponseOf } from './operation.ts';
import { respondWithSuccess } from './responses.ts';
import { refuseBody, validJson, validParams, validQuery } from './validation.ts';

type Output<Schema> = Schema extends z.ZodMiniType ? z.output<Schema> : undefined;

/** What a handler is given: the input as the operation's schemas parsed it, and what its feature depends on. */
export interface OperationRequest<Deps, Described extends Operation> {
  context: HttpContext;
  deps: Deps;
  /** Undefined for an operation that needs no API key. */
  caller: Caller;
  params: Output<NonNullable<Described['params']>>;
  query: Output<NonNullable<Described['query']>>;
  body: Output<NonNullable<Described['body']>['schema']>;
  /** The headers that the operation declares, as they were sent. */
  headers: { [Name in NonNullable<Described['requestHeaders']>[number]]: string | undefined };
}

export type OperationHandler<Deps, Described extends Operation> = (
  request: OperationRequest<Deps, Described>,
) => Promise<ResponseOf<Described['responses']>>;

/** What Cloudflare accepts, and enough for 100 ids and 100 phrases in a list's filters. */
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

  mount<Described extends Operation>(operation: Described, handle: OperationHandler<Deps, Described>): void {
    const { method, path, guesses, rateLimitClass } = operation;
    const handler: Handler<HttpEnv> = async (context) => {
      const request = this.#readRequest(context, operation);
      const work = () => handle(request);
      const response =
        guesses === undefined || rateLimitClass === 'nothing'
          ? await work()
          : await countMisses(context, rateLimitClass, guesses, request.query, work);
      return respondWithSuccess(context, operation.responses, response);
    };
    this.#app.on(method, [path], ...checksOf(operation), handler);
  }

  #readRequest<Described extends Operation>(context: HttpContext, described: Described) {
    const { params, query, body, requestHeaders = [] } = described;
    // Hono's types know of a validator only if it is written into the route itself.
    const valid = (target: 'param' | 'query' | 'json') => context.req.valid(target as never);
    return {
      context,
      deps: this.#depsOf(context),
      caller: context.get('caller'),
      params: params && valid('param'),
      query: query && valid('query'),
      body: body && valid('json'),
      headers: Object.fromEntries(requestHeaders.map((name) => [name, context.req.header(name)])),
    } as OperationRequest<Deps, Described>;
  }
}

/** What a request must pass before it reaches the handler, in this order. */
function checksOf(operation: Operation): MiddlewareHandler<HttpEnv>[] {
  const { rateLimitClass, scopes, servesCached = false, params, query, body } = operation;
  const checks: MiddlewareHandler<HttpEnv>[] = [];
  if (rateLimitClass !== 'nothing') checks.push(requireApiKey(rateLimitClass, scopes, servesCached));
  checks.push(refuseLongUrl);
  if (query !== undefined) checks.push(validQuery(query));
  if (body !== undefined) checks.push(validJson(body));
  else if (operation.method === 'POST') checks.push(refuseBody);
  if (params !== undefined) checks.push(validParams(params, operation.errors));
  return checks;
}
