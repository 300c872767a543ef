/** Authentication by `Authorization: Bearer <API key>`, rate limits, and the scopes that an operation needs. */
import type { MiddlewareHandler } from 'hono';
import type { ActingCaller, Caller } from '../api-keys/caller.ts';
import { AppError } from '../errors.ts';
import { authenticate, authenticateForCachedPhrase } from '../api-keys/api-keys.service.ts';
import type { Scope } from '../api-keys/scopes.ts';
import type { HttpContext, HttpEnv } from './context.ts';
import type { RateLimitClass } from '../rate-limits/rate-limits.ts';

/** A 401 describes the rate limits too, although no API key is known: a client has no other way to learn them. */
function unauthenticated(context: HttpContext, rateLimitClass: RateLimitClass): AppError {
  context.get('deps').rateLimits.describeUnused(context.get('headers'), rateLimitClass);
  return new AppError('UNAUTHENTICATED', {
    headers: { 'WWW-Authenticate': 'Bearer realm="peere"' },
    errors: [
      {
        field: 'Authorization',
        message:
          'must be `Bearer ` and a key that is valid here; a key in another header or in the URL is not read',
      },
    ],
  });
}

/** An API key has 60 characters. */
const MAX_HEADER_CHARACTERS = 256;

function readApiKey(header: string): string | undefined {
  return header.length > MAX_HEADER_CHARACTERS ? undefined : /^Bearer +(\S+)$/i.exec(header)?.[1];
}

/**
 * @param rateLimitClass what a request to the operation counts as
 * @param scopes any one of them is enough
 * @param servesCached the operation answers some requests without D1, and confirms the caller before it uses D1
 */
export function requireApiKey(
  rateLimitClass: RateLimitClass,
  scopes: readonly Scope[],
  servesCached: boolean,
): MiddlewareHandler<HttpEnv> {
  return async (context, next) => {
    const key = readApiKey(context.req.header('Authorization') ?? '');
    if (key === undefined) throw unauthenticated(context, rateLimitClass);
    const deps = context.get('deps');
    const authenticated = await (servesCached ? authenticateForCachedPhrase : authenticate)(key, deps);
    if (authenticated === null) throw unauthenticated(context, rateLimitClass);
    const { caller, check } = authenticated;
    const confirm = async () => {
      const confirmed = (await check?.()) ?? null;
      if (confirmed === null) throw unauthenticated(context, rateLimitClass);
      requireScope(confirmed, scopes);
      return confirmed;
    };
    context.set('caller', check === undefined ? caller : { ...caller, confirm });
    deps.rateLimits.admit(context.get('headers'), caller.apiKeyId, rateLimitClass);
    requireScope(caller, scopes);
    await next();
  };
}

function requireScope(caller: Caller, scopes: readonly Scope[]): void {
  if (scopes.some((scope) => caller.scopes.has(scope))) return;
  const message = `needs a key with the scope ${scopes.join(' or ')}`;
  throw new AppError('FORBIDDEN', { errors: [{ field: 'Authorization', message }] });
}

/** On whose behalf the request changes something. Only after `requireApiKey`. */
export function actorOf(context: HttpContext): ActingCaller {
  const { bankId, apiKeyId, home, jurisdictions } = context.get('caller');
  return { bankId, apiKeyId, home, jurisdictions, requestId: context.get('requestId') };
}
