/** The HTTP door: the hallway that every request walks through, and the rooms. Serves production and tests. */
import { Hono } from 'hono/tiny';
import { batchRoutes } from './batches/batches.routes.ts';
import { customerRoutes } from './customers/customers.routes.ts';
import { createDeps, type IsolateMemory } from './deps.ts';
import { AppError } from './errors.ts';
import type { HttpEnv } from './http/context.ts';
import { fail } from './http/envelope.ts';
import { logRequest } from './http/request-log.ts';
import { createId } from './lib/ids.ts';
import type { Runtime } from './runtime.ts';

export function createApp(runtime: Runtime, memory: IsolateMemory): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();

  app.use(async (context, next) => {
    const requestId = createId('req', runtime);
    context.set('requestId', requestId);
    context.header('X-Request-Id', requestId);
    context.header('Cache-Control', 'no-store');
    context.header('X-Content-Type-Options', 'nosniff');
    context.set('deps', createDeps(context.env, context.executionCtx, runtime, memory));
    const startedAt = runtime.now();
    await next();
    logRequest(context, runtime, startedAt);
  });

  customerRoutes(app);
  batchRoutes(app);
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
