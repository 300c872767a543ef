/**
 * The phrase cache: the only file that touches PHRASE_CACHE.
 * Promise: a cache that fails, stalls, or holds garbage or another customer's value makes a request slower, never
 * wrong. Accepted: a response may be as old as CACHE_SECONDS. Misses are never written.
 */
import * as z from 'zod/mini';
import { BINDING_DEADLINE_MS, withinDeadline, type Runtime } from '../runtime.ts';
import { payee, standardCustomer, type Payee } from './customers.standard.ts';

/** How long a value lives, and so how old a response can be. The README states it. */
export const CACHE_SECONDS = 300;
/** KV accepts one write per second and key; a second attempt waits a little longer. */
const REWRITE_DELAY_MS = 1_100;
/** After this, D1 is read instead. A cold KV read takes 50 to 250 ms. */
const READ_TIMEOUT_MS = 1_000;

/** Counts an isolate's own updates of one kind of value, so that a fill can tell whether one overtook it. */
export interface CacheMemory {
  updates: number;
}

/** One kind of value in KV. A value of another shape, or one that names another key, counts as a miss. */
interface CacheKind<Value> {
  schema: z.ZodMiniType<Value>;
  /** The key of the customer whom the value names. */
  keyOf: (value: Value) => string;
}

/** What a bank sees of its own customer: the Standard fields, and the revision for the ETag. */
const cachedCustomer = z.strictObject({ revision: z.string(), customer: standardCustomer });
export type CachedCustomer = z.output<typeof cachedCustomer>;

export const CUSTOMER_VALUES: CacheKind<CachedCustomer> = {
  schema: cachedCustomer,
  keyOf: ({ customer: { bankId, phrase } }) => customerKey(bankId, phrase),
};

export function customerKey(bankId: string, phrase: string): string {
  return `phrase:${bankId}:${phrase}`;
}

/** What every bank may see of a customer. */
export const PAYEE_VALUES: CacheKind<Payee> = { schema: payee, keyOf: ({ phrase }) => payeeKey(phrase) };

export function payeeKey(phrase: string): string {
  return `payee:${phrase}`;
}

type CacheRuntime = Pick<Runtime, 'now' | 'sleep' | 'timer' | 'log'>;

/** The values of one kind. */
export class PhraseCache<Value> {
  readonly #kind: CacheKind<Value>;
  readonly #binding: KVNamespace;
  readonly #memory: CacheMemory;
  readonly #runtime: CacheRuntime;

  constructor(kind: CacheKind<Value>, binding: KVNamespace, memory: CacheMemory, runtime: CacheRuntime) {
    this.#kind = kind;
    this.#binding = binding;
    this.#memory = memory;
    this.#runtime = runtime;
  }

  /** Returns null if the value is absent, not read in time, malformed, or of another key. Never throws. */
  async read(key: string): Promise<Value | null> {
    try {
      const reading = this.#binding.get(key, 'json');
      const value = this.#kind.schema.safeParse(await this.#withinDeadline(reading, READ_TIMEOUT_MS));
      return value.success && this.#kind.keyOf(value.data) === key ? value.data : null;
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
   * Call before reading D1, and the returned function with the value. It writes the value, and writes again if an
   * update overtook it. Never throws.
   * @param readAgain reads the value from the primary; null if the customer was erased
   */
  beginFill(): (value: Value, readAgain: () => Promise<Value | null>) => Promise<void> {
    const updatesBefore = this.#memory.updates;
    const startedAt = this.#runtime.now();
    return async (value, readAgain) => {
      try {
        const put = await this.#tryPut(value);
        // Another isolate's update is not counted here. Its write can land before ours only if this fill was slow; a
        // write that was given up may land later still.
        const slow = this.#runtime.now() - startedAt > READ_TIMEOUT_MS;
        if (slow || this.#memory.updates !== updatesBefore) await this.#putAnew(value, readAgain);
        else if (!put) this.#failed('fill');
      } catch {
        this.#failed('fill');
      }
    };
  }

  /**
   * Call after an update has been committed. Never throws.
   * @param readAgain reads the value from the primary; null if the customer was erased
   */
  async writeThrough(value: Value, readAgain: () => Promise<Value | null>): Promise<void> {
    this.#memory.updates += 1;
    const own = this.#memory.updates;
    try {
      const put = await this.#tryPut(value);
      // An update or an erasure that came during this write may have been overwritten by it.
      if (!put || this.#memory.updates !== own) await this.#putAnew(value, readAgain);
    } catch {
      this.#failed('write through');
    }
  }

  /** Call after a customer has been erased. Never throws. */
  async forget(key: string): Promise<void> {
    this.#memory.updates += 1;
    try {
      await this.#delete(key);
    } catch {
      this.#failed('forget');
    }
  }

  /**
   * Call after `forget`, without delaying the response: a write in progress may have landed later, or KV may have
   * refused a second write of the key within one second, or not have confirmed the deletion. Never throws.
   */
  async forgetAgain(key: string): Promise<void> {
    await this.#runtime.sleep(REWRITE_DELAY_MS);
    await this.forget(key);
  }

  async #put(value: Value): Promise<void> {
    const putting = this.#binding.put(this.#kind.keyOf(value), JSON.stringify(value), {
      expirationTtl: CACHE_SECONDS,
    });
    await this.#withinDeadline(putting, BINDING_DEADLINE_MS);
  }

  /** Returns whether KV confirmed the write in time. */
  async #tryPut(value: Value): Promise<boolean> {
    return this.#put(value).then(
      () => true,
      () => false,
    );
  }

  async #delete(key: string): Promise<void> {
    await this.#withinDeadline(this.#binding.delete(key), BINDING_DEADLINE_MS);
  }

  #withinDeadline<Result>(call: Promise<Result>, deadlineMs: number): Promise<Result> {
    return withinDeadline(this.#runtime.timer, deadlineMs, 'KV', call);
  }

  /** Waits until KV accepts another write of the key, then writes what D1 holds. */
  async #putAnew(stale: Value, readAgain: () => Promise<Value | null>): Promise<void> {
    await this.#runtime.sleep(REWRITE_DELAY_MS);
    const current = await readAgain();
    if (current === null) await this.#delete(this.#kind.keyOf(stale));
    else await this.#put(current);
  }

  #failed(action: string): void {
    this.#runtime.log('warn', { event: 'phrase_cache_failed', action });
  }
}
