/** Replays a trace with one policy through the service's own code, and measures what it costs and how long it takes. */
import { createHash, webcrypto } from 'node:crypto';
import type { Caller } from '../../src/api-keys/caller.ts';
import { lookUpCustomer, updateCustomer } from '../../src/customers/customers.service.ts';
import { createDeps, createIsolateMemory, type Deps, type IsolateMemory } from '../../src/deps.ts';
import type { Env } from '../../src/env.ts';
import { createId } from '../../src/lib/ids.ts';
import { resolvePayee } from '../../src/payee/payee.service.ts';
import type { Runtime } from '../../src/runtime.ts';
import { BEGINNING, VirtualClock } from './clock.ts';
import { bankIdOf, ColoCaches, Directory, Kv, noCalls, phraseOf, type Calls, type Site } from './model.ts';
import { TRAFFIC } from './parameters.ts';
import type { Policy } from './policies.ts';
import { Random } from './random.ts';
import { bankOf, type Lookup, type TraceEvent, type Update } from './trace.ts';

export interface Outcome {
  lookups: number;
  hits: number;
  /** Milliseconds that each lookup took. */
  latencies: Float64Array;
  /** Milliseconds that a miss took: of an unknown phrase and of another bank's. */
  missLatencies: { unknown: number[]; foreign: number[] };
  /** Calls of lookups; `updates` has those of updates. */
  calls: Calls;
  updates: { count: number; calls: Calls };
  /** Milliseconds since the change that the most outdated response did not show. */
  stalest: number;
}

/** A phrase that no customer of the trace has. */
const UNKNOWN_PHRASE = 'zoo-zoo-zoo-zoo';
const apiKeyOf = (bank: number) => `peere_test_cost_${bank}`;

export async function replay(trace: TraceEvent[], policy: Policy): Promise<Outcome> {
  withSynchronousDigests();
  const world = new World(policy, trace.length);
  for (const event of trace) world.clock.at(event.at, () => world.play(event));
  await world.clock.run();
  return world.outcome();
}

class World {
  readonly clock = new VirtualClock();
  readonly #policy: Policy;
  readonly #kv = new Kv();
  readonly #colos = new ColoCaches();
  readonly #directory = new Directory();
  readonly #isolates = new Map<string, IsolateMemory>();
  readonly #latencies: Float64Array;
  readonly #missLatencies: Outcome['missLatencies'] = { unknown: [], foreign: [] };
  readonly #calls = noCalls();
  readonly #updates = { count: 0, calls: noCalls() };
  #lookups = 0;
  #hits = 0;
  #stalest = 0;
  #failure: unknown;

  constructor(policy: Policy, events: number) {
    this.#policy = policy;
    this.#latencies = new Float64Array(events);
    const lastUsedOn = new Date(BEGINNING + 86_400_000).toISOString().slice(0, 10);
    for (let bank = 0; bank < TRAFFIC.banks; bank += 1) {
      const hash = createHash('sha256').update(apiKeyOf(bank)).digest('hex');
      this.#directory.apiKeys.set(hash, { bank, lastUsedOn });
    }
  }

  play(event: TraceEvent): void {
    const playing = event.kind === 'update' ? this.#update(event) : this.#lookUp(event);
    playing.catch((error: unknown) => {
      this.#failure ??= error;
    });
  }

  /** @throws what the first lookup or update threw, if any did */
  outcome(): Outcome {
    if (this.#failure !== undefined) throw this.#failure;
    return {
      lookups: this.#lookups,
      hits: this.#hits,
      latencies: this.#latencies.subarray(0, this.#lookups).toSorted(),
      missLatencies: this.#missLatencies,
      calls: this.#calls,
      updates: this.#updates,
      stalest: this.#stalest,
    };
  }

  async #lookUp({ kind, asks, customer, bank, ...place }: Lookup): Promise<void> {
    const startedAt = this.clock.now;
    const deps = this.#depsAt(place, this.#calls);
    const phrase = asks === 'unknown' ? UNKNOWN_PHRASE : phraseOf(customer);
    const caller = await this.#authenticate(apiKeyOf(bank), deps);
    const { cache, name } =
      kind === 'own' ? await askOwn(deps, caller, phrase) : await askPayee(deps, caller, phrase);
    const took = this.clock.now - startedAt;
    this.#latencies[this.#lookups] = took;
    this.#lookups += 1;
    if (cache === 'HIT') this.#hits += 1;
    if (asks !== 'customer') this.#missLatencies[asks].push(took);
    if ((name === undefined) !== (asks !== 'customer')) throw new Error(`A lookup of ${phrase} is wrong.`);
    if (name !== undefined) this.#noteAge(customer, name, startedAt);
  }

