/** The policies that are compared: what stands between a lookup and D1. */
import { authenticateForCachedPhrase, type AuthenticationDeps } from '../../src/api-keys/api-keys.service.ts';
import type { Caller } from '../../src/api-keys/caller.ts';
import type { ColoCaches, Kv, Site, Store } from './model.ts';

/** What a store is made of. `isolate` stands for one isolate, and is the same object as long as it lives. */
export interface Parts {
  site: Site;
  kv: Kv;
  colos: ColoCaches;
  isolate: object;
}

export interface Policy {
  name: string;
  /** Seconds that a response may be old at most, if no write of the cache is confirmed. */
  staleness: number;
  store: (parts: Parts) => Store;
  authenticate: (key: string, deps: AuthenticationDeps) => Promise<Caller | null>;
}

const plainKv = ({ site, kv }: Parts) => kv.at(site);
const colo = ({ site, colos }: Parts) => colos.at(site);

/** Does not wait for a cold KV: D1 is asked after this time. */
const hedged = (store: Store, { site }: Parts, afterMs: number): Store => ({
  ...store,
  get: (key) => Promise.race([store.get(key), site.clock.sleep(afterMs).then(() => null)]),
});

/** Keeps values for another time than the service asks for. */
const keeping = (store: Store, seconds: number): Store => ({
  ...store,
  put: (key, text) => store.put(key, text, seconds),
});

/** Misses that an isolate remembers. */
const missed = new WeakMap<object, Map<string, number>>();

/** Fills only what the isolate has missed before. */
function admitting(store: Store, { isolate }: Parts): Store {
  const counts = missed.get(isolate) ?? new Map<string, number>();
  missed.set(isolate, counts);
  return {
    ...store,
    get: async (key) => {
      const value = await store.get(key);
      if (value === null) counts.set(key, (counts.get(key) ?? 0) + 1);
      return value;
    },
    // An update has not missed, and overwrites what may be there.
    put: async (key, text, seconds) => {
      if (counts.get(key) !== 1) await store.put(key, text, seconds);
    },
  };
}

/** A colo-local tier in front. What it reads from behind it keeps for `seconds`, which add to the bound. */
function tiered(front: Store, behind: Store, seconds: number): Store {
  return {
    get: async (key) => {
      const value = (await front.get(key)) ?? (await behind.get(key));
      if (value !== null) void front.put(key, JSON.stringify(value), seconds);
      return value;
    },
    put: async (key, text, ttl) => {
      await Promise.all([front.put(key, text, seconds), behind.put(key, text, ttl)]);
    },
    delete: async (key) => {
      await Promise.all([front.delete(key), behind.delete(key)]);
    },
  };
}

/** How long to wait for KV before D1 is asked too. */
const HEDGE_MS = 20;

const authenticate = authenticateForCachedPhrase;

export const POLICIES: Policy[] = [
  { name: 'KV, filled on every miss (before)', staleness: 360, store: plainKv, authenticate },
  {
    name: 'KV, kept for 60 s',
    staleness: 120,
    store: (parts) => keeping(plainKv(parts), 60),
    authenticate,
  },
  {
    name: 'KV, kept for 15 minutes',
    staleness: 960,
    store: (parts) => keeping(plainKv(parts), 900),
    authenticate,
  },
  {
    name: `KV, hedged after ${HEDGE_MS} ms`,
    staleness: 360,
    store: (parts) => hedged(plainKv(parts), parts, HEDGE_MS),
    authenticate,
  },
  {
    name: 'KV, filled on the second miss',
    staleness: 360,
    store: (parts) => admitting(plainKv(parts), parts),
    authenticate,
  },
  {
    name: 'KV, second miss, hedged',
    staleness: 360,
    store: (parts) => hedged(admitting(plainKv(parts), parts), parts, HEDGE_MS),
    authenticate,
  },
  {
    name: 'colo cache for 60 s, then KV',
    staleness: 420,
    store: (parts) => tiered(colo(parts), plainKv(parts), 60),
    authenticate,
  },
  {
    name: 'colo cache for 60 s, then KV, second miss, hedged',
    staleness: 420,
    store: (parts) =>
      tiered(colo(parts), hedged(admitting(plainKv(parts), parts), parts, HEDGE_MS), 60),
    authenticate,
  },
  { name: 'colo cache for 5 minutes', staleness: 300, store: colo, authenticate },
  {
    name: 'colo cache for 6 minutes',
    staleness: 360,
    store: (parts) => keeping(colo(parts), 360),
    authenticate,
  },
  { name: 'no cache', staleness: 0, store: () => noStore, authenticate },
];

const noStore: Store = { get: async () => null, put: async () => {}, delete: async () => {} };
