/** D1 sessions: which state of the database a response may show. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { systemRuntime } from '../../src/runtime.ts';
import { PrimarySession } from '../../src/db/session.ts';
import { API_KEYS } from '../support/banks.ts';
import { laggingDatabase, replicatedDatabase } from '../support/faulty-bindings.ts';
import { sentCustomer } from '../support/customers.ts';
import { Service, type KnownCustomer } from '../support/service.ts';

const HEADER = 'X-D1-Bookmark';
const BOOKMARK = /^SHARD_1:[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{32}$/;

let opened: unknown[];
let service: Service;
let ada: KnownCustomer;

beforeEach(async () => {
  opened = [];
  const watched = {
    prepare: (sql: string) => env.SHARD_1.prepare(sql),
    batch: (statements: D1PreparedStatement[]) => env.SHARD_1.batch(statements),
    withSession: (since?: string) => {
      opened.push(since);
      return env.SHARD_1.withSession(since);
    },
  } as unknown as D1Database;
  service = new Service(() => ({ SHARD_1: watched }));
  ada = await service.createCustomer(sentCustomer(1));
  opened = [];
});

const update = () => service.updateCustomer(ada.id, { state: 'Lagos' });

describe('a read', () => {
  it.each([
    ['by id', () => `/v1/bank/customer?id=${ada.id}`],
    ['of the list', () => '/v1/bank/customers'],
    ['of the audit log', () => '/v1/bank/audit'],
  ])('%s may come from the nearest replica, and returns a bookmark', async (_, path) => {
    const { status, headers } = await service.get(path());
    expect([status, opened]).toEqual([200, ['first-unconstrained']]);
    expect(headers.get(HEADER)).toMatch(BOOKMARK);
  });

  it('with the bookmark of a write sees that write', async () => {
    const bookmark = (await update()).headers.get(HEADER) ?? '';
    expect(bookmark).toMatch(BOOKMARK);
    const { body } = await service.get(`/v1/bank/customer?id=${ada.id}`, API_KEYS.full, {
      [HEADER]: bookmark,
    });
    expect([body.data.state, opened.at(-1)]).toEqual(['Lagos', bookmark?.replace('SHARD_1:', '')]);
  });

  it.each(['nonsense', "'; DROP TABLE customers", '0'.repeat(5_000), 'first-primary', ''])(
    'ignores an invalid bookmark: %s',
    async (bookmark) => {
      const { status } = await service.get(`/v1/bank/customer?id=${ada.id}`, API_KEYS.full, {
        [HEADER]: bookmark,
      });
      expect([status, opened]).toEqual([200, ['first-unconstrained']]);
    },
  );
});

describe('the primary', () => {
  const BATCHES = '/v1/bank/customers/batches';

  it('is read for what fills the cache if a replica answered, and a cache hit reads no database', async () => {
    const path = `/v1/bank/customer?phrase=${ada.phrase}`;
    const withOldName = (rows: unknown[]) => Object.assign(rows[0] as object, { accountName: 'Old Name' });
    const behind = new Service(() => ({ SHARD_1: replicatedDatabase(service.env.SHARD_1, withOldName) }));
    const miss = await behind.get(path, API_KEYS.standard);
    expect([miss.headers.get('X-Cache'), miss.body.data.accountName]).toEqual(['MISS', 'Old Name']);
    expect(opened).toEqual(['first-unconstrained', 'first-primary']);
    expect(miss.headers.get(HEADER)).toMatch(BOOKMARK);
    opened = [];
    const hit = await behind.get(path, API_KEYS.standard);
    expect([hit.headers.get('X-Cache'), hit.headers.get(HEADER), opened]).toEqual(['HIT', null, []]);
    expect(hit.body.data.accountName).toBe('Adaobi Okafor 1');
  });

  it('alone says that a phrase is unknown, whatever the nearest replica has', async () => {
    const lagging = new Service(() => ({ SHARD_1: laggingDatabase(service.env.SHARD_1) }));
    const own = await lagging.get(`/v1/bank/customer?phrase=${ada.phrase}`, API_KEYS.standard);
    const payee = await lagging.get(`/v1/network/payee?phrase=${ada.phrase}`, API_KEYS.network);
    expect([own, payee].map(({ status, headers }) => [status, headers.get('X-Cache')])).toEqual([
      [200, 'MISS'],
      [200, 'MISS'],
    ]);
    const unknown = await lagging.get('/v1/bank/customer?phrase=zoo-zoo-zoo-zoo', API_KEYS.standard);
    expect(unknown.status).toBe(404);
  });

  it.each([
    ['a batch', () => service.post([sentCustomer(2)])],
    ['a batch without a new customer', () => service.post([sentCustomer(1)])],
    ['a dry run', () => service.dryRun([sentCustomer(2)])],
    ['the list of batches', () => service.get(BATCHES)],
    ['an unknown batch', () => service.get(`${BATCHES}/bat_none`)],
    ['the rows of an unknown batch', () => service.get(`${BATCHES}/bat_none/customers`)],
  ])('is used for %s, with a bookmark in the response', async (_, send) => {
    const { headers } = await send();
    expect(new Set(opened)).toEqual(new Set(['first-primary']));
    expect(headers.get(HEADER)).toMatch(BOOKMARK);
  });

  it('gets a new session for each call, because a second call of a session may go to a replica', async () => {
    const primary = new PrimarySession(service.env.SHARD_1, systemRuntime.timer);
    await primary.batch([primary.prepare('SELECT 1')]);
    const first = primary.bookmark ?? '';
    await update();
    await primary.prepare('SELECT 1').all();
    expect(new Set(opened)).toEqual(new Set(['first-primary', 'first-unconstrained']));
    const second = primary.bookmark ?? '';
    expect([first, second].toSorted()).toEqual([first, second]);
    expect(second).not.toBe(first);
  });
});

describe('a bank that sends each bookmark back', () => {
  it('finds the customers of a completed batch although the nearest replica has none of them', async () => {
    const lagging = new Service(() => ({ SHARD_1: laggingDatabase(env.SHARD_1) }));
    const { body } = await lagging.post([sentCustomer(2)]);
    await lagging.deliverAll();
    const batch = await lagging.getBatch(body.data.batchId);
    expect(batch.body.data.status).toBe('COMPLETED');
    const path = `/v1/bank/customer?id=${body.data.data.customerIds[0]}`;
    expect((await lagging.get(path)).status).toBe(404);
    const bookmark = { [HEADER]: batch.headers.get(HEADER) ?? '' };
    expect((await lagging.get(path, API_KEYS.full, bookmark)).status).toBe(200);
  });
});
