/**
 * Who is calling? A key is 256 random bits behind a prefix, kept as its SHA-256 and nothing else; the bank is
 * always the key's own. An isolate remembers a good key for 30 s, so a revocation takes no longer than that;
 * bad keys are not remembered, so guessing can't fill the memory.
 */
import type { Database } from '../db/client.ts';
import { findKeyByHash } from './keys.store.ts';

export interface Caller {
  keyId: string;
  bankId: string;
  scopes: ReadonlySet<string>;
  /** The bank's, for the cursors of its lists. */
  cursorKey: string;
}

/** Milliseconds for which a good key is not asked for again. The design's bound on revocation. */
export const KEY_MEMORY_MS = 30_000;
/** Keys that one isolate remembers; beyond it the oldest goes. About 200 bytes each. */
const KEY_MEMORY_SIZE = 1_000;

const KEY_SHAPE = /^peere_(live|test)_[A-Za-z0-9_-]{1,80}$/;

interface Remembered {
  caller: Caller;
  until: number;
}

/** One isolate's memory of keys. Held by the Worker, not by a module, so that two never share it in tests. */
export class KeyMemory {
  readonly #callers = new Map<string, Remembered>();

  recall(key: string, now: number): Caller | undefined {
    const remembered = this.#callers.get(key);
    return remembered !== undefined && now < remembered.until ? remembered.caller : undefined;
  }

  remember(key: string, caller: Caller, until: number): void {
    this.#callers.delete(key);
    this.#callers.set(key, { caller, until });
    if (this.#callers.size > KEY_MEMORY_SIZE) {
      for (const oldest of this.#callers.keys()) {
        this.#callers.delete(oldest);
        break;
      }
    }
  }
}

export async function hashKey(key: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(key));
  return new Uint8Array(digest).toHex();
}

/**
 * @param key what came behind `Bearer `
 * @param production whether test keys are refused
 * @returns the caller, or null for any key that is malformed, unknown, revoked or expired
 */
export async function identify(
  key: string,
  context: { db: Database; memory: KeyMemory; now: number; production: boolean },
): Promise<Caller | null> {
  const kind = KEY_SHAPE.exec(key)?.[1];
  if (kind === undefined || (context.production && kind === 'test')) return null;
  const [found] = await findKeyByHash(context.db, await hashKey(key));
  if (found === undefined || found.revokedAt !== null) return null;
  const expiresAt = found.expiresAt ?? Number.POSITIVE_INFINITY;
  if (expiresAt <= context.now) return null;
  const { id: keyId, bankId, cursorKey } = found;
  const caller = { keyId, bankId, scopes: new Set(found.scopes.split(' ')), cursorKey };
  context.memory.remember(key, caller, Math.min(context.now + KEY_MEMORY_MS, expiresAt));
  return caller;
}
