/** The HTTP application: what happens to every request, and the routes of each feature. */
import type { MiddlewareHandler } from 'hono';
import { Hono } from 'hono/tiny';
import { auditRoutes } from './audit/audit.routes.ts';
import { bankRoutes } from './bank/bank.routes.ts';
import { acceptRoutes } from './batches/accept/accept.routes.ts';
import { resultRoutes } from './batches/results/results.routes.ts';
import { customerRoutes } from './customers/customers.routes.ts';
import type { Deps } from './deps.ts';
import type { Env } from './env.ts';
import { erasureRoutes } from './erasure/erasure.routes.ts';
import { AppError } from './errors.ts';
import { eventRoutes } from './events/events.routes.ts';
import { healthRoutes } from './health/health.routes.ts';
import type { HttpEnv } from './http/context.ts';
import { BOOKMARK_HEADER, respondWithError } from './http/responses.ts';
import { logRequest } from './http/request-log.ts';
import { Router } from './http/router.ts';
import { serveIndex, serveNotFound } from './http/welcome.ts';
import { createId } from './lib/ids.ts';
import { payeeRoutes } from './payee/payee.routes.ts';
import { webhookRoutes } from './webhooks/webhooks.routes.ts';

/** A year, as browsers' preload lists require. */
const HSTS = 'max-age=31536000; includeSubDomains';

/** Builds the dependencies of one event. */
export type CreateDeps = (env: Env, context: Pick<ExecutionContext, 'waitUntil'>, bookmark?: string) => Deps;

export function createApp(createDeps: CreateDeps): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.use(prepareRequest(createDeps));
  app.use(refuseTrailingSlash);
  app.get('/', serveIndex);

  // Set by `prepareRequest`.
  const router = new Router<Deps>(app, (context) => context.get('deps') as Deps);
  healthRoutes(router);
  bankRoutes(router);
  customerRoutes(router);
  payeeRoutes(router);
  acceptRoutes(router);
  resultRoutes(router);
  erasureRoutes(router);
  auditRoutes(router);
  eventRoutes(router);
  webhookRoutes(router);
  refuseOtherMethods(app);

  app.notFound(serveNotFound);
  app.onError((error, context) => respondWithError(context, error));
  return app;
}

/** Gives a request its id, its dependencies and the headers of its response, and logs it when it is done. */
function prepareRequest(createDeps: CreateDeps): MiddlewareHandler<HttpEnv> {
  return async (context, next) => {
    const deps = createDeps(context.env, context.executionCtx, context.req.header(BOOKMARK_HEADER));
    const { runtime } = deps;
    const requestId = createId('req', runtime);
    context.set('requestId', requestId);
    context.set('headers', {
      'X-Request-Id': requestId,
      // A proxy that compresses a response weakens its ETag.
      'Cache-Control': 'no-store, no-transform',
      'X-Content-Type-Options': 'nosniff',
      'Strict-Transport-Security': HSTS,
    });
    context.set('deps', deps);
    const startedAt = runtime.now();
    await next();
    logRequest(context, runtime, startedAt);
  };
}

/** Hono's router would serve the path without the slash, and the reference has only that one. */
const refuseTrailingSlash: MiddlewareHandler<HttpEnv> = (context, next) => {
  if (context.req.path.length > 1 && context.req.path.endsWith('/')) {
    const message = 'must not end with a slash';
    throw new AppError('ROUTE_NOT_FOUND', { errors: [{ field: 'path', message }] });
  }
  return next();
};

/** Every other method of a known path gets a 405 that names the methods of the path. */
function refuseOtherMethods(app: Hono<HttpEnv>): void {
  const methods = new Map<string, Set<string>>();
  for (const { path, method } of app.routes) {
    if (method === 'ALL') continue;
    const known = methods.get(path) ?? new Set();
    known.add(method);
    if (method === 'GET') known.add('HEAD');
    methods.set(path, known);
  }
  for (const [path, known] of methods) {
    app.all(path, () => {
      throw new AppError('METHOD_NOT_ALLOWED', { headers: { Allow: [...known].join(', ') } });
    });
  }
}
