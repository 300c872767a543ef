/**
 * The phrase cache: the only file that touches PHRASE_CACHE.
 * Promise: a cache that fails, stalls, or holds garbage or another bank's value makes a request slower, never
 * wrong. Accepted: an answer may be as old as CACHE_SECONDS. Misses are never written.
 */
import type { Runtime } from '../runtime.ts';
import { standardCustomer, type StandardCustomer } from './customers.view.ts';

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

export type ReadAgain = () => Promise<StandardCustomer | null>;

export interface PhraseCache {
  /** Null: not there, not readable in time, or not this bank's. Never throws. */
  read(bankId: string, phrase: string): Promise<StandardCustomer | null>;
  /** Call before reading D1; the fill it returns writes what was read, and checks again if it was overtaken. */
  beginFill(): (customer: StandardCustomer, readAgain: ReadAgain) => Promise<void>;
  /** After an update has been committed. Never throws. */
  writeThrough(customer: StandardCustomer, readAgain: ReadAgain): Promise<void>;
}

function cacheKey(bankId: string, phrase: string): string {
  return `phrase:${bankId}:${phrase}`;
}

export function createPhraseCache(
  binding: KVNamespace,
  memory: CacheMemory,
  runtime: Pick<Runtime, 'now' | 'sleep' | 'log'>,
): PhraseCache {
  const put = (customer: StandardCustomer) =>
    binding.put(cacheKey(customer.bankId, customer.phrase), JSON.stringify(customer), {
      expirationTtl: CACHE_SECONDS,
    });

  /** Writes what D1 says now, however often the value was fought over a moment ago. */
  const putAnew = async (stale: StandardCustomer, readAgain: ReadAgain) => {
    await runtime.sleep(REWRITE_DELAY_MS);
    const current = await readAgain();
    if (current === null) await binding.delete(cacheKey(stale.bankId, stale.phrase));
    else await put(current);
  };

  const failed = (action: string) => runtime.log('warn', { event: 'phrase_cache_failed', action });

  const readNow = async (bankId: string, phrase: string): Promise<StandardCustomer | null> => {
    try {
      const value = standardCustomer.safeParse(await binding.get(cacheKey(bankId, phrase), 'json'));
      const owned = value.success && value.data.bankId === bankId && value.data.phrase === phrase;
      return owned ? value.data : null;
    } catch {
      failed('read');
      return null;
    }
  };

  return {
    read: (bankId, phrase) =>
      Promise.race([readNow(bankId, phrase), runtime.sleep(PATIENCE_MS).then(() => null)]),

    beginFill() {
      const updatesBefore = memory.updates;
      const startedAt = runtime.now();
      return async (customer, readAgain) => {
        try {
          await put(customer);
          // Another isolate's update can't be seen from here; that its write lands before ours is likely only
          // if this fill was slow.
          const overtaken = memory.updates !== updatesBefore || runtime.now() - startedAt > PATIENCE_MS;
          if (overtaken) await putAnew(customer, readAgain);
        } catch {
          failed('fill');
        }
      };
    },

    async writeThrough(customer, readAgain) {
      memory.updates += 1;
      try {
        await put(customer).catch(() => putAnew(customer, readAgain));
      } catch {
        failed('write through');
      }
    },
  };
}
