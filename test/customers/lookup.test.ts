import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { beforeEach, describe, expect, it } from 'vitest';
import { DataCentreCache } from '../../src/customers/data-centre-cache.ts';
import { CACHE_SECONDS } from '../../src/customers/phrase-cache.ts';
import { systemRuntime } from '../../src/runtime.ts';
import { createWorker } from '../../src/worker.ts';
import { API_KEYS, LAGOS } from '../support/banks.ts';
import { Deadlines } from '../support/faulty-bindings.ts';
import { sentCustomer } from '../support/customers.ts';
import { phraseStore, storedText } from '../support/phrase-store.ts';
import { textWithoutRequestId } from '../support/responses.ts';
import { Service, unlimitedRatePolicies } from '../support/service.ts';

let service: Service;
let ada: { id: string; phrase: string; email: string };
let obi: { id: string; phrase: string; email: string };
let foreigner: { id: string; phrase: string; email: string };

beforeEach(async () => {
  service = new Service();
  [ada = ada, obi = obi] = await service.createCustomers([sentCustomer(1), sentCustomer(2, { gender: '' })]);
  [foreigner = foreigner] = await service.createCustomers([sentCustomer(3)], API_KEYS.other);
});

const look = (query: string, key: string = API_KEYS.full, headers: Record<string, string> = {}) =>
  service.get(`/v1/bank/customer?${query}`, key, headers);

interface Cached {
  readAt: number;
  value: { customer: object };
}

const STANDARD = ['id', 'accountName', 'gender', 'displayPicture', 'bankId', 'phrase', 'country'];
const EXTENDED = ['state', 'email', 'phone', 'address', 'createdAt'];

describe('fields', () => {
  it('a Standard key sees the seven Standard fields, in the order of the contract', async () => {
    const { body } = await look(`id=${ada.id}`, API_KEYS.standard);
    expect(body).toMatchObject({
      statusCode: 200,
      success: true,
      message: 'Customer retrieved successfully',
    });
    expect(Object.keys(body.data)).toEqual(STANDARD);
    expect(body.data).toEqual({
      id: ada.id,
      accountName: 'Adaobi Okafor 1',
      gender: 'female',
      displayPicture: null,
      bankId: LAGOS,
      phrase: ada.phrase,
      country: 'NG',
    });
  });

  it('an Extended key sees the Extended fields too, and nothing else', async () => {
    const { body } = await look(`id=${obi.id}`);
    expect(Object.keys(body.data)).toEqual([...STANDARD, ...EXTENDED]);
    expect(body.data).toMatchObject({ gender: null, state: null, email: obi.email, phone: '+2348031234567' });
    expect(new Date(body.data.createdAt).toISOString()).toBe(body.data.createdAt);
  });

  it('account number, reference, clientRef and the separate names are never returned', async () => {
    const { text } = await look(`id=${ada.id}`);
    for (const secret of ['1000000001', 'internal-1', 'ref-1', 'Chidinma', 'batchIndex']) {
      expect(text).not.toContain(secret);
    }
  });
});

