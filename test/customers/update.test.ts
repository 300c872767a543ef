import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { API_KEYS, LAGOS } from '../support/banks.ts';
import { d1Error, Deadlines, faultyDatabase, interceptTransactions } from '../support/faulty-bindings.ts';
import { sentCustomer } from '../support/customers.ts';
import { textWithoutRequestId } from '../support/responses.ts';
import { phraseStore } from '../support/phrase-store.ts';
import { Service } from '../support/service.ts';

let service: Service;
let ada: { id: string; phrase: string; email: string };

beforeEach(async () => {
  service = new Service();
  ada = await service.createCustomer(sentCustomer(1));
});

const change = (update: unknown, apiKey: string = API_KEYS.full, id: unknown = ada.id) =>
  service.request('PATCH', '/v1/bank/customer', { apiKey, body: { id, update } });
const stored = () => env.SHARD_1.prepare('SELECT * FROM customers WHERE id = ?').bind(ada.id).first();

it('cleans and changes every field that may change, and returns id, email and phone', async () => {
  const answer = await change({
    firstname: '  Ada\u0301 ',
    middlename: 'M',
    lastname: 'Eze',
    accountName: 'Ada Eze',
    address: '1 Road',
    phone: '+233 24 412 3456',
    displayPicture: 'https://pictures.example.com/a.png',
    state: 'Lagos',
  });
  expect(answer.body).toEqual({
    statusCode: 200,
    success: true,
    message: 'Customer updated successfully',
    data: { id: ada.id, email: ada.email, phone: '+233244123456' },
  });
  expect(await stored()).toMatchObject({
    firstname: 'Ad\u00e1',
    middlename: 'M',
    lastname: 'Eze',
    account_name: 'Ada Eze',
    address: '1 Road',
    phone: '+233244123456',
    display_picture: 'https://pictures.example.com/a.png',
    state: 'Lagos',
    email: ada.email,
  });
});

it('reads a national phone number with the customer’s country', async () => {
  expect((await change({ phone: '0803 765 4321' })).body.data.phone).toBe('+2348037654321');
  expect((await change({ phone: '12' })).status).toBe(400);
});

it('null and "" clear an optional field, and are refused for a required one', async () => {
  await change({ middlename: null, address: '', phone: null });
  expect(await stored()).toMatchObject({ middlename: null, address: null, phone: null });
  for (const field of ['firstname', 'lastname', 'accountName']) {
    const { status, body } = await change({ [field]: null });
    expect([status, body.errors[0].field]).toEqual([400, `update.${field}`]);
  }
});

it('leaves fields unchanged that the update does not name', async () => {
  const before = await stored();
  const { headers } = await change({ state: 'Ogun' });
  expect(await stored()).toEqual({ ...before, state: 'Ogun', revision: headers.get('X-Request-Id') });
});

