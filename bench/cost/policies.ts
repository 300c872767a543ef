/** The policies that are compared: what stands between a lookup and D1. The last but two is the service's own. */
import {
  authenticate,
  authenticateForCachedPhrase,
  type Authenticated,
  type AuthenticationDeps,
} from '../../src/api-keys/api-keys.service.ts';
import type { ValueStore } from '../../src/customers/data-centre-cache.ts';
import { CACHE_SECONDS } from '../../src/customers/phrase-cache.ts';
import type { Deps } from '../../src/deps.ts';
import type { ColoCaches, Kv, Site } from './model.ts';
import { KV_LOCATION_MS } from './parameters.ts';

/** What a store needs. `isolate` stands for one isolate, and is the same object as long as it lives. */
export interface Parts {
  site: Site;
  kv: Kv;
  colos: ColoCaches;
  isolate: object;
}

type Authenticate = (key: string, deps: Deps & AuthenticationDeps) => Promise<Authenticated | null>;

export interface Policy {
  name: string;
  /** Seconds that a cached response may be old at most, even if no write of the cache arrives. */
  staleness: number;
  store: (parts: Parts) => ValueStore;
  authenticate: Authenticate;
  /** Whether the nearest replica answers what is not cached. */
  replicas: boolean;
}

const plainKv = ({ site, kv }: Parts) => kv.at(site);
const coloCache = ({ site, colos }: Parts) => colos.at(site);
const noCache = (): ValueStore => ({ get: async () => null, put: async () => {}, delete: async () => {} });

/** Keeps values for another time than the service asks for, and lets the store alone say when they end. */
function keeping(store: ValueStore, { site }: Parts, seconds: number): ValueStore {
  return {
    ...store,
    get: async (key) => {
      const value = (await store.get(key)) as { readAt: number } | null;
      return value === null ? null : { ...value, readAt: site.clock.now };
    },
    put: (key, text) => store.put(key, text, seconds),
  };
}

/** KV as the service used it: whatever KV gives is taken. */
const kvFor = (seconds: number) => (parts: Parts) => keeping(plainKv(parts), parts, seconds);

/** Does not wait for a cold KV: D1 is asked after this time. */
const hedged = (store: ValueStore, { site }: Parts, afterMs: number): ValueStore => ({
  ...store,
  get: (key) => Promise.race([store.get(key), site.clock.sleep(afterMs).then(() => null)]),
});

/** Misses that an isolate remembers. */
const missed = new WeakMap<object, Map<string, number>>();

/** Fills only what the isolate has missed before. */
function admitting(store: ValueStore, { isolate }: Parts): ValueStore {
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
function tiered(front: ValueStore, behind: ValueStore, seconds: number): ValueStore {
  return {
    get: async (key) => {
      const near = await front.get(key);
      if (near !== null) return near;
      const far = await behind.get(key);
      if (far !== null) void front.put(key, JSON.stringify(far), seconds);
      return far;
    },
    put: async (key, text, ttl) => {
      await Promise.all([front.put(key, text, seconds), behind.put(key, text, ttl)]);
    },
    delete: async (key) => {
      await Promise.all([front.delete(key), behind.delete(key)]);
    },
  };
}

/** An isolate that does not remember an API key asks the nearest replica, while the primary is asked too. */
const fromReplica: Authenticate = async (key, deps) => {
  if (deps.apiKeyCache.recallUnchecked(key, deps.runtime.now()) !== undefined) {
    return authenticateForCachedPhrase(key, deps);
  }
  const checking = authenticate(key, deps).then((known) => known?.caller ?? null);
  const nearest = await authenticate(key, { ...deps, directory: deps.databases.nearest('SHARD_1') });
  return nearest === null ? null : { caller: nearest.caller, check: () => checking };
};

/** How long to wait for KV before D1 is asked too. */
const HEDGE_MS = 20;
const BEFORE_SECONDS = 300;
const BEFORE_BOUND = BEFORE_SECONDS + KV_LOCATION_MS / 1_000;

/** What the service did before: the primary is asked about an API key every 30 seconds, and about every miss. */
const before = { staleness: BEFORE_BOUND, authenticate, replicas: false };
const hedgedKv = (parts: Parts) => hedged(kvFor(BEFORE_SECONDS)(parts), parts, HEDGE_MS);
const admittingKv = (parts: Parts) => admitting(kvFor(BEFORE_SECONDS)(parts), parts);
const bothKv = (parts: Parts) => hedged(admittingKv(parts), parts, HEDGE_MS);

/** The service as it is. */
const own = {
  staleness: CACHE_SECONDS,
  store: coloCache,
  authenticate: authenticateForCachedPhrase,
  replicas: true,
};

export const POLICIES: Policy[] = [
  { ...before, name: 'KV, filled on every miss: as it was before', store: kvFor(BEFORE_SECONDS) },
  { ...before, name: 'KV, kept for 1 minute', store: kvFor(60), staleness: 120 },
  { ...before, name: 'KV, kept for 15 minutes', store: kvFor(900), staleness: 960 },
  { ...before, name: `KV, hedged after ${HEDGE_MS} ms`, store: hedgedKv },
  { ...before, name: 'KV, filled on the second miss', store: admittingKv },
  { ...before, name: 'KV, second miss, hedged', store: bothKv },
  {
    ...before,
    name: 'data centre for 1 minute, then KV',
    store: (parts) => tiered(coloCache(parts), kvFor(BEFORE_SECONDS)(parts), 60),
    staleness: BEFORE_BOUND + 60,
  },
  {
    ...before,
    name: 'the same, second miss, hedged',
    store: (parts) => tiered(coloCache(parts), bothKv(parts), 60),
    staleness: BEFORE_BOUND + 60,
  },
  { ...before, name: 'data centre only, 5 minutes', store: coloCache, staleness: CACHE_SECONDS },
  {
    ...before,
    name: 'data centre only, 6 minutes',
    store: (parts) => keeping(coloCache(parts), parts, 360),
    staleness: 360,
  },
  { ...own, name: 'data centre, API keys checked behind', replicas: false },
  { ...own, name: 'the same, misses from replicas: the service' },
  { ...own, name: 'the same, unknown API keys from replicas', authenticate: fromReplica },
  { ...own, name: 'no cache, otherwise the same', store: noCache, staleness: 0 },
];
