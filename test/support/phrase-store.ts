/** The real cache of the data centre. It remembers the keys that were written, because the Cache API lists none. */
import { DataCentreCache, type ValueStore } from '../../src/customers/data-centre-cache.ts';

class ListedStore implements ValueStore {
  readonly #store = new DataCentreCache(undefined);
  readonly #written = new Set<string>();

  get(key: string): Promise<unknown> {
    return this.#store.get(key);
  }

  async put(key: string, text: string, seconds = 300): Promise<void> {
    this.#written.add(key);
    await this.#store.put(key, text, seconds);
  }

  delete(key: string): Promise<void> {
    return this.#store.delete(key);
  }

  /** Returns the keys that have a value, whatever it is. */
  async keys(): Promise<string[]> {
    const keys: string[] = [];
    for (const key of this.#written) {
      // Garbage is a value, too.
      const value = await this.#store.get(key).catch(() => 'garbage');
      if (value !== null) keys.push(key);
    }
    return keys;
  }

  async clear(): Promise<void> {
    await Promise.all([...this.#written].map((key) => this.#store.delete(key)));
    this.#written.clear();
  }
}

/** The one of all tests, as the data centre has one. `resetBindings` empties it. */
export const phraseStore = new ListedStore();

/** A value as the service stores it, read from the primary at this time. */
export const storedText = (value: unknown, readAt = Date.now()) => JSON.stringify({ readAt, value });