describe('refuses, naming the field, and changes nothing', () => {
  it.each([
    'email',
    'bankId',
    'phrase',
    'id',
    'accountNumber',
    'reference',
    'country',
    'gender',
    'clientRef',
    'constructor',
    'nonsense',
  ])('a change of %s', async (field) => {
    const before = await stored();
    const { status, body, text } = await change({ [field]: 'SENT-VALUE', state: 'Ogun' });
    expect([status, body.errors[0].field]).toEqual([400, `update.${field}`]);
    expect(text).not.toContain('SENT-VALUE');
    expect(await stored()).toEqual(before);
  });

  it('a change of __proto__', async () => {
    const { status, body } = await service.request('PATCH', '/v1/bank/customer', {
      body: `{"id":"${ada.id}","update":{"__proto__":{"state":"Ogun"},"state":"Ogun"}}`,
    });
    expect([status, body.errors[0].field]).toEqual([400, 'update.__proto__']);
  });

  it.each<[unknown, string]>([
    [{}, 'update'],
    [null, 'update'],
    [[], 'update'],
    ['x', 'update'],
    [{ firstname: ' ' }, 'update.firstname'],
    [{ firstname: 5 }, 'update.firstname'],
    [{ accountName: 'a'.repeat(201) }, 'update.accountName'],
    [{ address: 'a\u202eb' }, 'update.address'],
    [{ displayPicture: 'https://example.com/a\nb' }, 'update.displayPicture'],
    [{ phone: 'not a number' }, 'update.phone'],
    [{ phone: '+1' }, 'update.phone'],
    [{ phone: '2.34803E+12' }, 'update.phone'],
    ...[
      'http://example.com/a.png',
      'javascript:alert(1)',
      'data:image/png;base64,AAAA',
      'https://user:pass@example.com/',
      'https://169.254.169.254/latest/meta-data',
      'https://[::1]/',
      'https://2130706433/',
      'nonsense',
    ].map((url): [unknown, string] => [{ displayPicture: url }, 'update.displayPicture']),
  ])('%j', async (update, field) => {
    const { status, body } = await change(update);
    expect(status).toBe(400);
    expect(body.errors.map((error: { field: string }) => error.field)).toContain(field);
  });

  it('an impossible phone number, together with every other fault', async () => {
    const { body } = await change({ phone: '+1', firstname: '', email: 'x' });
    const fields = body.errors.map((error: { field: string }) => error.field);
    expect(fields.toSorted()).toEqual(['update.email', 'update.firstname', 'update.phone']);
  });

  it('an id that is missing or not a string, together with every other fault', async () => {
    const { body } = await change({ firstname: '', phone: 1 }, API_KEYS.full, 7);
    const fields = body.errors.map((error: { field: string }) => error.field);
    expect(fields.toSorted()).toEqual(['id', 'update.firstname', 'update.phone']);
  });
});

it('another bank’s customer can not be told from an unknown one, and is not changed', async () => {
  const before = await stored();
  for (const update of [{ state: 'Ogun' }, { phone: '0803 765 4321' }]) {
    const foreign = await change(update, API_KEYS.other);
    const nobody = await change(update, API_KEYS.other, 'cus_nobody');
    expect(foreign.status).toBe(404);
    expect(textWithoutRequestId(foreign)).toBe(textWithoutRequestId(nobody));
  }
  expect(await stored()).toEqual(before);
});

it.each(['throws before', 'throws after', 'stalls', 'stalls after'] as const)(
  'succeeds and is recorded once although the first attempt %s the commit',
  async (outcome) => {
    const deadlines = new Deadlines();
    const unlucky = new Service(
      ({ SHARD_1 }) => ({ SHARD_1: faultyDatabase(SHARD_1, [outcome], deadlines) }),
      deadlines,
    );
    const answer = await unlucky.request('PATCH', '/v1/bank/customer', {
      body: { id: ada.id, update: { state: 'Ogun' } },
    });
    expect([answer.status, (await stored())?.['state']]).toEqual([200, 'Ogun']);
    expect((await service.get(`/v1/bank/audit?subject=${ada.id}`)).body.data).toHaveLength(1);
  },
);

it('does not overwrite a later update when its response is lost', async () => {
  const overtaken = new Service(({ SHARD_1 }) => ({
    SHARD_1: interceptTransactions(SHARD_1, async (number, work) => {
      const result = await work();
      if (number > 1) return result;
      await change({ state: 'later' });
      throw d1Error('Network connection lost.');
    }),
  }));
  const body = { id: ada.id, update: { state: 'Ogun' } };
  expect((await overtaken.request('PATCH', '/v1/bank/customer', { body })).status).toBe(200);
  expect((await stored())?.['state']).toBe('later');
  const { data } = (await service.get(`/v1/bank/audit?subject=${ada.id}`)).body;
  expect(data.map(({ keyId }: { keyId: string }) => keyId)).toEqual(['key_lagos_full', 'key_lagos_full']);
});

