/** Global reads: which state of D1 an answer may show. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { KEYS } from '../support/banks.ts';
import { sentCustomer } from '../support/customers.ts';
import { Service } from '../support/service.ts';

const HEADER = 'X-D1-Bookmark';
const BOOKMARK = /^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{32}$/;

let opened: unknown[];
let service: Service;
let ada: { id: string; phrase: string };

beforeEach(async () => {
  opened = [];
  const watched = {
    prepare: (sql: string) => env.DB.prepare(sql),
    batch: (statements: D1PreparedStatement[]) => env.DB.batch(statements),
    withSession: (since?: string) => {
      opened.push(since);
      return env.DB.withSession(since);
    },
  } as unknown as D1Database;
  service = new Service(() => ({ DB: watched }));
  [ada = ada] = await service.haveCustomers([sentCustomer(1)]);
  opened = [];
});

const change = () =>
  service.ask('PATCH', '/v1/bank/customer', { body: { id: ada.id, update: { state: 'Lagos' } } });

describe('a read', () => {
  it.each([
    ['by id', () => `/v1/bank/customer?id=${ada.id}`],
    ['of the list', () => '/v1/bank/customers'],
    ['of the audit log', () => '/v1/bank/audit'],
  ])('%s may be the nearest replica’s, and says how far it is', async (_, path) => {
    const { status, headers } = await service.get(path());
    expect([status, opened]).toEqual([200, ['first-unconstrained']]);
    expect(headers.get(HEADER)).toMatch(BOOKMARK);
  });

  it('with the bookmark of a write sees it', async () => {
    const bookmark = (await change()).headers.get(HEADER) ?? '';
    expect(bookmark).toMatch(BOOKMARK);
    const { body } = await service.get(`/v1/bank/customer?id=${ada.id}`, KEYS.full, { [HEADER]: bookmark });
    expect([body.data.state, opened.at(-1)]).toEqual(['Lagos', bookmark]);
  });

  it.each(['nonsense', "'; DROP TABLE customers", '0'.repeat(5_000), 'first-primary', ''])(
    'ignores a bookmark that is none: %s',
    async (bookmark) => {
      const { status } = await service.get(`/v1/bank/customer?id=${ada.id}`, KEYS.full, {
        [HEADER]: bookmark,
      });
      expect([status, opened]).toEqual([200, ['first-unconstrained']]);
    },
  );
});

describe('the primary alone', () => {
  it('answers what fills the cache, and a hit asks nobody', async () => {
    const path = `/v1/bank/customer?phrase=${ada.phrase}`;
    for (const cache of ['MISS', 'HIT']) {
      const { headers } = await service.get(path, KEYS.standard);
      expect([headers.get('X-Cache'), headers.get(HEADER)]).toEqual([cache, null]);
    }
    expect(opened).toEqual([]);
  });

  it('takes batches, and answers what became of them: who was told 201 finds it', async () => {
    const { body } = await service.post([sentCustomer(2)]);
    expect((await service.get(`/v1/bank/customers/batches/${body.data.batchId}`)).status).toBe(200);
    expect(opened).toEqual([]);
  });
});
