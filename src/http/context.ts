/** What a request carries through middleware and handlers. */
import type { Context } from 'hono';
import type { AuthenticationDeps } from '../api-keys/api-keys.service.ts';
import type { Caller } from '../api-keys/caller.ts';
import type { Env } from '../env.ts';
import type { RateLimits } from '../rate-limits/rate-limits.ts';

/** A database that knows how much of its history this request has seen. */
interface Bookmarked {
  readonly bookmark: string | null;
}

/** What the HTTP layer needs itself. Features add what their services need. */
export interface HttpDeps extends AuthenticationDeps {
  db: Bookmarked;
  session: Bookmarked;
  rateLimits: RateLimits;
}

export interface HttpEnv {
  Bindings: Env;
  Variables: {
    deps: HttpDeps;
    requestId: string;
    /** The headers of the answer, which takes them all at once: `answer` in responses.ts. */
    headers: Record<string, string>;
    /** Set by auth.ts on every route that needs an API key: all routes under /v1. */
    caller: Caller;
  };
}

export type HttpContext = Context<HttpEnv>;
