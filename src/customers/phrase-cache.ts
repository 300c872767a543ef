/**
 * The phrase cache: the only file that touches PHRASE_CACHE.
 * Promise: a cache that fails, stalls, or holds garbage or another bank's value makes a request slower, never
 * wrong. Accepted: a response may be as old as CACHE_SECONDS. Misses are never written.
 */
import * as z from 'zod/mini';
import { BINDING_DEADLINE_MS, withinDeadline, type Runtime } from '../runtime.ts';
import { standardCustomer } from './customers.standard.ts';

/** How long a value lives, and so how old a response can be. The README states it. */
export const CACHE_SECONDS = 300;
/** KV accepts one write per second and key; a second attempt waits a little longer. */
const REWRITE_DELAY_MS = 1_100;
/** After this, D1 is read instead. A cold KV read takes 50 to 250 ms. */
const READ_TIMEOUT_MS = 1_000;

/** Counts an isolate's own updates, so that a fill can tell whether one overtook it. */
export interface CacheMemory {
  updates: number;
}

/** A value in KV: the Standard fields, and the revision for the ETag. One of another version counts as a miss. */
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

  /** Returns null if the value is absent, not read in time, malformed, or another bank's. Never throws. */
  async read(bankId: string, phrase: string): Promise<CachedCustomer | null> {
    try {
      const reading = this.#binding.get(cacheKey(bankId, phrase), 'json');
      const value = cachedCustomer.safeParse(await this.#withinDeadline(reading, READ_TIMEOUT_MS));
      const owned =
        value.success && value.data.customer.bankId === bankId && value.data.customer.phrase === phrase;
      return owned ? value.data : null;
    } catch {
      this.#failed('read');
      return null;
    }
  }

  /**
   * Checks that KV responds. Reads a key that was never read before, so that no edge has its absence cached.
   * @throws what KV throws; the caller sets the deadline
   */
  async check(): Promise<void> {
    await this.#binding.get(`check:${this.#runtime.now()}`);
  }

  /**
   * Call before reading D1, and the returned function with the row. It writes the row, and writes again if an update
   * overtook it. Never throws.
   */
  beginFill(): (cached: CachedCustomer, readAgain: ReadAgain) => Promise<void> {
    const updatesBefore = this.#memory.updates;
    const startedAt = this.#runtime.now();
    return async (cached, readAgain) => {
      try {
        const put = await this.#tryPut(cached);
        // Another isolate's update is not counted here. Its write can land before ours only if this fill was slow; a
        // write that was given up may land later still.
        const slow = this.#runtime.now() - startedAt > READ_TIMEOUT_MS;
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
      // An update or an erasure that came during this write may have been overwritten by it.
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
   * Call after `forget`, without delaying the response: a write in progress may have landed later, or KV may have
   * refused a second write of the key within one second, or not have confirmed the deletion. Never throws.
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
    await this.#withinDeadline(putting, BINDING_DEADLINE_MS);
  }

  /** Returns whether KV confirmed the write in time. */
  async #tryPut(cached: CachedCustomer): Promise<boolean> {
    return this.#put(cached).then(
      () => true,
      () => false,
    );
  }

  async #delete(bankId: string, phrase: string): Promise<void> {
    await this.#withinDeadline(this.#binding.delete(cacheKey(bankId, phrase)), BINDING_DEADLINE_MS);
  }

  #withinDeadline<Result>(call: Promise<Result>, deadlineMs: number): Promise<Result> {
    return withinDeadline(this.#runtime.timer, deadlineMs, 'KV', call);
  }

  /** Waits until KV accepts another write of the key, then writes what D1 holds. */
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
