/** What each request may cost, measured at the bindings: docs/performance.md. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { ACCRA, API_KEYS, LAGOS } from './support/banks.ts';
import { sentCustomer, sentCustomers } from './support/customers.ts';
import { laggingDatabase, withSessions } from './support/faulty-bindings.ts';
import { Meter } from './support/meter.ts';
import { linkTo } from './support/responses.ts';
import { Service } from './support/service.ts';

let service: Service;
let meter: Meter;
let phrase: string;
let id: string;

beforeEach(async () => {
  meter = new Meter();
  service = new Service((bindings) => meter.bindings(bindings));
  const created = await service.createCustomers(sentCustomers(60));
  await service.createCustomers(sentCustomers(30), API_KEYS.other);
  phrase = created[7]?.phrase ?? '';
  id = created[7]?.id ?? '';
  // The check of an API key is not counted: an isolate caches it.
  for (const key of [API_KEYS.full, API_KEYS.standard]) await service.get('/v1/bank/customer?id=none', key);
  meter.reset();
});

const noCalls = { d1Calls: 0, cacheReads: 0, cacheWrites: 0, queueSends: 0 };

describe('the calls of a request', () => {
  it('are one D1 call for a phrase that is not cached, and none for one that is', async () => {
    const miss = await service.get(`/v1/bank/customer?phrase=${phrase}`, API_KEYS.standard);
    expect(miss.headers.get('X-Cache')).toBe('MISS');
    expect(meter.calls).toEqual({ ...noCalls, d1Calls: 1, cacheReads: 1, cacheWrites: 1 });
    // The customer, and the state of its bank.
    expect(meter.rowsRead).toBe(2);
    meter.reset();
    const hit = await service.get(`/v1/bank/customer?phrase=${phrase}`, API_KEYS.standard);
    expect(hit.headers.get('X-Cache')).toBe('HIT');
    expect(meter.calls).toEqual({ ...noCalls, cacheReads: 1 });
  });

  it.each([
    ['the primary answers', (db: D1Database) => db, 1],
    ['a replica answers', laggingDatabase, 2],
  ])(
    'are the same for another bank’s phrase as for one that nobody has, if %s',
    async (_, replicated, d1Calls) => {
      const asked = new Service((bindings) => {
        const { SHARD_1, ...others } = meter.bindings(bindings);
        return { ...others, SHARD_1: replicated(withSessions(SHARD_1)) };
      });
      await asked.get('/v1/bank/customer?id=none', API_KEYS.otherStandard);
      for (const name of [phrase, 'zoo-zoo-zoo-zoo']) {
        meter.reset();
        const miss = await asked.get(`/v1/bank/customer?phrase=${name}`, API_KEYS.otherStandard);
        expect(miss.status).toBe(404);
        expect(meter.calls).toEqual({ ...noCalls, d1Calls, cacheReads: 1 });
      }
    },
  );

  it('are none for a phrase that cannot exist', async () => {
    await service.get('/v1/bank/customer?phrase=no-such-phrase-here', API_KEYS.standard);
    expect(meter.calls).toEqual(noCalls);
  });

  it('are one D1 call for a payee that is not cached, none for one that is, and two for an unknown one', async () => {
    await service.get('/v1/bank/customers', API_KEYS.network);
    const ask = async (name: string) => {
      meter.reset();
      await service.get(`/v1/network/payee?phrase=${name}`, API_KEYS.network);
      return { ...meter.calls, rowsRead: meter.rowsRead, rowsWritten: meter.rowsWritten };
    };
    const read = { ...noCalls, cacheReads: 1, rowsRead: 0, rowsWritten: 0 };
    expect(await ask(phrase)).toEqual({ ...read, d1Calls: 1, cacheWrites: 1, rowsRead: 2 });
    expect(await ask(phrase)).toEqual(read);
    for (const name of ['zoo-zoo-zoo-zoo', 'no-such-phrase-here']) {
      const { rowsRead, ...calls } = await ask(name);
      expect(calls).toEqual({ ...noCalls, d1Calls: 2, cacheReads: 1, rowsWritten: 1 });
      // The bank's count, to read it and to raise it.
      expect(rowsRead).toBeLessThanOrEqual(3);
    }
  });

  it.each(['id', 'email', 'phrase'])(
    'are one D1 call that reads two rows for a lookup by %s, the customer and the state of its bank',
    async (by) => {
      const value = { id, email: 'adaobi.7@example.com', phrase }[by];
      const response = await service.get(`/v1/bank/customer?${by}=${value}`);
      expect(response.body.data.id).toBe(id);
      expect(meter.calls).toEqual({ ...noCalls, d1Calls: 1 });
      expect(meter.rowsRead).toBe(2);
    },
  );

  it('are the same with eight shards as with two', async () => {
    const others = Array.from({ length: 6 }, (_, index) => `SHARD_${index + 3}`);
    const insert = env.DIRECTORY.prepare('INSERT INTO shards (name, number, created_at) VALUES (?, ?, 0)');
    await env.DIRECTORY.batch(others.map((name, index) => insert.bind(name, index + 3)));
    const asked = new Service((bindings) => {
      const metered = meter.bindings(bindings);
      return { ...metered, ...Object.fromEntries(others.map((name) => [name, metered.SHARD_1])) };
    });
    await asked.get('/v1/bank/customer?id=none');
    for (const path of [`id=${id}`, 'email=adaobi.7@example.com', `phrase=${phrase}`]) {
      meter.reset();
      expect((await asked.get(`/v1/bank/customer?${path}`)).status).toBe(200);
      expect(meter.calls.d1Calls).toBe(1);
      expect(meter.rowsRead).toBe(2);
    }
  });

  it('are one D1 call and one write of the cache for an update, and one D1 call more for a national phone number', async () => {
    await service.updateCustomer(id, { state: 'Lagos' });
    expect(meter.calls).toEqual({ ...noCalls, d1Calls: 1, cacheWrites: 1 });
    meter.reset();
    await service.updateCustomer(id, { phone: '0803 123 4567' });
    expect(meter.calls).toEqual({ ...noCalls, d1Calls: 2, cacheWrites: 1 });
  });

  it('are one write of the cache more for an update of what other banks see', async () => {
    await service.updateCustomer(id, { accountName: 'New Name' });
    expect(meter.calls).toEqual({ ...noCalls, d1Calls: 1, cacheWrites: 2 });
  });

  it('are two D1 calls and one send to accept 10,000 customers, and twenty D1 calls to apply them', async () => {
    const response = await service.post(
      sentCustomers(10_000, {}).map((row, i) => ({ ...row, email: `n${i}@x.org` })),
    );
    expect(response.status).toBe(201);
    expect(meter.calls).toEqual({ ...noCalls, d1Calls: 2, queueSends: 1 });
    meter.reset();
    await service.deliverAll();
    expect(meter.calls).toEqual({ ...noCalls, d1Calls: 20 });
    const list = await service.get('/v1/bank/customers');
    expect(list.headers.get('X-Total-Count')).toBe('10060');
  });
});

describe('the rows that a list reads', () => {
  const sorts = ['createdAt', 'id', 'accountName', 'email'].flatMap((sort) => [sort, `-${sort}`]);

  it.each(sorts)('are at most limit + 3 for any page by cursor, sorted by %s', async (sort) => {
    let url: string | undefined = `/v1/bank/customers?limit=10&sortBy=${sort}`;
    let seen = 0;
    while (url !== undefined) {
      meter.reset();
      const response = await service.get(url);
      expect(meter.calls).toEqual({ ...noCalls, d1Calls: 1 });
      expect(meter.rowsRead).toBeLessThanOrEqual(13);
      seen += response.body.length;
      url = linkTo('next', response);
    }
    expect(seen).toBe(60);
  });

  it('are at most limit + 3 for a page within customers of the same name', async () => {
    await service.createCustomers(
      sentCustomers(50).map((row, i) => ({ ...row, email: `same${i}@x.org`, accountName: 'AAA' })),
    );
    const first = await service.get('/v1/bank/customers?limit=20&sortBy=accountName');
    const next = linkTo('next', first) ?? '';
    meter.reset();
    await service.get(next);
    expect(meter.rowsRead).toBeLessThanOrEqual(23);
  });

  it('are two for a page number far past the end', async () => {
    const response = await service.get('/v1/bank/customers?page=100&limit=100');
    expect(response.body).toEqual([]);
    expect(meter.rowsRead).toBeLessThanOrEqual(2);
  });

  it.each(sorts)('are only those of the customers that a filter names, sorted by %s', async (sort) => {
    const idsAndPhrases = 'ids=cus_none&phrases=abandon-abandon-abandon-abandon';
    for (const filter of [idsAndPhrases, 'ids=cus_none', `phrases=${phrase}`, `phrases=${phrase}&limit=1`]) {
      meter.reset();
      await service.get(`/v1/bank/customers?${filter}&sortBy=${sort}`);
      expect(meter.rowsRead, filter).toBeLessThanOrEqual(13);
    }
  });

  it('are only those of the filter, for batches of a status and changes of a subject', async () => {
    for (const list of ['customers/batches?status=STALLED', 'audit?subject=unknown']) {
      meter.reset();
      await service.get(`/v1/bank/${list}`);
      expect(meter.rowsRead, list).toBeLessThanOrEqual(1);
    }
  });

  it('are three for each customer that a filter names, for the page and for the count', async () => {
    await service.get(`/v1/bank/customers?phrases=${phrase},abandon-abandon-abandon-abandon`);
    expect(meter.rowsRead).toBeLessThanOrEqual(13);
    meter.reset();
    await service.get(`/v1/bank/customers?ids=${id},cus_none`);
    expect(meter.rowsRead).toBeLessThanOrEqual(13);
  });
});

it('reads one row for each customer of a page of 1,000', async () => {
  await service.createCustomers(sentCustomers(1_100).map((row, i) => ({ ...row, email: `p${i}@x.org` })));
  meter.reset();
  const page = await service.get('/v1/bank/customers?limit=1000');
  expect(page.body).toHaveLength(1_000);
  expect(meter.calls).toEqual({ ...noCalls, d1Calls: 1 });
  expect(meter.rowsRead).toBeLessThanOrEqual(1_003);
});

it('writes four rows for a customer', async () => {
  await service.post(sentCustomers(500).map((row, i) => ({ ...row, email: `w${i}@x.org` })));
  meter.reset();
  await service.deliverAll();
  // The other seven are the bank's counter, the chunk with its index entries, the batch, and the event with its counter.
  expect(meter.rowsWritten).toBeLessThanOrEqual(4 * 500 + 7);
});

it('counts the customers of a bank in its counter as the table has them', async () => {
  const counted = await env.SHARD_1.prepare(
    `SELECT bank_id AS id, customer_count AS counter,
       (SELECT count(*) FROM customers WHERE bank_id = tenants.bank_id) AS actual
     FROM tenants ORDER BY id`,
  ).all();
  expect(counted.results).toEqual([
    { id: ACCRA, counter: 30, actual: 30 },
    { id: LAGOS, counter: 60, actual: 60 },
  ]);
  expect(sentCustomer(7)['email']).toBe('adaobi.7@example.com');
});
