/**
 * Authenticates callers. An API key is 256 random bits behind a prefix, stored as its SHA-256 only, and belongs to one
 * bank. An isolate caches a valid API key for 30 s, so a revocation takes no longer than that. An API key that was valid
 * at most 5 minutes ago opens cached phrases, and nothing else, while the primary is asked about it: they do not wait for
 * the answer, and need none while D1 is unavailable. Invalid API keys are not cached, so guessing can't fill the memory.
 */
import { READ_DEADLINE_MS, execute, WRITE_DEADLINE_MS, type Database } from '../db/statements.ts';
import { DatabaseError, describeCause } from '../db/errors.ts';
import type { Runtime } from '../runtime.ts';
import type { Jurisdictions, ShardName } from '../databases/home.ts';
import type { Caller } from './caller.ts';
import { hasChecksum } from './api-key-checksum.ts';
import { selectApiKey, updateLastUsed } from './api-keys.store.ts';

/** How long an API key is cached: the bound on revocation for everything but cached phrases. */
export const API_KEY_CACHE_MS = 30_000;
/** The bound on revocation for cached phrases, in an isolate whose check of the API key is under way or fails. */
export const MAX_UNCHECKED_MS = 300_000;
/** After a check without an answer, none begins for this long, and nobody waits for one. */
const CHECK_AGAIN_MS = 5_000;
/** API keys that one isolate caches, about 300 bytes each; beyond it the oldest is dropped. */
const MAX_CACHED_API_KEYS = 1_000;

const API_KEY_PATTERN = /^peere_(live|test)_[A-Za-z0-9_-]{1,80}$/;

interface CachedApiKey {
  caller: Caller;
  hash: string;
  freshUntil: number;
  uncheckedUntil: number;
  /** Until then a check is under way, which another request has begun. */
  checkingUntil: number;
  /** Until then no check begins, because the last one had no answer. */
  unansweredUntil: number;
}

/** One isolate's cache of API keys. Held by the Worker, not by a module, so that tests never share one. */
export class ApiKeyCache {
  readonly #callers = new Map<string, CachedApiKey>();

  /** Returns undefined if D1 must be asked. */
  recall(key: string, now: number): Caller | undefined {
    const remembered = this.#callers.get(key);
    return remembered !== undefined && now < remembered.freshUntil ? remembered.caller : undefined;
  }

  /** Returns what opens cached phrases before D1 has answered. */
  recallUnchecked(key: string, now: number): CachedApiKey | undefined {
    const remembered = this.#callers.get(key);
    return remembered !== undefined && now < remembered.uncheckedUntil ? remembered : undefined;
  }

  forget(key: string): void {
    this.#callers.delete(key);
  }

