/**
 * Authenticates callers. An API key is 256 random bits behind a prefix, stored as its SHA-256 only, and belongs to one
 * bank. An isolate caches a valid API key for 30 s, so a revocation takes no longer than that. While D1 does not answer,
 * an API key that was valid at most 5 minutes ago still opens cached phrases, and nothing else. Invalid API keys are not
 * cached, so guessing can't fill the memory.
 */
import { READ_DEADLINE_MS, execute, WRITE_DEADLINE_MS, type Database } from '../db/statements.ts';
import { describeCause, isDatabaseUnavailable } from '../db/errors.ts';
import type { Runtime } from '../runtime.ts';
import type { Caller } from './caller.ts';
import { hasChecksum } from './api-key-checksum.ts';
import { selectApiKey, updateLastUsed } from './api-keys.store.ts';

/** How long an API key is cached: the bound on revocation. */
export const API_KEY_CACHE_MS = 30_000;
/** The bound on revocation while D1 does not answer: as long as KV keeps a phrase. */
export const MAX_UNCHECKED_MS = 300_000;
/** How long to wait for a check that is optional. D1 takes a few milliseconds, and a payment is waiting. */
const UNCHECKED_DEADLINE_MS = 1_000;
/** After a check without an answer, nobody waits for another one for this long. */
const CHECK_AGAIN_MS = 5_000;
/** API keys that one isolate caches, about 300 bytes each; beyond it the oldest is dropped. */
const MAX_CACHED_API_KEYS = 1_000;

const API_KEY_PATTERN = /^peere_(live|test)_[A-Za-z0-9_-]{1,80}$/;

interface CachedApiKey {
  caller: Caller;
  freshUntil: number;
  uncheckedUntil: number;
  /** When the next check is due, after one without an answer. */
  checkAgainAt: number | undefined;
}

/** One isolate's cache of API keys. Held by the Worker, not by a module, so that tests never share one. */
export class ApiKeyCache {
  readonly #callers = new Map<string, CachedApiKey>();

  /** Returns undefined if D1 must be asked. */
  recall(key: string, now: number): Caller | undefined {
    const remembered = this.#callers.get(key);
    return remembered !== undefined && now < remembered.freshUntil ? remembered.caller : undefined;
  }

  /** Returns what may be used if D1 does not answer. */
  recallUnchecked(key: string, now: number): CachedApiKey | undefined {
    const remembered = this.#callers.get(key);
    return remembered !== undefined && now < remembered.uncheckedUntil ? remembered : undefined;
  }

  forget(key: string): void {
    this.#callers.delete(key);
  }

  remember(key: string, caller: Caller, now: number, expiresAt: number): void {
    this.#callers.delete(key);
    this.#callers.set(key, {
      caller,
      freshUntil: Math.min(now + API_KEY_CACHE_MS, expiresAt),
      uncheckedUntil: Math.min(now + MAX_UNCHECKED_MS, expiresAt),
      checkAgainAt: undefined,
    });
    if (this.#callers.size > MAX_CACHED_API_KEYS) {
      for (const oldest of this.#callers.keys()) {
        this.#callers.delete(oldest);
        break;
      }
    }
  }
}

export async function hashApiKey(key: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(key));
  return new Uint8Array(digest).toHex();
}

export interface AuthenticationDeps {
  apiKeyDatabase: Database;
  apiKeyCache: ApiKeyCache;
  runtime: Pick<Runtime, 'now' | 'log'>;
  /** Refuses test API keys. */
  production: boolean;
  runAfterResponse: (work: Promise<void>) => void;
}

/**
 * @param key what came behind `Bearer `
 * @returns the caller, or null for any key that is malformed, unknown, revoked or expired
 */
export async function authenticate(key: string, deps: AuthenticationDeps): Promise<Caller | null> {
  return deps.apiKeyCache.recall(key, deps.runtime.now()) ?? checkApiKey(key, deps, READ_DEADLINE_MS);
}

/**
 * Authenticates for operations that may serve cached phrases: while D1 does not answer, returns the caller that it last
 * confirmed, as `unchecked`. After a check without an answer, one request per CHECK_AGAIN_MS waits for the next check.
 */
export async function authenticateForCachedPhrase(
  key: string,
  deps: AuthenticationDeps,
): Promise<Caller | null> {
  const { apiKeyCache, runtime } = deps;
  const now = runtime.now();
  const remembered = apiKeyCache.recallUnchecked(key, now);
  if (remembered === undefined || now < remembered.freshUntil) return authenticate(key, deps);
  if (remembered.checkAgainAt !== undefined) {
    if (now < remembered.checkAgainAt) return { ...remembered.caller, unchecked: true };
    remembered.checkAgainAt = now + CHECK_AGAIN_MS;
  }
  try {
    return await checkApiKey(key, deps, UNCHECKED_DEADLINE_MS);
  } catch (error) {
    // Another request may have found out meanwhile that the API key was revoked.
    const good = apiKeyCache.recallUnchecked(key, runtime.now());
    if (good === undefined || !isDatabaseUnavailable(error)) throw error;
    good.checkAgainAt = runtime.now() + CHECK_AGAIN_MS;
    runtime.log('warn', { event: 'key_not_checked', key: good.caller.apiKeyId, cause: describeCause(error) });
    return { ...good.caller, unchecked: true };
  }
}

async function checkApiKey(
  key: string,
  deps: AuthenticationDeps,
  deadlineMs: number,
): Promise<Caller | null> {
  const { apiKeyDatabase, apiKeyCache, runtime, production } = deps;
  const kind = API_KEY_PATTERN.exec(key)?.[1];
  if (kind === undefined || (kind === 'live' && !hasChecksum(key)) || (kind === 'test' && production))
    return null;
  const now = runtime.now();
  const hash = await hashApiKey(key);
  const [found] = await execute(apiKeyDatabase, selectApiKey(hash), deadlineMs);
  const expiresAt = found?.expiresAt ?? Number.POSITIVE_INFINITY;
  if (found === undefined || found.revokedAt !== null || expiresAt <= now) {
    apiKeyCache.forget(key);
    return null;
  }
  const { id: apiKeyId, bankId, cursorKey } = found;
  const caller = { apiKeyId, bankId, scopes: new Set(found.scopes.split(' ')), cursorKey, unchecked: false };
  apiKeyCache.remember(key, caller, now, expiresAt);
  const today = new Date(now).toISOString().slice(0, 10);
  if ((found.lastUsedOn ?? '') < today) deps.runAfterResponse(recordUse(deps, hash, apiKeyId, today));
  return caller;
}

/** Records the day of use, once a day and after the response. If it fails, the next check tries again. */
async function recordUse(
  { apiKeyDatabase, runtime }: AuthenticationDeps,
  hash: string,
  apiKeyId: string,
  today: string,
): Promise<void> {
  try {
    await execute(apiKeyDatabase, updateLastUsed(hash, today), WRITE_DEADLINE_MS);
  } catch (error) {
    runtime.log('warn', { event: 'key_use_not_noted', key: apiKeyId, cause: describeCause(error) });
  }
}
