/**
 * Who is calling? A key is 256 random bits behind a prefix, kept as its SHA-256 and nothing else; the bank is
 * always the key's own. An isolate remembers a good key for 30 s, so a revocation takes no longer than that;
 * bad keys are not remembered, so guessing can't fill the memory.
 */
import { run, type Database } from '../db/client.ts';
import { describeCause } from '../db/cause.ts';
import type { Runtime } from '../runtime.ts';
import { hasChecksum } from './key-checksum.ts';
import { findKeyByHash, markKeyUsed, type KeyRow } from './keys.store.ts';

export interface Caller {
  keyId: string;
  bankId: string;
  scopes: ReadonlySet<string>;
  /** The bank's, for the cursors of its lists. */
  cursorKey: string;
}

/** Milliseconds for which a good key is not asked for again. The design's bound on revocation. */
export const KEY_MEMORY_MS = 30_000;
/** Keys that one isolate remembers; beyond it the oldest goes. About 300 bytes each. */
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

/** What identifying a caller needs of an event. */
interface Context {
  keyDatabase: Database;
  keyMemory: KeyMemory;
  runtime: Pick<Runtime, 'now' | 'log'>;
  /** Test keys are refused. */
  production: boolean;
  after: (work: Promise<void>) => void;
}

/**
 * @param key what came behind `Bearer `
 * @returns the caller, or null for any key that is malformed, unknown, revoked or expired
 */
export async function identify(key: string, context: Context): Promise<Caller | null> {
  const { keyDatabase, keyMemory, runtime, production } = context;
  const kind = KEY_SHAPE.exec(key)?.[1];
  if (kind === undefined || (kind === 'live' && !hasChecksum(key)) || (kind === 'test' && production))
    return null;
  const now = runtime.now();
  const hash = await hashKey(key);
  const [found] = await run<KeyRow>(keyDatabase, findKeyByHash(hash));
  if (found === undefined || found.revokedAt !== null) return null;
  const expiresAt = found.expiresAt ?? Number.POSITIVE_INFINITY;
  if (expiresAt <= now) return null;
  const { id: keyId, bankId, cursorKey } = found;
  const caller = { keyId, bankId, scopes: new Set(found.scopes.split(' ')), cursorKey };
  keyMemory.remember(key, caller, Math.min(now + KEY_MEMORY_MS, expiresAt));
  const today = new Date(now).toISOString().slice(0, 10);
  if ((found.lastUsedOn ?? '') < today) context.after(noteUse(context, hash, keyId, today));
  return caller;
}

/** Once a day, and the answer does not wait for it. That it fails costs a date, and is tried again with the next look at the key. */
async function noteUse(
  { keyDatabase, runtime }: Context,
  hash: string,
  keyId: string,
  today: string,
): Promise<void> {
  try {
    await run(keyDatabase, markKeyUsed(hash, today));
  } catch (error) {
    runtime.log('warn', { event: 'key_use_not_noted', key: keyId, cause: describeCause(error) });
  }
}