  async #authenticate(apiKey: string, deps: Deps): Promise<Caller> {
    const known = (caller: Caller | null) => {
      if (caller === null) throw new Error('An API key of the trace is refused.');
      return caller;
    };
    const { caller, check } = (await this.#policy.authenticate(apiKey, deps)) ?? { caller: null };
    return check === undefined
      ? known(caller)
      : { ...known(caller), confirm: async () => known(await check()) };
  }

  /** How long ago was the first change that this answer does not show? */
  #noteAge(customer: number, name: string, startedAt: number): void {
    const missing = this.#directory.updates.get(customer)?.[Number(name.split(' ')[1])];
    if (missing !== undefined && missing < startedAt) {
      this.#stalest = Math.max(this.#stalest, this.clock.now - missing);
    }
  }

  async #update({ customer, ...place }: Update): Promise<void> {
    this.#updates.count += 1;
    const deps = this.#depsAt(place, this.#updates.calls);
    const requestId = createId('req', deps.runtime);
    const actor = {
      bankId: bankIdOf(bankOf(customer)),
      apiKeyId: 'key',
      requestId,
      home: { shard: 'SHARD_1' as const, moveNumber: 0 },
      jurisdictions: new Map([['SHARD_1' as const, null]]),
    };
    await updateCustomer(deps, actor, `cus_${customer}`, { accountName: 'New Name' }, undefined);
  }

  #depsAt({ location, isolate, seed }: Pick<Lookup, 'location' | 'isolate' | 'seed'>, calls: Calls): Deps {
    const { clock } = this;
    const site: Site = { clock, random: new Random(seed), location, calls };
    const generation = Math.floor((clock.now - BEGINNING) / TRAFFIC.isolateLifeMs + isolate / 3);
    const name = `${location} ${isolate} ${generation}`;
    const memory = this.#isolates.get(name) ?? createIsolateMemory();
    this.#isolates.set(name, memory);
    const runtime: Runtime = {
      now: () => Math.floor(clock.now),
      random: () => site.random.next(),
      sleep: clock.sleep,
      timer: clock.timer,
      fetch: () => Promise.reject(new Error('a replay sends no webhooks')),
      log: () => {},
    };
    const phraseStore = this.#policy.store({ site, kv: this.#kv, colos: this.#colos, isolate: memory });
    const database = this.#directory.at(site, this.#policy.replicas);
    const env = {
      DIRECTORY: database,
      SHARD_1: database,
      ENVIRONMENT: 'local',
    } as unknown as Env;
    return createDeps(env, { waitUntil: () => {} }, runtime, memory, undefined, { phraseStore });
  }
}

async function askOwn(deps: Deps, caller: Caller, phrase: string) {
  const { found, cache } = await lookUpCustomer(deps, caller, { phrase }, false);
  return { cache, name: found?.customer.accountName };
}

async function askPayee(deps: Deps, caller: Caller, phrase: string) {
  const { payee, cache } = await resolvePayee(deps, caller, phrase);
  return { cache, name: payee?.accountName };
}

/** WebCrypto answers from another thread. Here nothing may take real time, or events would come in another order. */
function withSynchronousDigests(): void {
  webcrypto.subtle.digest = async (_, data) =>
    new Uint8Array(
      createHash('sha256')
        .update(data as Uint8Array)
        .digest(),
    ).buffer;
}
