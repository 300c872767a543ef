/** What it means that a customer is erased: gone everywhere, back never, and written down. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { STAGED_FIELDS } from '../../src/batches/staged-customer.ts';
import { API_KEYS, LAGOS } from '../support/banks.ts';
import { Deadlines, faultyDatabase, interceptTransactions } from '../support/faulty-bindings.ts';
import { sentCustomer, sentCustomers } from '../support/customers.ts';
import { Service } from '../support/service.ts';

let service: Service;

/** What is done a second later need not take one here. */
const hasty = { sleep: () => new Promise<void>((resolve) => setTimeout(resolve, 20)) };

beforeEach(() => {
  service = new Service(undefined, hasty);
});

const erase = (id: string, apiKey: string = API_KEYS.full, by = service) =>
  by.request('DELETE', `/v1/bank/customer?id=${id}`, { apiKey });
const counted = async (sql: string) => (await env.DB.prepare(sql).first<{ n: number }>())?.n;
const counter = () => counted(`SELECT customer_count AS n FROM banks WHERE id = '${LAGOS}'`);
/** Everything that D1 holds, in one text. */
async function everything(): Promise<string> {
  const tables = ['customers', 'batches', 'batch_chunks', 'batch_failures', 'retired_phrases', 'audit_log'];
  const results = await env.DB.batch(tables.map((table) => env.DB.prepare(`SELECT * FROM ${table}`)));
  return JSON.stringify(results.map(({ results: rows }) => rows));
}

