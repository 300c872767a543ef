/** One structured log line per request, of an allow-list: no headers, no query, no body, nothing personal. */
import { matchedRoutes } from 'hono/route';
import { describeCause } from '../db/errors.ts';
import type { Runtime } from '../runtime.ts';
import type { HttpContext } from './context.ts';
import { toAppError } from './responses.ts';

export function logRequest(context: HttpContext, runtime: Runtime, startedAt: number): void {
  const caller = context.get('caller') as HttpContext['var']['caller'] | undefined;
  const { status } = context.res;
  const error = context.error === undefined ? undefined : toAppError(context.error);
  runtime.log(status >= 500 ? 'error' : 'info', {
    event: 'request',
    requestId: context.get('requestId'),
    method: context.req.method,
    // The pattern, not the URL: people paste names and emails into paths.
    route: matchedRoutes(context).findLast(({ method }) => method !== 'ALL')?.path ?? null,
    status,
    code: error?.code ?? null,
    cause: describeCause(error?.cause),
    bank: caller?.bankId ?? null,
    key: caller?.apiKeyId ?? null,
    cache: context.get('headers')['X-Cache'] ?? null,
    milliseconds: runtime.now() - startedAt,
  });
}
