/**
 * The phrase cache: what lookups by phrase show, kept in each data centre that was asked.
 * Promise: a cache that fails, stalls, or holds garbage or another customer's value makes a request slower, never
 * wrong. Accepted: a cached response may be as old as CACHE_SECONDS. Each value says when the primary was asked for it,
 * so neither a write that lands late nor another data centre's copy makes a response older. Misses are never written.
 */
import * as z from 'zod/mini';
import type { Found } from '../databases/tenant.ts';
import { BINDING_DEADLINE_MS, withinDeadline, type Runtime } from '../runtime.ts';
import { payee, standardCustomer, type Payee } from './customers.standard.ts';
import type { ValueStore } from './data-centre-cache.ts';

/** How old a cached response can be. The README states it. */
export const CACHE_SECONDS = 300;
/** An erasure is repeated after this time, for fills that were under way: they take some hundred milliseconds. */
const FORGET_AGAIN_MS = 1_000;
/** How far the clocks of two machines of a data centre may differ. Cloudflare's are kept by NTP. */
const MAX_CLOCK_SKEW_MS = 1_000;
/** After this, D1 is read instead. The cache takes up to 15 ms, and D1 on another continent 300. */
const READ_TIMEOUT_MS = 300;

/** Bounds the memory. Keys that share a counter only cost each other a fill now and then. */
const COUNTERS = 1_024;

/** Counts an isolate's own updates of one kind of value, by key, so that a fill can tell whether one overtook it. */
export class CacheMemory {
  readonly #updates = new Uint32Array(COUNTERS);

  /** Returns how many updates there were. */
  count(key: string): number {
    return this.#updates[slotOf(key)] ?? 0;
  }

  /** Counts an update, and returns how many there were then. */
  add(key: string): number {
    const slot = slotOf(key);
    return (this.#updates[slot] = this.count(key) + 1);
  }
}

function slotOf(key: string): number {
  let hash = 0;
  for (let at = 0; at < key.length; at += 1) hash = (Math.imul(hash, 31) + key.charCodeAt(at)) | 0;
  return (hash >>> 0) % COUNTERS;
}

/** One kind of value. One of another shape, or one that names another key, counts as a miss. */
interface CacheKind<Value> {
  schema: z.ZodMiniType<Stored<Value>>;
  /** The key of the customer whom the value names. */
  keyOf: (value: Value) => string;
}

interface Stored<Value> {
  /** When the primary was asked for the value, in milliseconds since 1970. */
  readAt: number;
  value: Value;
}

/** What a bank sees of its own customer: the Standard fields, and the revision for the ETag. */
const cachedCustomer = z.strictObject({ revision: z.string(), customer: standardCustomer });
export type CachedCustomer = z.output<typeof cachedCustomer>;

function storedSchema<Value>(value: z.ZodMiniType<Value>): z.ZodMiniType<Stored<Value>> {
  return z.strictObject({ readAt: z.number(), value });
}

export const CUSTOMER_VALUES: CacheKind<CachedCustomer> = {
  schema: storedSchema(cachedCustomer),
  keyOf: ({ customer: { bankId, phrase } }) => customerKey(bankId, phrase),
};

export function customerKey(bankId: string, phrase: string): string {
  return `phrase:${bankId}:${phrase}`;
}

/** What every bank may see of a customer. */
export const PAYEE_VALUES: CacheKind<Payee> = {
  schema: storedSchema(payee),
  keyOf: ({ phrase }) => payeeKey(phrase),
};

export function payeeKey(phrase: string): string {
  return `payee:${phrase}`;
}

/** How a value that is not cached is read from D1. */
export interface ValueSource<Row, Value> {
  nearest: () => Promise<Found<Row>>;
  primary: () => Promise<Found<Row>>;
  /** Asked after a read: may what it found be kept in any data centre? */
  isCacheable: () => boolean;
  /** @returns null for nothing */
  toValue: (row: Row | undefined) => Value | null;
}

type CacheRuntime = Pick<Runtime, 'now' | 'sleep' | 'timer' | 'log'>;

/** The values of one kind. */
export class PhraseCache<Value> {
  readonly #kind: CacheKind<Value>;
  readonly #store: ValueStore;
  readonly #memory: CacheMemory;
  readonly #runtime: CacheRuntime;

  constructor(kind: CacheKind<Value>, store: ValueStore, memory: CacheMemory, runtime: CacheRuntime) {
    this.#kind = kind;
    this.#store = store;
    this.#memory = memory;
    this.#runtime = runtime;
  }

