/** What each request may cost: the design's budget table, held against the bindings. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { ACCRA, API_KEYS, LAGOS } from './support/banks.ts';
import { sentCustomer, sentCustomers } from './support/customers.ts';
import { Meter } from './support/meter.ts';
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
  // The key's own check is beside the budget: an isolate remembers it.
  for (const key of [API_KEYS.full, API_KEYS.standard]) await service.get('/v1/bank/customer?id=none', key);
  meter.reset();
});

const nothing = { d1Calls: 0, kvReads: 0, kvWrites: 0, queueSends: 0 };

describe('calls per request', () => {
  it('a phrase costs one D1 call when it is not cached, and none when it is', async () => {
    const miss = await service.get(`/v1/bank/customer?phrase=${phrase}`, API_KEYS.standard);
    expect(miss.headers.get('X-Cache')).toBe('MISS');
    expect(meter.calls).toEqual({ ...nothing, d1Calls: 1, kvReads: 1, kvWrites: 1 });
    expect(meter.rowsRead).toBe(1);
    meter.reset();
    const hit = await service.get(`/v1/bank/customer?phrase=${phrase}`, API_KEYS.standard);
    expect(hit.headers.get('X-Cache')).toBe('HIT');
    expect(meter.calls).toEqual({ ...nothing, kvReads: 1 });
  });

  it('a phrase that can not exist costs nothing', async () => {
    await service.get('/v1/bank/customer?phrase=no-such-phrase-here', API_KEYS.standard);
    expect(meter.calls).toEqual(nothing);
  });

  it.each(['id', 'email', 'phrase'])('a lookup by %s reads one row in one D1 call', async (by) => {
    const value = { id, email: 'adaobi.7@example.com', phrase }[by];
    const answer = await service.get(`/v1/bank/customer?${by}=${value}`);
    expect(answer.body.data.id).toBe(id);
    expect(meter.calls).toEqual({ ...nothing, d1Calls: 1 });
    expect(meter.rowsRead).toBe(1);
  });

  it('an update costs one D1 call and one KV write; a phone as dialled at home one D1 call more', async () => {
    await service.request('PATCH', '/v1/bank/customer', { body: { id, update: { state: 'Lagos' } } });
    expect(meter.calls).toEqual({ ...nothing, d1Calls: 1, kvWrites: 1 });
    meter.reset();
    await service.request('PATCH', '/v1/bank/customer', { body: { id, update: { phone: '0803 123 4567' } } });
    expect(meter.calls).toEqual({ ...nothing, d1Calls: 2, kvWrites: 1 });
  });

  it('10,000 customers cost two D1 calls and one send to accept, and twelve D1 calls in all', async () => {
    const answer = await service.post(
      sentCustomers(10_000, {}).map((row, i) => ({ ...row, email: `n${i}@x.org` })),
    );
    expect(answer.status).toBe(201);
    expect(meter.calls).toEqual({ ...nothing, d1Calls: 2, queueSends: 1 });
    meter.reset();
    await service.deliverAll();
    expect(meter.calls).toEqual({ ...nothing, d1Calls: 10 });
    const list = await service.get('/v1/bank/customers');
    expect(list.headers.get('X-Total-Count')).toBe('10060');
  });
});

describe('rows per page', () => {
  const sorts = ['createdAt', 'id', 'accountName', 'email'].flatMap((sort) => [sort, `-${sort}`]);

  it.each(sorts)('any page by cursor, sorted by %s, reads limit + 2 rows at most', async (sort) => {
    let address: string | undefined = `/v1/bank/customers?limit=10&sortBy=${sort}`;
    let seen = 0;
    while (address !== undefined) {
      meter.reset();
      const answer = await service.get(address);
      expect(meter.calls).toEqual({ ...nothing, d1Calls: 1 });
      expect(meter.rowsRead).toBeLessThanOrEqual(12);
      seen += answer.body.length;
      address = /<([^>]+)>; rel="next"/.exec(answer.headers.get('Link') ?? '')?.[1];
    }
    expect(seen).toBe(60);
  });

  it('rows of one name are no exception: a page in their middle reads no further', async () => {
    await service.createCustomers(
      sentCustomers(50).map((row, i) => ({ ...row, email: `same${i}@x.org`, accountName: 'AAA' })),
    );
    const first = await service.get('/v1/bank/customers?limit=20&sortBy=accountName');
    const next = /<([^>]+)>; rel="next"/.exec(first.headers.get('Link') ?? '')?.[1] ?? '';
    meter.reset();
    await service.get(next);
    expect(meter.rowsRead).toBeLessThanOrEqual(22);
  });

  it('a page number far past the end reads two rows, not the bank', async () => {
    const answer = await service.get('/v1/bank/customers?page=100&limit=100');
    expect(answer.body).toEqual([]);
    expect(meter.rowsRead).toBeLessThanOrEqual(2);
  });

  it.each(sorts)('a filter, sorted by %s, reads the customers that it names, not the bank', async (sort) => {
    const named = 'ids=cus_none&phrases=abandon-abandon-abandon-abandon';
    for (const filter of [named, 'ids=cus_none', `phrases=${phrase}`, `phrases=${phrase}&limit=1`]) {
      meter.reset();
      await service.get(`/v1/bank/customers?${filter}&sortBy=${sort}`);
      expect(meter.rowsRead, filter).toBeLessThanOrEqual(12);
    }
  });

  it('the batches of a status, and the changes of a subject, are read, and no others', async () => {
    for (const list of ['customers/batches?status=STALLED', 'audit?subject=nobody']) {
      meter.reset();
      await service.get(`/v1/bank/${list}`);
      expect(meter.rowsRead, list).toBeLessThanOrEqual(1);
    }
  });

  it('a filter reads the customers that it names, not the bank', async () => {
    await service.get(`/v1/bank/customers?phrases=${phrase},abandon-abandon-abandon-abandon`);
    // Once for the page and once for the count, three rows for each of the two names.
    expect(meter.rowsRead).toBeLessThanOrEqual(12);
    meter.reset();
    await service.get(`/v1/bank/customers?ids=${id},cus_none`);
    expect(meter.rowsRead).toBeLessThanOrEqual(12);
  });
});

it('a customer costs four rows written', async () => {
  await service.post(sentCustomers(1_000).map((row, i) => ({ ...row, email: `w${i}@x.org` })));
  meter.reset();
  await service.deliverAll();
  // Beside the customers: the bank's counter, the chunk with its index entry, and the batch.
  expect(meter.rowsWritten).toBeLessThanOrEqual(4 * 1_000 + 5);
});

it('the counter of a bank is what the table says', async () => {
  const counted = await env.DB.prepare(
    `SELECT id, customer_count AS counter, (SELECT count(*) FROM customers WHERE bank_id = banks.id) AS actual
     FROM banks ORDER BY id`,
  ).all();
  expect(counted.results).toEqual([
    { id: ACCRA, counter: 30, actual: 30 },
    { id: LAGOS, counter: 60, actual: 60 },
  ]);
  expect(sentCustomer(7)['email']).toBe('adaobi.7@example.com');
});
