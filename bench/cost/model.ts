/** KV, a data centre's cache and D1 as one lookup meets them: each call takes its time on the virtual clock and is counted. */
import { wordlist } from '@scure/bip39/wordlists/english.js';
import type { ValueStore } from '../../src/customers/data-centre-cache.ts';
import type { VirtualClock } from './clock.ts';
import { KV_LOCATION_MS, LATENCIES, LOCATIONS, REPLICA_LAG_MS, TRAFFIC, type Range } from './parameters.ts';
import type { Random } from './random.ts';
import { bankOf } from './trace.ts';

/** What costs money, and calls of the primary, which answers about a thousand a second. */
export interface Calls {
  kvReads: number;
  kvWrites: number;
  coloCalls: number;
  rowsRead: number;
  rowsWritten: number;
  primaryCalls: number;
}

export const noCalls = (): Calls => ({
  kvReads: 0,
  kvWrites: 0,
  coloCalls: 0,
  rowsRead: 0,
  rowsWritten: 0,
  primaryCalls: 0,
});

/** Where a lookup happens, and what its calls cost. */
export interface Site {
  clock: VirtualClock;
  random: Random;
  location: number;
  calls: Calls;
}

const wait = ({ clock, random }: Site, range: Range) => clock.sleep(random.within(range));

interface Entry {
  text: string | null;
  expiresAt: number;
}

/** KV: a central store, and what each location has read from it, absence included. */
export class Kv {
  readonly #central = new Map<string, Entry>();
  readonly #locations = LOCATIONS.map(() => new Map<string, Entry>());

  /** @param locationMs see KV_LOCATION_MS */
  at(site: Site, locationMs = KV_LOCATION_MS): ValueStore {
    const { clock, calls } = site;
    const local = this.#locations[site.location] as Map<string, Entry>;
    const keep = (key: string, text: string | null) => {
      local.set(key, { text, expiresAt: clock.now + locationMs });
    };
    const write = async (key: string, entry: Entry) => {
      calls.kvWrites += 1;
      await wait(site, LATENCIES.kvWrite);
      this.#central.set(key, entry);
      keep(key, entry.text);
    };
    return {
      get: async (key) => {
        calls.kvReads += 1;
        const known = local.get(key);
        if (known !== undefined && known.expiresAt > clock.now) {
          await wait(site, LATENCIES.kvHot);
          return parse(known.text);
        }
        await wait(site, LATENCIES.kvCold);
        const text = live(this.#central.get(key), clock.now);
        keep(key, text);
        return parse(text);
      },
      put: (key, text, seconds) => write(key, { text, expiresAt: clock.now + seconds * 1_000 }),
      delete: (key) => write(key, { text: null, expiresAt: 0 }),
    };
  }
}

/** The cache of each location's data centre: nothing in it is seen from elsewhere. */
export class ColoCaches {
  readonly #locations = LOCATIONS.map(() => new Map<string, Entry>());

  at(site: Site): ValueStore {
    const { clock } = site;
    const local = this.#locations[site.location] as Map<string, Entry>;
    const call = async <Result>(work: () => Result): Promise<Result> => {
      site.calls.coloCalls += 1;
      await wait(site, LATENCIES.coloCache);
      return work();
    };
    return {
      get: (key) => call(() => parse(live(local.get(key), clock.now))),
      put: (key, text, seconds) =>
        call(() => void local.set(key, { text, expiresAt: clock.now + seconds * 1_000 })),
      delete: (key) => call(() => void local.delete(key)),
    };
  }
}

const live = (entry: Entry | undefined, now: number) =>
  entry !== undefined && entry.expiresAt > now ? entry.text : null;
const parse = (text: string | null): unknown => (text === null ? null : JSON.parse(text));

const WORDS = wordlist.length;
const positions = new Map(wordlist.map((word, position) => [word, position]));

/** Each customer has a phrase of its own, made from its number. */
export function phraseOf(customer: number): string {
  const digits = [customer % WORDS, Math.floor(customer / WORDS) % WORDS, 0, 0];
  return digits.map((digit) => wordlist[digit]).join('-');
}

function customerOf(phrase: string): number | undefined {
  const [first = -1, second = -1] = phrase.split('-').map((word) => positions.get(word) ?? -1);
  const customer = first + second * WORDS;
  return customer >= 0 && customer < TRAFFIC.customers && phraseOf(customer) === phrase
    ? customer
    : undefined;
}

/** All banks are in one shard. */
const HOME = { shard: 'SHARD_1', moveNumber: 0, jurisdictions: '{"SHARD_1":null}' };

export const bankIdOf = (bank: number) => `bnk_${bank}`;
const idOf = (customer: number) => `cus_${customer}`;

/** The customer whose id or phrase is among a statement's parameters. */
function customerIn(params: unknown[]): number | undefined {
  for (const value of params) {
    if (typeof value !== 'string') continue;
    const customer = value.startsWith('cus_') ? Number(value.slice('cus_'.length)) : customerOf(value);
    if (customer !== undefined) return customer;
  }
  return undefined;
}

/** D1: a primary, and replicas that are a little behind. Rows are made when they are asked for: nobody stores a million. */
export class Directory {
  /** Times of the updates of each customer that has any, in order. */
  readonly updates = new Map<number, number[]>();
  /** By hash of the API key. */
  readonly apiKeys = new Map<string, { bank: number; lastUsedOn: string }>();

