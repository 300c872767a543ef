/** Who may pass: `Authorization: Bearer <key>`, and the scope that a route asks for. */
import type { MiddlewareHandler } from 'hono';
import type { Actor } from '../api-keys/caller.ts';
import { AppError } from '../errors.ts';
import { authenticate, authenticateForCache } from '../api-keys/api-keys.service.ts';
import type { Scope } from '../api-keys/scopes.ts';
import type { HttpContext, HttpEnv } from './context.ts';
import type { RateLimitClass } from '../rate-limits/rate-limits.ts';

/** Says what API keys may ask for, though it is not known of whom: a client can't tell otherwise. */
function unauthenticated(context: HttpContext, rateClass: RateLimitClass): AppError {
  context.get('deps').rateLimits.describeUnused(context.get('headers'), rateClass);
  return new AppError('UNAUTHENTICATED', {
    headers: { 'WWW-Authenticate': 'Bearer realm="peere"' },
    errors: [
      {
        field: 'Authorization',
        message:
          'must be `Bearer ` and a key that is valid here; a key in another header or in the address is not read',
      },
    ],
  });
}

/** Longest header that is looked at: a key has 60 characters. */
const MAX_HEADER_CHARACTERS = 256;

function readApiKey(header: string): string | undefined {
  return header.length > MAX_HEADER_CHARACTERS ? undefined : /^Bearer +(\S+)$/i.exec(header)?.[1];
}

/**
 * @param rateClass what a request to the route counts as
 * @param access the scopes of which any one opens the route
 * @param atEdge the route shows some things without D1, and looks at `caller.unchecked` before it does
 */
export function requireApiKey(
  rateClass: RateLimitClass,
  access: readonly Scope[],
  atEdge: boolean,
): MiddlewareHandler<HttpEnv> {
  return async (context, next) => {
    const key = readApiKey(context.req.header('Authorization') ?? '');
    if (key === undefined) throw unauthenticated(context, rateClass);
    const deps = context.get('deps');
    const caller = await (atEdge ? authenticateForCache : authenticate)(key, deps);
    if (caller === null) throw unauthenticated(context, rateClass);
    context.set('caller', caller);
    deps.rateLimits.admit(context.get('headers'), caller.apiKeyId, rateClass);
    if (!access.some((scope) => caller.scopes.has(scope))) {
      throw new AppError('FORBIDDEN', {
        errors: [{ field: 'Authorization', message: `needs a key with the scope ${access.join(' or ')}` }],
      });
    }
    await next();
  };
}

/** On whose behalf this request changes something. Behind `requireKey`. */
export function actorOf(context: HttpContext): Actor {
  const { bankId, apiKeyId } = context.get('caller');
  return { bankId, apiKeyId, requestId: context.get('requestId') };
}
