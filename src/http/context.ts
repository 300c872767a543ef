/** What a request carries on its way through the hallway. */
import type { Context } from 'hono';
import type { Deps } from '../deps.ts';
import type { Env } from '../env.ts';
import type { Caller } from '../api-keys/api-keys.service.ts';

export interface HttpEnv {
  Bindings: Env;
  Variables: {
    deps: Deps;
    requestId: string;
    /** Of the answer, which takes them all at once: `answer` in envelope.ts. */
    headers: Record<string, string>;
    /** Set by http/auth.ts on every route that needs a key: all of them under /v1. */
    caller: Caller;
  };
}

export type HttpContext = Context<HttpEnv>;
