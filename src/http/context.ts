/** What a request carries through the middleware and its handler. */
import type { Context } from 'hono';
import type { AuthenticationDeps } from '../api-keys/api-keys.service.ts';
import type { Caller } from '../api-keys/caller.ts';
import type { Env } from '../env.ts';
import type { RateLimits } from '../rate-limits/rate-limits.ts';

/** The dependencies of the HTTP layer itself. Features add those of their services. */
export interface HttpDeps extends AuthenticationDeps {
  /** Knows which state this request has seen. */
  databases: { readonly bookmark: string | null };
  rateLimits: RateLimits;
}

export interface HttpEnv {
  Bindings: Env;
  Variables: {
    deps: HttpDeps;
    requestId: string;
    /** Headers of the response, collected until responses.ts sends them all at once. */
    headers: Record<string, string>;
    /** Set by auth.ts for every operation that needs an API key: all under /v1. */
    caller: Caller;
  };
}

export type HttpContext = Context<HttpEnv>;