  remember(key: string, hash: string, caller: Caller, now: number, expiresAt: number): void {
    this.#callers.delete(key);
    this.#callers.set(key, {
      caller,
      hash,
      freshUntil: Math.min(now + API_KEY_CACHE_MS, expiresAt),
      uncheckedUntil: Math.min(now + MAX_UNCHECKED_MS, expiresAt),
      checkingUntil: 0,
      unansweredUntil: 0,
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
  directory: Database;
  apiKeyCache: ApiKeyCache;
  runtime: Pick<Runtime, 'now' | 'log'>;
  /** Refuses test API keys. */
  production: boolean;
  runAfterResponse: (work: Promise<void>) => void;
}

export interface Authenticated {
  caller: Caller;
  /**
   * Set if the caller opens cached phrases only, until this has confirmed it. Returns null for an API key that is not
   * valid any more.
   * @throws DatabaseError if D1 does not answer
   */
  check?: () => Promise<Caller | null>;
}

/**
 * @param key what came behind `Bearer `
 * @returns null for any key that is malformed, unknown, revoked or expired
 */
export async function authenticate(key: string, deps: AuthenticationDeps): Promise<Authenticated | null> {
  const caller = deps.apiKeyCache.recall(key, deps.runtime.now()) ?? (await checkApiKey(key, deps));
  return caller === null ? null : { caller };
}

/**
 * Authenticates for operations that may serve cached phrases: from an answer of at most 5 minutes ago. If it is older
 * than 30 s, the first request begins a check at once, which goes on behind its response.
 */
export async function authenticateForCachedPhrase(
  key: string,
  deps: AuthenticationDeps,
): Promise<Authenticated | null> {
  const now = deps.runtime.now();
  const remembered = deps.apiKeyCache.recallUnchecked(key, now);
  if (remembered === undefined || now < remembered.freshUntil) return authenticate(key, deps);
  const { caller, hash, checkingUntil, unansweredUntil } = remembered;
  if (now < unansweredUntil) return { caller, check: unanswered };
  // A request can't wait for another one's call, so it makes its own if it needs the answer.
  if (now < checkingUntil) return { caller, check: () => checkRemembered(key, hash, deps) };
  remembered.checkingUntil = now + READ_DEADLINE_MS;
  const checking = checkRemembered(key, hash, deps);
  deps.runAfterResponse(checking.then(ignore, ignore));
  return { caller, check: () => checking };
}

const ignore = () => {};

const unanswered = () =>
  Promise.reject(new DatabaseError('D1_NO_ANSWER: the last check of an API key had no answer'));

/** Waits as long as for any read: an answer that is late is still the one that a revocation waits for. */
async function checkRemembered(key: string, hash: string, deps: AuthenticationDeps): Promise<Caller | null> {
  const { apiKeyCache, runtime } = deps;
  try {
    return await checkHash(key, hash, deps);
  } catch (error) {
    // Another request may have found out meanwhile that the API key was revoked.
    const good = apiKeyCache.recallUnchecked(key, runtime.now());
    if (good !== undefined) {
      good.unansweredUntil = runtime.now() + CHECK_AGAIN_MS;
      const cause = describeCause(error);
      runtime.log('warn', { event: 'key_not_checked', key: good.caller.apiKeyId, cause });
    }
    throw error;
  }
}

async function checkApiKey(key: string, deps: AuthenticationDeps): Promise<Caller | null> {
  const kind = API_KEY_PATTERN.exec(key)?.[1];
  if (kind === undefined || (kind === 'live' && !hasChecksum(key)) || (kind === 'test' && deps.production))
    return null;
  return checkHash(key, await hashApiKey(key), deps);
}

function readJurisdictions(json: string): Jurisdictions {
  const byName = JSON.parse(json) as Record<ShardName, string | null>;
  return new Map(Object.entries(byName) as [ShardName, string | null][]);
}

async function checkHash(key: string, hash: string, deps: AuthenticationDeps): Promise<Caller | null> {
  const { directory, apiKeyCache, runtime } = deps;
  const now = runtime.now();
  const [found] = await execute(directory, selectApiKey(hash));
  const expiresAt = found?.expiresAt ?? Number.POSITIVE_INFINITY;
  if (found === undefined || found.revokedAt !== null || expiresAt <= now) {
    apiKeyCache.forget(key);
    return null;
  }
  const { id: apiKeyId, bankId, bankName, cursorKey, moveNumber } = found;
  const caller = {
    apiKeyId,
    bankId,
    bankName,
    scopes: new Set(found.scopes.split(' ')),
    cursorKey,
    home: { shard: found.shard as ShardName, moveNumber },
    jurisdictions: readJurisdictions(found.jurisdictions),
  };
  apiKeyCache.remember(key, hash, caller, now, expiresAt);
  const today = new Date(now).toISOString().slice(0, 10);
  if ((found.lastUsedOn ?? '') < today) deps.runAfterResponse(recordUse(deps, hash, apiKeyId, today));
  return caller;
}

/** Records the day of use, once a day and after the response. If it fails, the next check tries again. */
async function recordUse(
  { directory, runtime }: AuthenticationDeps,
  hash: string,
  apiKeyId: string,
  today: string,
): Promise<void> {
  try {
    await execute(directory, updateLastUsed(hash, today), WRITE_DEADLINE_MS);
  } catch (error) {
    runtime.log('warn', { event: 'key_use_not_noted', key: apiKeyId, cause: describeCause(error) });
  }
}