  /** How often a customer had been changed by this time. Its name says so. */
  version(customer: number, at: number): number {
    return this.updates.get(customer)?.filter((time) => time <= at).length ?? 0;
  }

  /**
   * D1 as one event's binding: without a session, and with `first-primary`, the primary answers.
   * @param hasReplicas false: the primary answers everything
   */
  at(site: Site, hasReplicas: boolean): D1Database {
    const session = (since?: string) => {
      const toReplica = hasReplicas && since === 'first-unconstrained';
      const statement = (sql: string, params: unknown[]): object => ({
        sql,
        params,
        bind: (...values: unknown[]) => statement(sql, values),
        all: async () => (await this.#run(site, [{ sql, params }], toReplica))[0],
      });
      return {
        prepare: (sql: string) => statement(sql, []),
        batch: (statements: Query[]) => this.#run(site, statements, false),
        getBookmark: () => null,
      };
    };
    return { ...session(), withSession: session } as unknown as D1Database;
  }

  async #run(site: Site, queries: Query[], toReplica: boolean) {
    const { clock, random, calls, location } = site;
    const way = LOCATIONS[location];
    if (way === undefined) throw new RangeError('There is no such location.');
    const isWrite = queries.some(({ sql }) => /^\s*(insert|update)/i.test(sql));
    const fromReplica = toReplica && !isWrite;
    const lag = fromReplica ? random.exponential(REPLICA_LAG_MS) : 0;
    const half = (fromReplica ? way.toReplica : way.toPrimary) / 2 + random.within(LATENCIES.d1) / 2;
    if (!fromReplica) calls.primaryCalls += 1;
    await clock.sleep(half);
    const meta = { served_by_primary: !fromReplica };
    const results = queries.map((query) => ({
      results: this.#answer(query, clock.now - lag, calls),
      meta,
    }));
    await clock.sleep(half);
    return results;
  }

  /** Knows the statements of lookups and updates by their text, and how many rows each reads: test/costs.test.ts. */
  #answer({ sql, params }: Query, at: number, calls: Calls): object[] {
    if (/from "api_keys"/.test(sql)) {
      calls.rowsRead += 3;
      return this.#apiKey(String(params[0]));
    }
    if (sql.startsWith('INSERT INTO payee_misses')) {
      calls.rowsWritten += 1;
      return [{ misses: 1 }];
    }
    if (sql.startsWith('UPDATE customers')) return this.#update(params, at);
    if (/^INSERT INTO (audit_log|guard)/.test(sql)) return [];
    if (/^SELECT (tenants\.)?state\b/.test(sql)) calls.rowsRead += 1;
    if (sql.startsWith('SELECT state')) return [{ state: 'open' }];
    if (sql.startsWith('SELECT 1 AS found')) return [{ found: 1 }];
    const customer = customerIn(params);
    const isPayee = sql.includes('payee_misses');
    const isVisible = customer !== undefined && (isPayee || params[0] === bankIdOf(bankOf(customer)));
    if (isVisible) calls.rowsRead += 1;
    if (sql.startsWith('SELECT tenants.state')) {
      return [{ tenantState: 'open', ...(isVisible ? this.#row(customer, at) : { id: null }) }];
    }
    if (isPayee)
      return [{ misses: 0, movedBank: null, ...(isVisible ? this.#row(customer, at) : { phrase: null }) }];
    return isVisible ? [this.#row(customer, at)] : [];
  }

  #apiKey(hash: string): object[] {
    const key = this.apiKeys.get(hash);
    if (key === undefined) return [];
    const scopes = 'customers:read customers:write network:resolve';
    const { bank, lastUsedOn } = key;
    const fields = {
      scopes,
      lastUsedOn,
      expiresAt: null,
      revokedAt: null,
      bankName: '',
      cursorKey: '',
      ...HOME,
    };
    return [{ id: `key_${bank}`, bankId: bankIdOf(bank), ...fields }];
  }

  #update(params: unknown[], at: number): object[] {
    const customer = customerIn(params) ?? -1;
    this.updates.set(customer, [...(this.updates.get(customer) ?? []), at]);
    return [];
  }

  #row(customer: number, at: number): object {
    return {
      id: idOf(customer),
      accountName: `Customer ${this.version(customer, at)}`,
      gender: null,
      displayPicture: null,
      bankId: bankIdOf(bankOf(customer)),
      phrase: phraseOf(customer),
      country: 'NG',
      state: null,
      email: '',
      phone: null,
      address: null,
      createdAt: 0,
      revision: null,
    };
  }
}

interface Query {
  sql: string;
  params: unknown[];
}
