/** The data of the measured Workers, and the requests that they get. */
import { createHash } from 'node:crypto';
import { readD1Migrations } from '@cloudflare/vitest-pool-workers';
import { BANK_SCOPES } from '../src/api-keys/scopes.ts';
import { drawPhrase } from '../src/databases/first-words.ts';
import type { ShardName } from '../src/databases/home.ts';
import type { LoadRequest } from './load.ts';
import { isOurs, type BenchServer } from './servers.ts';

export const BANK = 'bnk_bench';
/** The bank that imports while the other one's customers are looked up. */
export const IMPORTING_BANK = 'bnk_bench_importing';
/** API keys of the load, so many that each stays within its limits. */
const KEYS = 30;
/** Customers that are looked up: every Worker has them, and ours has them cached. */
const KNOWN_CUSTOMERS = 1_000;

/** The API keys of the load: whose they are, and what they may do. */
const KINDS = {
  standard: { bank: BANK, scopes: 'customers:read' },
  full: { bank: BANK, scopes: BANK_SCOPES.join(' ') },
  network: { bank: BANK, scopes: 'network:resolve' },
  importer: { bank: IMPORTING_BANK, scopes: BANK_SCOPES.join(' ') },
};
type Kind = keyof typeof KINDS;

const keyOf = (kind: string, n: number) => `peere_test_bench_${kind}_${n % KEYS}`;
/** @param kind as `insertApiKeys` got it */
export const withApiKey = (kind: string, n: number) => ({ Authorization: `Bearer ${keyOf(kind, n)}` });
export const authorized: (kind: Kind, n: number) => { Authorization: string } = withApiKey;

export interface KnownCustomer {
  id: string;
  email: string;
  phrase: string;
}

/**
 * The same customers for every Worker, so that each does the same work.
 * @param bank the number of their bank, if there are several
 */
export function knownCustomers(shard: ShardName = 'SHARD_1', bank = 0): KnownCustomer[] {
  let seed = bank + 1;
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  return Array.from({ length: KNOWN_CUSTOMERS }, (_, n) => ({
    id: `cus_01JZZZZZZZ${String(bank * KNOWN_CUSTOMERS + n).padStart(16, '0')}`,
    email: `known.${n}@example.com`,
    phrase: drawPhrase(shard, random),
  }));
}

/** Applies the migrations and inserts the banks, their API keys, and the customers that are looked up. */
export async function prepare(server: BenchServer): Promise<void> {
  await migrate(server);
  for (const bank of [BANK, IMPORTING_BANK]) await insertBank(server, bank, 1);
  for (const [kind, { bank, scopes }] of Object.entries(KINDS))
    await insertApiKeys(server, kind, bank, scopes);
  await insertCustomers(server.db, BANK, knownCustomers());
  if (isOurs(server.name)) await fillCache(server.url);
}

/** Applies the migrations and registers the shards. */
export async function migrate({ directory, shards }: BenchServer): Promise<void> {
  await applyMigrations(directory, 'migrations/directory');
  for (const [index, shard] of shards.entries()) {
    await applyMigrations(shard, 'migrations/shard');
    const number = index + 1;
    await directory
      .prepare(`INSERT INTO shards (name, number, created_at) VALUES ('SHARD_${number}', ${number}, 0)`)
      .run();
  }
}

async function applyMigrations(db: D1Database, folder: string): Promise<void> {
  for (const { queries } of await readD1Migrations(folder)) {
    for (const query of queries) await db.prepare(query).run();
  }
}

/** @param shard its number, from 1 */
export async function insertBank(
  { directory, shards }: BenchServer,
  bank: string,
  shard: number,
): Promise<void> {
  await directory
    .prepare(
      `INSERT INTO banks (id, name, shard, created_at) VALUES ('${bank}', 'Bench', 'SHARD_${shard}', 0)`,
    )
    .run();
  await shards[shard - 1]?.prepare(`INSERT INTO tenants (bank_id, state) VALUES ('${bank}', 'open')`).run();
}

/** @param kind part of their names */
export async function insertApiKeys(
  { directory }: BenchServer,
  kind: string,
  bank: string,
  scopes: string,
): Promise<void> {
  const today = new Date().toISOString().slice(0, 10);
  await directory.batch(
    Array.from({ length: KEYS }, (_, n) =>
      directory
        .prepare(
          `INSERT INTO api_keys (hash, id, bank_id, name, prefix, scopes, created_at, last_used_on)
           VALUES (?, ?, ?, 'bench', 'peere_test_', ?, 0, ?)`,
        )
        .bind(
          createHash('sha256').update(keyOf(kind, n)).digest('hex'),
          `key_${kind}_${n}`,
          bank,
          scopes,
          today,
        ),
    ),
  );
}

