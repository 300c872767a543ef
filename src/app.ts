/** The HTTP door: the hallway that every request walks through, and the rooms. Serves production and tests. */
import { Hono } from 'hono/tiny';
import { auditRoutes } from './audit/audit.routes.ts';
import { batchRoutes } from './batches/batches.routes.ts';
import { customerRoutes } from './customers/customers.routes.ts';
import type { Deps } from './deps.ts';
import type { Env } from './env.ts';
import { erasureRoutes } from './erasure/erasure.routes.ts';
import { AppError } from './errors.ts';
import { healthRoutes } from './health/health.routes.ts';
import type { HttpEnv } from './http/context.ts';
import { BOOKMARK_HEADER, fail } from './http/responses.ts';
import { logRequest } from './http/request-log.ts';
import { welcome } from './http/welcome.ts';
import { createId } from './lib/ids.ts';

/** A year, as browsers' preload lists ask for. */
const HSTS = 'max-age=31536000; includeSubDomains';

export type DepsOf = (env: Env, context: Pick<ExecutionContext, 'waitUntil'>, bookmark?: string) => Deps;

/** @param depsOf builds what one request needs */
export function createApp(depsOf: DepsOf): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();

  app.use(async (context, next) => {
    const deps = depsOf(context.env, context.executionCtx, context.req.header(BOOKMARK_HEADER));
    const { runtime } = deps;
    const requestId = createId('req', runtime);
    context.set('requestId', requestId);
    context.set('headers', {
      'X-Request-Id': requestId,
      // Nor compressed on the way: that would weaken an ETag.
      'Cache-Control': 'no-store, no-transform',
      'X-Content-Type-Options': 'nosniff',
      'Strict-Transport-Security': HSTS,
    });
    context.set('deps', deps);
    const startedAt = runtime.now();
    await next();
    logRequest(context, runtime, startedAt);
  });

  app.use((context, next) => {
    // Hono's router would take it for the path without it, which is all that the reference knows of.
    if (context.req.path.length > 1 && context.req.path.endsWith('/')) {
      const message = 'must not end with a slash';
      throw new AppError('ROUTE_NOT_FOUND', { errors: [{ field: 'path', message }] });
    }
    return next();
  });

  app.get('/', welcome);
  healthRoutes(app);
  customerRoutes(app);
  batchRoutes(app);
  erasureRoutes(app);
  auditRoutes(app);
  refuseOtherMethods(app);

  app.notFound((context) => fail(context, new AppError('ROUTE_NOT_FOUND')));
  app.onError((error, context) => fail(context, error));
  return app;
}

/** Every address that exists answers the methods it does not have with a 405 that names those it has. */
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