describe('identifiers', () => {
  it.each(['id', 'email', 'phrase'] as const)('finds by %s', async (by) => {
    expect((await look(`${by}=${ada[by]}`)).body.data.id).toBe(ada.id);
  });

  it('several identifiers must all belong to the same customer', async () => {
    expect((await look(`id=${ada.id}&email=${ada.email}&phrase=${ada.phrase}`)).status).toBe(200);
    expect((await look(`id=${ada.id}&email=${obi.email}`)).status).toBe(404);
    expect((await look(`phrase=${ada.phrase}&id=${obi.id}`, API_KEYS.standard)).status).toBe(404);
  });

  it('a phrase is found however it is typed', async () => {
    const [one, two, three, four] = ada.phrase.split('-');
    for (const typed of [
      `${one}%20${two}%20${three}%20${four}`,
      `%20${one}...${two}__${three}%20-%20${four}%20`,
      `${one}+${two}+${three}+${four}`.toUpperCase(),
      `${one}-${two}-${three}-`.concat(four ?? ''),
    ]) {
      expect((await look(`phrase=${typed}`, API_KEYS.standard)).body.data?.id).toBe(ada.id);
    }
    const fullWidth = ada.phrase
      .split('')
      .map((c) => (c === '-' ? c : String.fromCharCode(c.charCodeAt(0) + 0xfee0)));
    expect((await look(`phrase=${encodeURIComponent(fullWidth.join(''))}`)).status).toBe(200);
  });

  it('an email is found in any case, with spaces around it', async () => {
    expect((await look(`email=%20${ada.email.toUpperCase()}%20`)).status).toBe(200);
  });

  it('refuses an email whose plus was not encoded, and says how to write it', async () => {
    for (const sent of ['a+b@example.com', '+a@x', 'a@x+', '++a@', '+']) {
      const { status, body } = await look(`email=${sent}`);
      expect([status, body.errors]).toEqual([
        400,
        [{ field: 'email', message: expect.stringContaining('%2B') }],
      ]);
    }
    expect((await look('email=a%2Bb@example.com')).status).toBe(404);
    expect((await look('email=nobody')).body.errors[0].message).not.toContain('%2B');
  });

  it.each(['a%26b@example.com', 'x@example.xn--p1ai'])('email=%s is looked up', async (email) => {
    expect((await look(`email=${email}`)).status).toBe(404);
  });

  it.each([
    ['', 'query'],
    ['email=a@foo-.com', 'email'],
    ['id=', 'id'],
    ['email=', 'email'],
    ['id=a&id=b', 'id'],
    ['phrase=a&phrase=b', 'phrase'],
    ['email=not-an-email', 'email'],
    ['id=a&name=Ada', 'name'],
    [`id=${'x'.repeat(65)}`, 'id'],
    ['id=%00', 'id'],
  ])('%s returns 400 and names %s once, and nothing else', async (query, field) => {
    const { status, body } = await look(query);
    expect([status, body.code, body.message]).toEqual([400, 'INVALID_REQUEST', 'Invalid customer data']);
    expect(body.errors.map((error: { field: string }) => error.field)).toEqual([field]);
  });
});

describe('another bank', () => {
  it.each(['id', 'email', 'phrase'] as const)(
    'has a customer who, looked up by %s, can not be told from an unknown one',
    async (by) => {
      for (const key of [API_KEYS.full, API_KEYS.standard]) {
        const foreign = await look(`${by}=${foreigner[by]}`, key);
        const nobody = await look(
          { id: 'id=cus_nobody', email: 'email=nobody@example.com', phrase: 'phrase=zoo-zoo-zoo-zoo' }[by],
          key,
        );
        expect(foreign.status).toBe(404);
        expect(textWithoutRequestId(foreign)).toBe(textWithoutRequestId(nobody));
        expect(foreign.headers.get('X-Cache')).toBe(nobody.headers.get('X-Cache'));
      }
    },
  );

  it('may have the same person as a customer, who is then two customers', async () => {
    const [twin] = await service.createCustomers([sentCustomer(1)], API_KEYS.other);
    expect(twin?.id).not.toBe(ada.id);
    expect(twin?.phrase).not.toBe(ada.phrase);
    expect((await look(`email=${ada.email}`, API_KEYS.other)).body.data.id).toBe(twin?.id);
    expect((await look(`email=${ada.email}`)).body.data.id).toBe(ada.id);
  });
});