describe('a customer that is erased', () => {
  it('is found by nothing, nowhere, and its neighbours are', async () => {
    const [ada, obi] = await service.createCustomers(sentCustomers(2));
    if (ada === undefined || obi === undefined) throw new Error('there are two');
    await service.get(`/v1/bank/customer?phrase=${ada.phrase}`, API_KEYS.standard);
    const answer = await erase(ada.id);
    expect([answer.status, answer.body.data]).toEqual([200, { id: ada.id }]);
    for (const by of [`id=${ada.id}`, `email=${ada.email}`, `phrase=${ada.phrase}`]) {
      for (const key of [API_KEYS.full, API_KEYS.standard])
        expect((await service.get(`/v1/bank/customer?${by}`, key)).status).toBe(404);
    }
    const list = await service.get('/v1/bank/customers');
    expect(list.body.map(({ id }: { id: string }) => id)).toEqual([obi.id]);
    expect([list.headers.get('X-Total-Count'), await counter()]).toEqual(['1', 1]);
    expect((await service.get(`/v1/bank/customers?phrases=${ada.phrase}`)).body).toEqual([]);
    expect((await env.PHRASE_CACHE.list()).keys).toEqual([]);
    expect(await everything()).not.toContain(ada.email);
  });

  it('can not be changed or erased again; and that it was stands in the audit log', async () => {
    const [ada] = await service.createCustomers(sentCustomers(1));
    const id = ada?.id ?? '';
    await erase(id);
    const body = { id, update: { state: 'x' } };
    expect((await service.request('PATCH', '/v1/bank/customer', { body })).status).toBe(404);
    expect((await erase(id)).status).toBe(404);
    const { data } = (await service.get(`/v1/bank/audit?subject=${id}`)).body;
    expect(data).toMatchObject([{ action: 'customer.erased', keyId: 'key_lagos_full' }]);
  });

  it('of another bank is the same 404 as nobody, and stays', async () => {
    const [ada] = await service.createCustomers(sentCustomers(1));
    const foreign = await erase(ada?.id ?? '', API_KEYS.other);
    const nobody = await erase('cus_nobody', API_KEYS.other);
    const withoutRequest = ({ text, headers }: typeof foreign) =>
      text.replace(headers.get('X-Request-Id') ?? '', '');
    expect([foreign.status, withoutRequest(foreign)]).toEqual([404, withoutRequest(nobody)]);
    expect(await counter()).toBe(1);
  });

  it('leaves failures without its name, and the names of others', async () => {
    const [ada] = await service.createCustomers(sentCustomers(1));
    await service.post([sentCustomer(0), sentCustomer(7, { email: 'broken' })]);
    await erase(ada?.id ?? '');
    const { results } = await env.DB.prepare(
      'SELECT client_ref FROM batch_failures ORDER BY row_index',
    ).all();
    expect(results).toEqual([{ client_ref: null }, { client_ref: 'ref-7' }]);
  });

  it('takes its phrase along: nobody is given it again', async () => {
    const [ada] = await service.createCustomers(sentCustomers(1));
    await erase(ada?.id ?? '');
    await service.post([sentCustomer(5)]);
    await env.DB.prepare(
      `UPDATE batch_chunks SET payload = json_set(payload, '$[0][${STAGED_FIELDS.indexOf('phrase')}]', ?) WHERE payload NOT NULL`,
    )
      .bind(ada?.phrase)
      .run();
    await service.deliverAll();
    const { body } = await service.get('/v1/bank/customers');
    expect(body).toHaveLength(1);
    expect(body[0].phrase).not.toBe(ada?.phrase);
  });

  it('may become a customer anew, as somebody else', async () => {
    const [ada] = await service.createCustomers(sentCustomers(1));
    await erase(ada?.id ?? '');
    const [again] = await service.createCustomers(sentCustomers(1));
    expect(again?.email).toBe(ada?.email);
    expect([again?.id, again?.phrase]).not.toContain(ada?.id);
    expect(again?.phrase).not.toBe(ada?.phrase);
  });

  it.each(['throws before', 'throws after', 'stalls', 'stalls after'] as const)(
    'is erased once although the first try %s',
    async (fate) => {
      const [ada] = await service.createCustomers(sentCustomers(2));
      await service.get(`/v1/bank/customer?phrase=${ada?.phrase}`, API_KEYS.standard);
      const deadlines = new Deadlines();
      const unlucky = new Service(({ DB }) => ({ DB: faultyDatabase(DB, ['works', fate], deadlines) }), {
        ...hasty,
        timer: deadlines.timer,
      });
      expect((await erase(ada?.id ?? '', API_KEYS.full, unlucky)).status).toBe(200);
      expect([await counter(), await counted('SELECT count(*) AS n FROM customers')]).toEqual([1, 1]);
      expect((await env.PHRASE_CACHE.list()).keys).toEqual([]);
    },
  );

  it('is erased by one of many requests at once, and written down once', async () => {
    const [ada] = await service.createCustomers(sentCustomers(1));
    const id = ada?.id ?? '';
    const answers = await Promise.all(Array.from({ length: 4 }, () => erase(id)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 404, 404, 404]);
    expect((await service.get(`/v1/bank/audit?subject=${id}`)).body.data).toHaveLength(1);
    expect(await counter()).toBe(0);
  });

  it('is not, when it changes between the look at it and the erasure', async () => {
    const [ada] = await service.createCustomers(sentCustomers(1));
    const id = ada?.id ?? '';
    const etag = (await service.get(`/v1/bank/customer?id=${id}`)).headers.get('ETag') ?? '';
    const raced = new Service(({ DB }) => ({
      DB: interceptTransactions(DB, async (number, work) => {
        if (number === 2)
          await service.request('PATCH', '/v1/bank/customer', { body: { id, update: { state: 'Lagos' } } });
        return work();
      }),
    }));
    const headers = { 'If-Match': etag };
    expect((await raced.request('DELETE', `/v1/bank/customer?id=${id}`, { headers })).status).toBe(412);
    expect(await counter()).toBe(1);
  });

  it('is gone from the edge, whether KV refuses once or an update was being written', async () => {
    const [ada, obi] = await service.createCustomers(sentCustomers(2));
    const sleep = () => new Promise<void>((resolve) => setTimeout(resolve, 50));
    let refusals = 0;
    const busy = new Service(
      ({ PHRASE_CACHE }) => ({
        PHRASE_CACHE: {
          get: (key: string, type: 'json') => PHRASE_CACHE.get(key, type),
          put: async (...args: Parameters<KVNamespace['put']>) => {
            await sleep();
            return PHRASE_CACHE.put(...args);
          },
          delete: async (key: string) => {
            refusals += 1;
            if (refusals === 1) throw new Error('KV DELETE failed: 429');
            return PHRASE_CACHE.delete(key);
          },
        } as unknown as KVNamespace,
      }),
      { sleep },
    );
    await busy.get(`/v1/bank/customer?phrase=${ada?.phrase}`, API_KEYS.standard);
    await erase(ada?.id ?? '', API_KEYS.full, busy);
    const update = busy.request('PATCH', '/v1/bank/customer', {
      body: { id: obi?.id, update: { state: 'x' } },
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await erase(obi?.id ?? '', API_KEYS.full, busy);
    await update;
    expect((await env.PHRASE_CACHE.list()).keys).toEqual([]);
  });

  it('is gone from D1 although the cache can not be told', async () => {
    const [ada] = await service.createCustomers(sentCustomers(1));
    const kv = { delete: () => Promise.reject(new Error('KV DELETE failed: 500')) } as unknown as KVNamespace;
    const unlucky = new Service(() => ({ PHRASE_CACHE: kv }), hasty);
    expect((await erase(ada?.id ?? '', API_KEYS.full, unlucky)).status).toBe(200);
    expect(await counter()).toBe(0);
  });
});

describe('a customer that is erased on its way in', () => {
  const accept = async (customers: unknown[]) => {
    const { body } = await service.post(customers);
    return { ids: body.data.data.customerIds as string[], batchId: body.data.batchId as string };
  };

  it('never arrives, and the others of its chunk do', async () => {
    const { ids, batchId } = await accept(sentCustomers(3));
    expect((await erase(ids[1] ?? '')).status).toBe(200);
    expect(await everything()).not.toContain('adaobi.1@');
    await service.deliverAll();
    const list = await service.get('/v1/bank/customers?sortBy=id');
    expect(list.body.map(({ id }: { id: string }) => id)).toEqual([ids[0], ids[2]]);
    expect([list.headers.get('X-Total-Count'), await counter()]).toEqual(['2', 2]);
    const batch = (await service.get(`/v1/bank/customers/batches/${batchId}`)).body.data;
    // It was accepted, and is no failure: the summary says what the 201 said.
    expect([batch.status, batch.summary.successful, batch.summary.failed]).toEqual(['COMPLETED', 3, 0]);
  });

  it('does not come back by another batch that was accepted before', async () => {
    const first = await accept(sentCustomers(1));
    const second = await accept([sentCustomer(0, { clientRef: 'another' }), sentCustomer(9)]);
    const [pointer] = service.pendingPointers.splice(0, 1);
    await service.deliverMessages([pointer]);
    expect((await erase(first.ids[0] ?? '')).status).toBe(200);
    await service.deliverAll();
    expect((await service.get(`/v1/bank/customer?email=adaobi.0@example.com`)).status).toBe(404);
    expect((await service.get(`/v1/bank/customer?id=${second.ids[1]}`)).status).toBe(200);
    expect(await counter()).toBe(1);
  });

  it('that never will arrive, because another has its email, is nobody, and the other stays', async () => {
    const first = await accept(sentCustomers(1));
    const second = await accept([sentCustomer(0, { clientRef: 'another' })]);
    const [pointer] = service.pendingPointers.splice(0, 1);
    await service.deliverMessages([pointer]);
    expect((await erase(second.ids[0] ?? '')).status).toBe(404);
    await service.deliverAll();
    const batch = (await service.get(`/v1/bank/customers/batches/${second.batchId}`)).body.data;
    expect([batch.summary.failed, batch.summary.duplicates]).toEqual([1, 1]);
    expect((await service.get(`/v1/bank/customer?id=${first.ids[0]}`)).status).toBe(200);
  });

  it('does not come back when everything is delivered again', async () => {
    const { ids } = await accept(sentCustomers(3));
    const pointers = [...service.pendingPointers];
    await service.deliverAll();
    await erase(ids[1] ?? '');
    await service.deliverMessages([...pointers, ...pointers]);
    expect(await counted('SELECT count(*) AS n FROM customers')).toBe(2);
  });

  it('is no hindrance when its chunk must be halved, or given new phrases', async () => {
    const { ids } = await accept(sentCustomers(5));
    await erase(ids[0] ?? '');
    const [country, phrase] = [STAGED_FIELDS.indexOf('country'), STAGED_FIELDS.indexOf('phrase')];
    await env.DB.prepare(
      `UPDATE batch_chunks SET payload = json_set(payload,
         '$[3][${country}]', 'Atlantis', '$[2][${phrase}]', payload ->> '$[1][${phrase}]')`,
    ).run();
    await service.deliverAll();
    const { body } = await service.get('/v1/bank/customers?sortBy=id');
    expect(body.map(({ id }: { id: string }) => id)).toEqual([ids[1], ids[2], ids[4]]);
    expect(await counter()).toBe(3);
    const [batch] = (await service.get('/v1/bank/customers/batches')).body.data;
    expect([batch.summary.successful, batch.summary.failed]).toEqual([4, 1]);
  });
});

it.each([['?id='], [''], ['?email=a@b.co'], ['?id=a&id=b'], [`?id=${'x'.repeat(65)}`]])(
  'DELETE /v1/bank/customer%s is a 400',
  async (query) => {
    expect((await service.request('DELETE', `/v1/bank/customer${query}`)).status).toBe(400);
  },
);
