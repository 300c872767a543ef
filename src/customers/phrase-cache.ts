/**
 * The phrase cache: the only file that touches PHRASE_CACHE.
 * Promise: a cache that fails, stalls, or holds garbage or another bank's value makes a request slower, never
 * wrong. Accepted: an answer may be as old as CACHE_SECONDS. Misses are never written.
 */
import * as z from 'zod/mini';
import { BINDING_DEADLINE_MS, withinDeadline, type Runtime } from '../runtime.ts';
import { standardCustomer } from './customers.standard.ts';

/** How long a value lives: the bound on every staleness. The README states it. */
export const CACHE_SECONDS = 300;
/** KV takes one write a second for a key; a second try waits a little longer than that. */
const REWRITE_DELAY_MS = 1_100;
/** A read that has not answered by then is asked of D1 instead. A cold KV read takes 50 to 250 ms. */
const PATIENCE_MS = 1_000;

/** What one isolate remembers of its own writes, so that a fill can tell whether it raced one. */
export interface CacheMemory {
  updates: number;
}

/** What lies at the edge: the Standard fields, and the revision that an ETag is made of. */
const cachedCustomer = z.strictObject({ revision: z.string(), customer: standardCustomer });
export type CachedCustomer = z.output<typeof cachedCustomer>;

export type ReadAgain = () => Promise<CachedCustomer | null>;

function cacheKey(bankId: string, phrase: string): string {
  return `phrase:${bankId}:${phrase}`;
}

type CacheRuntime = Pick<Runtime, 'now' | 'sleep' | 'timer' | 'log'>;

export class PhraseCache {
  readonly #binding: KVNamespace;
  readonly #memory: CacheMemory;
  readonly #runtime: CacheRuntime;

  constructor(binding: KVNamespace, memory: CacheMemory, runtime: CacheRuntime) {
    this.#binding = binding;
    this.#memory = memory;
    this.#runtime = runtime;
  }

  /** Null: not there, not readable in time, or not this bank's. Never throws. */
  async read(bankId: string, phrase: string): Promise<CachedCustomer | null> {
    try {
      const reading = this.#binding.get(cacheKey(bankId, phrase), 'json');
      const value = cachedCustomer.safeParse(await this.#answerOf(reading, PATIENCE_MS));
      const owned =
        value.success && value.data.customer.bankId === bankId && value.data.customer.phrase === phrase;
      return owned ? value.data : null;
    } catch {
      this.#failed('read');
      return null;
    }
  }

  /**
   * Does KV answer? Asks for a key that nobody has asked for before, so that no edge has its absence at hand.
   * @throws what KV throws. Whoever asks sets the deadline.
   */
  async check(): Promise<void> {
    await this.#binding.get(`check:${this.#runtime.now()}`);
  }

  /**
   * Call before reading D1; call what it returns with what was read. That is written, and written anew if an
   * update overtook it. Never throws.
   */
  beginFill(): (cached: CachedCustomer, readAgain: ReadAgain) => Promise<void> {
    const updatesBefore = this.#memory.updates;
    const startedAt = this.#runtime.now();
    return async (cached, readAgain) => {
      try {
        const put = await this.#tryPut(cached);
        // Another isolate's update can't be seen from here; that its write lands before ours is likely only if
        // this fill was slow. One that was given up may land even later.
        const slow = this.#runtime.now() - startedAt > PATIENCE_MS;
        if (slow || this.#memory.updates !== updatesBefore) await this.#putAnew(cached.customer, readAgain);
        else if (!put) this.#failed('fill');
      } catch {
        this.#failed('fill');
      }
    };
  }

  /** Call after an update has been committed. Never throws. */
  async writeThrough(cached: CachedCustomer, readAgain: ReadAgain): Promise<void> {
    this.#memory.updates += 1;
    const own = this.#memory.updates;
    try {
      const put = await this.#tryPut(cached);
      // Another change, or an erasure, that came while this was being written may have been overwritten by it.
      if (!put || this.#memory.updates !== own) await this.#putAnew(cached.customer, readAgain);
    } catch {
      this.#failed('write through');
    }
  }

  /** Call after a customer has been erased. Never throws. */
  async forget(bankId: string, phrase: string): Promise<void> {
    this.#memory.updates += 1;
    try {
      await this.#delete(bankId, phrase);
    } catch {
      this.#failed('forget');
    }
  }

  /**
   * Goes behind `forget`, and the answer need not wait for it: a write that was under way may have come after, or KV
   * may have refused a second write of the key in one second, or not have answered in time. Never throws.
   */
  async forgetAgain(bankId: string, phrase: string): Promise<void> {
    await this.#runtime.sleep(REWRITE_DELAY_MS);
    await this.forget(bankId, phrase);
  }

  async #put(cached: CachedCustomer): Promise<void> {
    const { bankId, phrase } = cached.customer;
    const putting = this.#binding.put(cacheKey(bankId, phrase), JSON.stringify(cached), {
      expirationTtl: CACHE_SECONDS,
    });
    await this.#answerOf(putting, BINDING_DEADLINE_MS);
  }

  /** @returns whether KV took it in time */
  async #tryPut(cached: CachedCustomer): Promise<boolean> {
    return this.#put(cached).then(
      () => true,
      () => false,
    );
  }

  async #delete(bankId: string, phrase: string): Promise<void> {
    await this.#answerOf(this.#binding.delete(cacheKey(bankId, phrase)), BINDING_DEADLINE_MS);
  }

  #answerOf<Result>(call: Promise<Result>, deadlineMs: number): Promise<Result> {
    return withinDeadline(this.#runtime.timer, deadlineMs, 'KV', call);
  }

  /** Writes what D1 says now, however often the value was fought over a moment ago. */
  async #putAnew(stale: { bankId: string; phrase: string }, readAgain: ReadAgain): Promise<void> {
    await this.#runtime.sleep(REWRITE_DELAY_MS);
    const current = await readAgain();
    if (current === null) await this.#delete(stale.bankId, stale.phrase);
    else await this.#put(current);
  }

  #failed(action: string): void {
    this.#runtime.log('warn', { event: 'phrase_cache_failed', action });
  }
}