describe('the phrase cache', () => {
  const deadlines = new Deadlines();
  const cacheOf = async (query: string, key: string = API_KEYS.standard, headers = {}) =>
    (await look(query, key, headers)).headers.get('X-Cache');
  const cachedAda = async () => (await phraseStore.get(`phrase:${LAGOS}:${ada.phrase}`)) as Cached;

  it('serves a Standard caller the second time, with the same response', async () => {
    const first = await look(`phrase=${ada.phrase}`, API_KEYS.standard);
    const second = await look(`phrase=${ada.phrase}`, API_KEYS.standard);
    expect([first, second].map(({ headers }) => headers.get('X-Cache'))).toEqual(['MISS', 'HIT']);
    expect(second.body.data).toEqual(first.body.data);
  });

  it('holds the Standard fields and the revision, and nothing else', async () => {
    await look(`phrase=${ada.phrase}`, API_KEYS.standard);
    expect(await phraseStore.keys()).toEqual([`phrase:${LAGOS}:${ada.phrase}`]);
    const stored = await cachedAda();
    expect(Object.keys(stored)).toEqual(['readAt', 'value']);
    expect(Object.keys(stored.value)).toEqual(['customer', 'revision']);
    expect(Object.keys(stored.value.customer)).toEqual(STANDARD);
  });

  it('is not used for Extended callers, other identifiers, and requests for a fresh response', async () => {
    await cacheOf(`phrase=${ada.phrase}`);
    expect(await cacheOf(`phrase=${ada.phrase}`, API_KEYS.full)).toBe('BYPASS');
    expect(await cacheOf(`id=${ada.id}`)).toBe('BYPASS');
    expect(await cacheOf(`phrase=${ada.phrase}&id=${ada.id}`)).toBe('BYPASS');
    expect(await cacheOf(`phrase=${ada.phrase}`, API_KEYS.standard, { 'Cache-Control': 'no-cache' })).toBe(
      'BYPASS',
    );
    expect(await cacheOf(`phrase=${ada.phrase}`)).toBe('HIT');
  });

  it('never holds a miss', async () => {
    expect(await cacheOf('phrase=zoo-zoo-zoo-zoo')).toBe('MISS');
    expect(await phraseStore.keys()).toEqual([]);
  });

  it.each([
    ['another bank', { bankId: 'bnk_accra' }],
    ['another phrase', { phrase: 'zoo-zoo-zoo-zoo' }],
    ['a field more', { email: 'x@example.com' }],
    ['a wrong type', { accountName: 7 }],
  ])('is not trusted when it holds %s', async (_, wrong) => {
    await look(`phrase=${ada.phrase}`, API_KEYS.standard);
    const key = `phrase:${LAGOS}:${ada.phrase}`;
    const { value } = await cachedAda();
    const customer = { ...value.customer, ...wrong };
    await phraseStore.put(key, storedText({ ...value, customer }));
    const answer = await look(`phrase=${ada.phrase}`, API_KEYS.standard);
    expect([answer.headers.get('X-Cache'), answer.body.data.id]).toEqual(['MISS', ada.id]);
  });

  it.each([
    ['HIT', 'less than five minutes', 1_000 - CACHE_SECONDS * 1_000],
    ['MISS', 'five minutes', -CACHE_SECONDS * 1_000],
    ['MISS', 'a time to come', 60_000],
  ])(
    'is a %s when it holds what the primary said %s ago, however long it keeps it',
    async (is, _, offset) => {
      await look(`phrase=${ada.phrase}`, API_KEYS.standard);
      const { value } = await cachedAda();
      const key = `phrase:${LAGOS}:${ada.phrase}`;
      await phraseStore.put(key, storedText(value, Date.now() + offset), 3_600);
      expect(await cacheOf(`phrase=${ada.phrase}`)).toBe(is);
    },
  );

  it('is the real one of a data centre unless a test brings another', async () => {
    const worker = createWorker({ ...systemRuntime, log: () => {} }, { ratePolicies: unlimitedRatePolicies });
    const ask = async () => {
      const context = createExecutionContext();
      const url = `https://api.example.com/v1/bank/customer?phrase=${ada.phrase}`;
      const headers = { Authorization: `Bearer ${API_KEYS.standard}` };
      const request = new Request<unknown, never>(url, { headers });
      const response = await worker.fetch(request, service.env, context);
      await waitOnExecutionContext(context);
      return response.headers.get('X-Cache');
    };
    expect([await ask(), await ask()]).toEqual(['MISS', 'HIT']);
    await new DataCentreCache(service.env.PUBLIC_URL).delete(`phrase:${LAGOS}:${ada.phrase}`);
    expect(await ask()).toBe('MISS');
  });

  it('is not trusted when it holds something other than JSON', async () => {
    await phraseStore.put(`phrase:${LAGOS}:${ada.phrase}`, '{"id":');
    expect((await look(`phrase=${ada.phrase}`, API_KEYS.standard)).body.data.id).toBe(ada.id);
  });

  it.each([
    ['throws', () => Promise.reject(new Error('the cache is down'))],
    ['never answers', deadlines.hang],
  ])('makes a request slower, never wrong, when it %s', async (_, get) => {
    const fails = () => Promise.reject(new Error('the cache is down'));
    const PHRASE_CACHE = { get, put: fails, delete: fails };
    const broken = new Service(() => ({ PHRASE_CACHE }), { timer: deadlines.timer });
    const answer = await broken.get(`/v1/bank/customer?phrase=${ada.phrase}`, API_KEYS.standard);
    expect([answer.status, answer.body.data.id]).toEqual([200, ada.id]);
  });
});
