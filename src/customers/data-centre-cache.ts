/**
 * The cache of the data centre that handles an event: the only file that touches the Cache API. Each data centre has its
 * own, and none sees another's. It costs nothing, keeps what it likes for as long as it likes, and works on a custom
 * domain only: elsewhere it keeps nothing.
 */

/** Values by key, as text. */
export interface ValueStore {
  /** Returns the parsed value; null if there is none. */
  get(key: string): Promise<unknown>;
  put(key: string, text: string, seconds: number): Promise<void>;
  delete(key: string): Promise<void>;
}

/** Apart from the zone's own cache, so that no request of a client can reach it. */
const CACHE_NAME = 'phrases';
/** If PUBLIC_URL is not set. The Cache API asks for the Worker's own host, for which no name has to be looked up. */
const LOCAL_ORIGIN = 'http://localhost';

export class DataCentreCache implements ValueStore {
  readonly #origin: string;

  constructor(publicUrl: string | undefined) {
    this.#origin = publicUrl ?? LOCAL_ORIGIN;
  }

  async get(key: string): Promise<unknown> {
    const cache = await caches.open(CACHE_NAME);
    const response = await cache.match(this.#urlOf(key));
    return response === undefined ? null : response.json();
  }

  async put(key: string, text: string, seconds: number): Promise<void> {
    const cache = await caches.open(CACHE_NAME);
    const headers = { 'Content-Type': 'application/json', 'Cache-Control': `max-age=${seconds}` };
    await cache.put(this.#urlOf(key), new Response(text, { headers }));
  }

  async delete(key: string): Promise<void> {
    const cache = await caches.open(CACHE_NAME);
    await cache.delete(this.#urlOf(key));
  }

  /** The key is in the query, which logs of requests leave out. */
  #urlOf(key: string): string {
    return `${this.#origin}/phrases?key=${encodeURIComponent(key)}`;
  }
}