it.each([
  ['committed', true],
  ['was lost', false],
])(
  'does not overwrite a later update when its first attempt, which %s, arrives at last',
  async (_, committed) => {
    const deadlines = new Deadlines();
    let arrive = () => Promise.resolve<unknown>(undefined);
    const stalling = new Service(
      ({ SHARD_1 }) => ({
        SHARD_1: interceptTransactions(SHARD_1, async (number, work) => {
          if (number > 1) return work();
          arrive = work;
          if (committed) await work();
          return deadlines.hang();
        }),
      }),
      deadlines,
    );
    const first = await stalling.request('PATCH', '/v1/bank/customer', {
      body: { id: ada.id, update: { state: 'Ogun' } },
    });
    expect([first.status, (await stored())?.['state']]).toEqual([200, 'Ogun']);
    expect((await change({ state: 'Lagos' })).status).toBe(200);
    await arrive();
    expect((await stored())?.['state']).toBe('Lagos');
    expect((await service.get(`/v1/bank/audit?subject=${ada.id}`)).body.data).toHaveLength(2);
  },
);

describe('the phrase cache after a change', () => {
  const look = () => service.get(`/v1/bank/customer?phrase=${ada.phrase}`, API_KEYS.standard);

  it('serves the change at once', async () => {
    await look();
    await change({ accountName: 'New Name' });
    const answer = await look();
    expect([answer.headers.get('X-Cache'), answer.body.data.accountName]).toEqual(['HIT', 'New Name']);
  });

  it('ends up with the change when it overtakes a slow fill', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    let puts = 0;
    const racing = new Service(
      ({ PHRASE_CACHE }) => ({
        PHRASE_CACHE: {
          get: (key) => PHRASE_CACHE.get(key),
          put: async (...args) => {
            puts += 1;
            if (puts === 1) await held;
            await PHRASE_CACHE.put(...args);
          },
          delete: (key) => PHRASE_CACHE.delete(key),
        },
      }),
      { sleep: () => Promise.resolve() },
    );
    const filling = racing.get(`/v1/bank/customer?phrase=${ada.phrase}`, API_KEYS.standard);
    while (puts === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await racing.request('PATCH', '/v1/bank/customer', {
      body: { id: ada.id, update: { accountName: 'New Name' } },
    });
    release();
    await filling;
    expect((await look()).body.data.accountName).toBe('New Name');
  });

  it('leaves the fill of another customer alone', async () => {
    const [ngozi] = await service.createCustomers([sentCustomer(7)]);
    let patched = 0;
    const racing = new Service(({ PHRASE_CACHE }) => ({
      PHRASE_CACHE: {
        put: async (key, ...args) => {
          if (key.includes(ada.phrase)) {
            const body = { id: ngozi?.id, update: { accountName: 'New Name' } };
            patched = (await racing.request('PATCH', '/v1/bank/customer', { body })).status;
          }
          await PHRASE_CACHE.put(key, ...args);
        },
        delete: (key) => PHRASE_CACHE.delete(key),
      },
    }));
    await racing.get(`/v1/bank/customer?phrase=${ada.phrase}`, API_KEYS.standard);
    expect(patched).toBe(200);
    expect((await look()).headers.get('X-Cache')).toBe('HIT');
  });

  it('ends up with the change when the cache refuses its write', async () => {
    await look();
    const limited = new Service(
      ({ PHRASE_CACHE }) => ({
        PHRASE_CACHE: {
          put: () => Promise.reject(new Error('the cache is full')),
          delete: (key) => PHRASE_CACHE.delete(key),
        },
      }),
      { sleep: () => Promise.resolve() },
    );
    await limited.request('PATCH', '/v1/bank/customer', {
      body: { id: ada.id, update: { accountName: 'New Name' } },
    });
    expect((await look()).body.data.accountName).toBe('New Name');
  });

  it('holds no Extended field', async () => {
    await change({ state: 'Ogun', address: 'Secret Street' });
    const value = await phraseStore.get(`phrase:${LAGOS}:${ada.phrase}`);
    expect(JSON.stringify(value)).not.toMatch(/Ogun|Secret/);
  });
});