  /** Returns null if the value is absent, too old, not read in time, malformed, or of another key. Never throws. */
  async read(key: string): Promise<Value | null> {
    try {
      const reading = this.#store.get(key);
      const stored = this.#kind.schema.safeParse(await this.#withinDeadline(reading, READ_TIMEOUT_MS));
      if (!stored.success) return null;
      const { readAt, value } = stored.data;
      return this.#isRecent(readAt) && this.#kind.keyOf(value) === key ? value : null;
    } catch {
      this.#failed('read');
      return null;
    }
  }

  /**
   * Reads a value that is not cached from D1. The nearest replica may answer; but what is cached, and that there is no
   * value, only the primary says. Fills the cache after the response.
   * @throws DatabaseError; what `toValue` throws
   */
  async readThrough<Row>(
    key: string,
    { nearest, primary, isCacheable, toValue }: ValueSource<Row, Value>,
    runAfterResponse: (work: Promise<void>) => void,
  ): Promise<Value | null> {
    const readPrimary = async () => toValue((await primary()).row);
    const fill = this.#beginFill(key);
    const { row, fromPrimary } = await nearest();
    const value = toValue(row);
    if (value !== null && !fromPrimary) {
      if (isCacheable()) runAfterResponse(this.#fillFrom(key, readPrimary, isCacheable));
      return value;
    }
    const confirmed = fromPrimary ? value : await readPrimary();
    if (confirmed !== null && isCacheable()) runAfterResponse(fill(confirmed));
    return confirmed;
  }

  /**
   * Checks that the cache responds. Reads a key that was never read before.
   * @throws what the cache throws; the caller sets the deadline
   */
  async check(): Promise<void> {
    await this.#store.get(`check:${this.#runtime.now()}`);
  }

  /**
   * Call after an update has been committed. Never throws.
   * @param readAt a time before the update, which returned the value
   */
  async writeThrough(value: Value, readAt: number): Promise<void> {
    await this.#putUnlessOvertaken(value, readAt, this.#memory.add(this.#kind.keyOf(value)));
  }

  /** Call after a customer has been erased. Never throws. */
  async forget(key: string): Promise<void> {
    this.#memory.add(key);
    await this.#delete(key);
  }

  /**
   * Call after `forget`, without delaying the response: a fill of another isolate may have landed later, or the deletion
   * may have failed. Never throws.
   */
  async forgetAgain(key: string): Promise<void> {
    await this.#runtime.sleep(FORGET_AGAIN_MS);
    await this.forget(key);
  }

  /** Call before reading the primary, and the returned function, which never throws, with the value. */
  #beginFill(key: string): (value: Value) => Promise<void> {
    const updates = this.#memory.count(key);
    const readAt = this.#runtime.now();
    return (value) => this.#putUnlessOvertaken(value, readAt, updates);
  }

  /** Never throws. */
  async #fillFrom(
    key: string,
    readPrimary: () => Promise<Value | null>,
    isCacheable: () => boolean,
  ): Promise<void> {
    const fill = this.#beginFill(key);
    try {
      const value = await readPrimary();
      if (value !== null && isCacheable()) await fill(value);
    } catch {
      this.#failed('fill');
    }
  }

  /**
   * Writes a value, and removes it if an update of this isolate came before it was written, or if nobody knows whether it
   * was. Another isolate's update is not noticed; CACHE_SECONDS bound what that can do. Never throws.
   * @param updates how many of its key there were when the value was read
   */
  async #putUnlessOvertaken(value: Value, readAt: number, updates: number): Promise<void> {
    const key = this.#kind.keyOf(value);
    try {
      const text = JSON.stringify({ readAt, value } satisfies Stored<Value>);
      const putting = this.#store.put(key, text, CACHE_SECONDS);
      await this.#withinDeadline(putting, BINDING_DEADLINE_MS);
      if (this.#memory.count(key) !== updates) await this.#delete(key);
    } catch {
      this.#failed('write');
      await this.#delete(key);
    }
  }

  /** Never throws. */
  async #delete(key: string): Promise<void> {
    try {
      await this.#withinDeadline(this.#store.delete(key), BINDING_DEADLINE_MS);
    } catch {
      this.#failed('forget');
    }
  }

  /** Clocks of two machines differ by some milliseconds. A value from further in the future is garbage. */
  #isRecent(readAt: number): boolean {
    const age = this.#runtime.now() - readAt;
    return age >= -MAX_CLOCK_SKEW_MS && age < CACHE_SECONDS * 1_000;
  }

  #withinDeadline<Result>(call: Promise<Result>, deadlineMs: number): Promise<Result> {
    return withinDeadline(this.#runtime.timer, deadlineMs, 'CACHE', call);
  }

  #failed(action: string): void {
    this.#runtime.log('warn', { event: 'phrase_cache_failed', action });
  }
}