export async function insertCustomers(
  db: D1Database,
  bank: string,
  customers: readonly KnownCustomer[],
): Promise<void> {
  await db
    .prepare(
      `INSERT INTO customers (bank_id, id, email, phrase, account_name, firstname, lastname, country, phone, address,
         sealed_fields, client_ref, batch_index, created_at)
       SELECT '${bank}', value ->> 'id', value ->> 'email', value ->> 'phrase', 'Adaobi Okafor ' || key, 'Adaobi', 'Okafor',
         'NG', '+2348031234567', '12 Marina Road, Lagos', '1.', key, key, 0 FROM json_each(?)`,
    )
    .bind(JSON.stringify(customers))
    .run();
  await db.prepare(`UPDATE tenants SET customer_count = ${customers.length} WHERE bank_id = '${bank}'`).run();
}

/** Asks for each customer once, which caches those that are not. A value is cached for five minutes. */
export async function fillCache(url: URL, requests = [REQUESTS.phrase, REQUESTS.payee]): Promise<void> {
  for (let n = 0; n < KNOWN_CUSTOMERS; n += 1) {
    for (const { path, headers } of requests.map((request) => request(n))) {
      await fetch(new URL(path, url), { headers: { ...headers } });
    }
  }
}

/**
 * Inserts many customers, as copies of really staged rows, so that they have a realistic size.
 * @param staged a payload of `batch_chunks`
 */
export async function multiply(db: D1Database, staged: string, times: number): Promise<void> {
  /** Copies per statement: 50,000 rows, a transaction of a size that D1 accepts. */
  const maxCopies = 50;
  for (let first = 0; first < times; first += maxCopies) {
    await db
      .prepare(
        `WITH RECURSIVE copies(copy) AS (SELECT ?2 UNION ALL SELECT copy + 1 FROM copies WHERE copy < ?3)
         INSERT INTO customers (bank_id, id, phrase, client_ref, email, account_name, firstname, lastname, middlename,
           country, address, gender, phone, sealed_fields, batch_index, created_at)
         SELECT '${BANK}', printf('cus_01K%05d%018d', copy, value ->> 0), lower(hex(randomblob(12))), value ->> 3,
           copy || '.' || (value ->> 4), value ->> 5, value ->> 6, value ->> 7, value ->> 8, value ->> 9, value ->> 10,
           value ->> 11, value ->> 12, value ->> 13, value ->> 0, 0
         FROM copies CROSS JOIN json_each(?1)`,
      )
      .bind(staged, first, Math.min(first + maxCopies, times) - 1)
      .run();
  }
  await db
    .prepare(
      `UPDATE tenants SET customer_count = (SELECT count(*) FROM customers WHERE bank_id = '${BANK}') WHERE bank_id = '${BANK}'`,
    )
    .run();
}

const known = knownCustomers();
const pick = (n: number): KnownCustomer => known[n % KNOWN_CUSTOMERS] ?? { id: '', email: '', phrase: '' };

/** The same requests for our Worker and a typical one, and the bare read of the same data. */
export const REQUESTS = {
  phrase: (n: number): LoadRequest => ({
    path: `/v1/bank/customer?phrase=${pick(n).phrase}`,
    headers: authorized('standard', n),
  }),
  payee: (n: number): LoadRequest => ({
    path: `/v1/network/payee?phrase=${pick(n).phrase}`,
    headers: authorized('network', n),
  }),
  id: (n: number): LoadRequest => ({
    path: `/v1/bank/customer?id=${pick(n).id}`,
    headers: authorized('full', n),
  }),
  email: (n: number): LoadRequest => ({
    path: `/v1/bank/customer?email=${pick(n).email}`,
    headers: authorized('full', n),
  }),
  list: (n: number): LoadRequest => ({ path: '/v1/bank/customers?limit=50', headers: authorized('full', n) }),
  constant: (): LoadRequest => ({ path: '/constant' }),
  rawCache: (n: number): LoadRequest => ({ path: `/cache?key=${pick(n).phrase}` }),
  rawId: (n: number): LoadRequest => ({ path: `/id?bank=${BANK}&id=${pick(n).id}` }),
  rawEmail: (n: number): LoadRequest => ({ path: `/email?bank=${BANK}&email=${pick(n).email}` }),
  rawList: (): LoadRequest => ({ path: `/list?bank=${BANK}` }),
};
