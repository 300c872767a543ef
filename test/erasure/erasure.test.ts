/** An erased customer is gone everywhere, never comes back, and the erasure is in the audit log. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { CACHE_SECONDS } from '../../src/customers/phrase-cache.ts';
import { STAGED_FIELDS } from '../../src/batches/staged-customer.ts';
import { API_KEYS, LAGOS } from '../support/banks.ts';
import { countRows, dumpTables } from '../support/database.ts';
import { Deadlines, faultyDatabase, interceptTransactions } from '../support/faulty-bindings.ts';
import { sentCustomer, sentCustomers } from '../support/customers.ts';
import { textWithoutRequestId } from '../support/responses.ts';
import { phraseStore } from '../support/phrase-store.ts';
import { Service } from '../support/service.ts';

let service: Service;

beforeEach(() => {
  service = new Service();
});

const customerCount = () =>
  env.SHARD_1.prepare('SELECT customer_count FROM tenants WHERE bank_id = ?')
    .bind(LAGOS)
    .first('customer_count');
const dumpDatabase = () =>
  dumpTables('customers', 'batches', 'batch_chunks', 'batch_failures', 'retired_phrases', 'audit_log');

describe('an erased customer', () => {
  it('is in no lookup, list, count, cache or table, and other customers still are', async () => {
    const [ada, obi] = await service.createCustomers(sentCustomers(2));
    if (ada === undefined || obi === undefined) throw new Error('Two customers were not created.');
    await service.get(`/v1/bank/customer?phrase=${ada.phrase}`, API_KEYS.standard);
    const response = await service.eraseCustomer(ada.id);
    expect([response.status, response.body.data]).toEqual([200, { id: ada.id }]);
    for (const query of [`id=${ada.id}`, `email=${ada.email}`, `phrase=${ada.phrase}`]) {
      for (const key of [API_KEYS.full, API_KEYS.standard])
        expect((await service.get(`/v1/bank/customer?${query}`, key)).status).toBe(404);
    }
    const list = await service.get('/v1/bank/customers');
    expect(list.body.map(({ id }: { id: string }) => id)).toEqual([obi.id]);
    expect([list.headers.get('X-Total-Count'), await customerCount()]).toEqual(['1', 1]);
    expect((await service.get(`/v1/bank/customers?phrases=${ada.phrase}`)).body).toEqual([]);
    expect(await phraseStore.keys()).toEqual([]);
    expect(await dumpDatabase()).not.toContain(ada.email);
  });

  it('cannot be changed or erased again, and its erasure is in the audit log', async () => {
    const { id } = await service.createCustomer();
    await service.eraseCustomer(id);
    expect((await service.updateCustomer(id, { state: 'x' })).status).toBe(404);
    expect((await service.eraseCustomer(id)).status).toBe(404);
    const { data } = (await service.get(`/v1/bank/audit?subject=${id}`)).body;
    expect(data).toMatchObject([{ action: 'customer.erased', keyId: 'key_lagos_full' }]);
  });

  it('loses its clientRef in failures, and other rows keep theirs', async () => {
    const ada = await service.createCustomer();
    await service.post([sentCustomer(0), sentCustomer(7, { email: 'broken' })]);
    await service.eraseCustomer(ada.id);
    const { results } = await env.SHARD_1.prepare(
      'SELECT client_ref FROM batch_failures ORDER BY row_index',
    ).all();
    expect(results).toEqual([{ client_ref: null }, { client_ref: 'ref-7' }]);
  });

  it('retires its phrase, which no later customer gets', async () => {
    const ada = await service.createCustomer();
    await service.eraseCustomer(ada.id);
    await service.post([sentCustomer(5)]);
    await env.SHARD_1.prepare(
      `UPDATE batch_chunks SET payload = json_set(payload, '$[0][${STAGED_FIELDS.indexOf('phrase')}]', ?) WHERE payload NOT NULL`,
    )
      .bind(ada.phrase)
      .run();
    await service.deliverAll();
    const { body } = await service.get('/v1/bank/customers');
    expect(body).toHaveLength(1);
    expect(body[0].phrase).not.toBe(ada.phrase);
  });

  it('may become a customer again, with another id and phrase', async () => {
    const ada = await service.createCustomer();
    await service.eraseCustomer(ada.id);
    const again = await service.createCustomer();
    expect(again.email).toBe(ada.email);
    expect([again.id, again.phrase]).not.toContain(ada.id);
    expect(again.phrase).not.toBe(ada.phrase);
  });

  it.each(['throws before', 'throws after', 'stalls', 'stalls after'] as const)(
    'is erased once although the first try of D1 %s',
    async (outcome) => {
      const [ada] = await service.createCustomers(sentCustomers(2));
      await service.get(`/v1/bank/customer?phrase=${ada?.phrase}`, API_KEYS.standard);
      const deadlines = new Deadlines();
      const faulty = new Service(
        ({ SHARD_1 }) => ({ SHARD_1: faultyDatabase(SHARD_1, ['works', outcome], deadlines) }),
        { timer: deadlines.timer },
      );
      expect((await faulty.eraseCustomer(ada?.id ?? '')).status).toBe(200);
      expect([await customerCount(), await countRows('customers')]).toEqual([1, 1]);
      expect(await phraseStore.keys()).toEqual([]);
    },
  );

  it('is erased by one of several simultaneous requests, and is in the audit log once', async () => {
    const { id } = await service.createCustomer();
    const responses = await Promise.all(Array.from({ length: 4 }, () => service.eraseCustomer(id)));
    expect(responses.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 404, 404, 404]);
    expect((await service.get(`/v1/bank/audit?subject=${id}`)).body.data).toHaveLength(1);
    expect(await customerCount()).toBe(0);
  });

  it('is gone from the cache even if the cache fails once or an update is being written', async () => {
    const [ada, obi] = await service.createCustomers(sentCustomers(2));
    const sleep = () => new Promise<void>((resolve) => setTimeout(resolve, 50));
    let deletes = 0;
    const slowCache = new Service(
      ({ PHRASE_CACHE }) => ({
        PHRASE_CACHE: {
          get: (key) => PHRASE_CACHE.get(key),
          put: async (...args) => {
            await sleep();
            return PHRASE_CACHE.put(...args);
          },
          delete: async (key) => {
            deletes += 1;
            if (deletes === 1) throw new Error('the cache is busy');
            return PHRASE_CACHE.delete(key);
          },
        },
      }),
      { sleep },
    );
    await slowCache.get(`/v1/bank/customer?phrase=${ada?.phrase}`, API_KEYS.standard);
    await slowCache.eraseCustomer(ada?.id ?? '');
    const update = slowCache.request('PATCH', '/v1/bank/customer', {
      body: { id: obi?.id, update: { state: 'x' } },
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await slowCache.eraseCustomer(obi?.id ?? '');
    await update;
    expect(await phraseStore.keys()).toEqual([]);
  });

  it('is in the cache of another data centre for five minutes at most', async () => {
    let now = Date.now();
    const values = new Map<string, string>();
    const PHRASE_CACHE = {
      get: async (key: string) => JSON.parse(values.get(key) ?? 'null'),
      put: async (key: string, text: string) => void values.set(key, text),
      delete: async (key: string) => void values.delete(key),
    };
    const elsewhere = new Service(() => ({ PHRASE_CACHE }), { now: () => now });
    const ada = await service.createCustomer();
    const statuses = async () => [
      (await elsewhere.get(`/v1/bank/customer?phrase=${ada.phrase}`, API_KEYS.standard)).status,
      (await elsewhere.get(`/v1/network/payee?phrase=${ada.phrase}`, API_KEYS.network)).status,
    ];
    expect(await statuses()).toEqual([200, 200]);
    await service.eraseCustomer(ada.id);
    now += CACHE_SECONDS * 1_000 - 1;
    expect(await statuses()).toEqual([200, 200]);
    now += 1;
    expect(await statuses()).toEqual([404, 404]);
  });

  it('is gone from D1 although the cache cannot delete its value', async () => {
    const ada = await service.createCustomer();
    const fails = () => Promise.reject(new Error('the cache is down'));
    const faulty = new Service(() => ({ PHRASE_CACHE: { delete: fails } }));
    expect((await faulty.eraseCustomer(ada.id)).status).toBe(200);
    expect(await customerCount()).toBe(0);
  });
});

describe('a staged customer that is erased', () => {
  const accept = async (customers: unknown[]) => {
    const { body } = await service.post(customers);
    return { ids: body.data.data.customerIds as string[], batchId: body.data.batchId as string };
  };

  it('is never created, and the others of its chunk are', async () => {
    const { ids, batchId } = await accept(sentCustomers(3));
    expect((await service.eraseCustomer(ids[1] ?? '')).status).toBe(200);
    expect(await dumpDatabase()).not.toContain('adaobi.1@');
    await service.deliverAll();
    const list = await service.get('/v1/bank/customers?sortBy=id');
    expect(list.body.map(({ id }: { id: string }) => id)).toEqual([ids[0], ids[2]]);
    expect([list.headers.get('X-Total-Count'), await customerCount()]).toEqual(['2', 2]);
    const batch = (await service.get(`/v1/bank/customers/batches/${batchId}`)).body.data;
    // It was accepted and did not fail, so the summary stays what the 201 said.
    expect([batch.status, batch.summary.successful, batch.summary.failed]).toEqual(['COMPLETED', 3, 0]);
  });

  it('is not created by another batch that was accepted before', async () => {
    const first = await accept(sentCustomers(1));
    const second = await accept([sentCustomer(0, { clientRef: 'another' }), sentCustomer(9)]);
    const [pointer] = service.pendingPointers.splice(0, 1);
    await service.deliverMessages([pointer]);
    expect((await service.eraseCustomer(first.ids[0] ?? '')).status).toBe(200);
    await service.deliverAll();
    expect((await service.get(`/v1/bank/customer?email=adaobi.0@example.com`)).status).toBe(404);
    expect((await service.get(`/v1/bank/customer?id=${second.ids[1]}`)).status).toBe(200);
    expect(await customerCount()).toBe(1);
  });

  it('is unknown if another customer has its email, and the other one stays', async () => {
    const first = await accept(sentCustomers(1));
    const second = await accept([sentCustomer(0, { clientRef: 'another' })]);
    const [pointer] = service.pendingPointers.splice(0, 1);
    await service.deliverMessages([pointer]);
    expect((await service.eraseCustomer(second.ids[0] ?? '')).status).toBe(404);
    await service.deliverAll();
    const batch = (await service.get(`/v1/bank/customers/batches/${second.batchId}`)).body.data;
    expect([batch.summary.failed, batch.summary.duplicates]).toEqual([1, 1]);
    expect((await service.get(`/v1/bank/customer?id=${first.ids[0]}`)).status).toBe(200);
  });

  it('is not created when every message is delivered again', async () => {
    const { ids } = await accept(sentCustomers(3));
    const pointers = [...service.pendingPointers];
    await service.deliverAll();
    await service.eraseCustomer(ids[1] ?? '');
    await service.deliverMessages([...pointers, ...pointers]);
    expect(await countRows('customers')).toBe(2);
  });

  it('does not keep its chunk from being split or getting new phrases', async () => {
    const { ids } = await accept(sentCustomers(5));
    await service.eraseCustomer(ids[0] ?? '');
    const [country, phrase] = [STAGED_FIELDS.indexOf('country'), STAGED_FIELDS.indexOf('phrase')];
    await env.SHARD_1.prepare(
      `UPDATE batch_chunks SET payload = json_set(payload,
         '$[3][${country}]', 'Atlantis', '$[2][${phrase}]', payload ->> '$[1][${phrase}]')`,
    ).run();
    await service.deliverAll();
    const { body } = await service.get('/v1/bank/customers?sortBy=id');
    expect(body.map(({ id }: { id: string }) => id)).toEqual([ids[1], ids[2], ids[4]]);
    expect(await customerCount()).toBe(3);
    const [batch] = (await service.get('/v1/bank/customers/batches')).body.data;
    expect([batch.summary.successful, batch.summary.failed]).toEqual([4, 1]);
  });
});

it('returns the 404 of an unknown id for another bank’s customer, and keeps that customer', async () => {
  const ada = await service.createCustomer();
  const foreign = await service.eraseCustomer(ada.id, API_KEYS.other);
  const unknown = await service.eraseCustomer('cus_unknown', API_KEYS.other);
  expect([foreign.status, textWithoutRequestId(foreign)]).toEqual([404, textWithoutRequestId(unknown)]);
  expect(await customerCount()).toBe(1);
});

it('returns 412 and keeps the customer if it changes between the check of If-Match and the erasure', async () => {
  const { id } = await service.createCustomer();
  const etag = (await service.get(`/v1/bank/customer?id=${id}`)).headers.get('ETag') ?? '';
  const raced = new Service(({ SHARD_1 }) => ({
    SHARD_1: interceptTransactions(SHARD_1, async (number, work) => {
      if (number === 2) await service.updateCustomer(id, { state: 'Lagos' });
      return work();
    }),
  }));
  const headers = { 'If-Match': etag };
  expect((await raced.request('DELETE', `/v1/bank/customer?id=${id}`, { headers })).status).toBe(412);
  expect(await customerCount()).toBe(1);
});

it.each([['?id='], [''], ['?email=a@b.co'], ['?id=a&id=b'], [`?id=${'x'.repeat(65)}`]])(
  'returns 400 for DELETE /v1/bank/customer%s',
  async (query) => {
    expect((await service.request('DELETE', `/v1/bank/customer${query}`)).status).toBe(400);
  },
);
