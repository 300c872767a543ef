/** The client in a Worker, against the real service: what it guarantees to its callers. */
import { beforeEach, describe, expect, it } from 'vitest';
import {
  createClient,
  type PeereError,
  type ClientOptions,
  type NewCustomer,
  type PeereClient,
} from '../../packages/client/src/client.ts';
import { API_KEYS, LAGOS } from '../support/banks.ts';
import { laggingDatabase } from '../support/faulty-bindings.ts';
import { sentCustomers } from '../support/customers.ts';
import { Service } from '../support/service.ts';

let service: Service;
let client: PeereClient;
let requests: Request[];
/** Milliseconds of each wait between attempts. */
let waits: number[];
/** Outcomes of the next requests: a response of the test, or `lost`, which takes effect without a response. */
let fates: ('lost' | Response)[];

type Customers = readonly NewCustomer[];
const customers = (count: number) => sentCustomers(count) as unknown as Customers;

function createTestClient(options: Partial<ClientOptions> = {}): PeereClient {
  return createClient({
    url: 'https://api.example.com',
    key: API_KEYS.full,
    fetch: async (url, init) => {
      const request = new Request(url, init);
      requests.push(request);
      const fate = fates.shift();
      if (fate instanceof Response) return fate;
      const response = await service.fetch(request);
      if (fate === 'lost') throw new TypeError('Network connection lost.');
      return response;
    },
    sleep: async (milliseconds, signal) => {
      waits.push(milliseconds);
      // Batches are processed while the client waits.
      await service.deliverAll();
      signal?.throwIfAborted();
    },
    ...options,
  });
}

beforeEach(() => {
  service = new Service();
  [requests, waits, fates] = [[], [], []];
  client = createTestClient();
});

const refused = (status: number, code: string, headers: Record<string, string> = {}) =>
  Response.json(
    {
      statusCode: status,
      success: false,
      message: 'no',
      data: null,
      code,
      docs: 'https://x/errors',
      requestId: 'req_1',
      errors: [],
      retryAfter: Number(headers['Retry-After'] ?? 0),
    },
    { status, headers },
  );

const caught = (work: Promise<unknown>): Promise<PeereError> =>
  work.then(
    () => {
      throw new Error('nothing was thrown');
    },
    (error: PeereError) => error,
  );

describe('a customer', () => {
  it('is found by phrase, id and email with its ETag, and an unknown one is null', async () => {
    const [row] = await service.createCustomers(sentCustomers(1));
    const { id = '', phrase = '', email = '' } = row ?? {};
    for (const by of [{ phrase }, { id }, { email }]) {
      expect(await client.getCustomer(by)).toMatchObject({ id, phrase, email, etag: `"${id}"` });
    }
    expect(await client.getCustomer({ id: 'cus_none' })).toBeNull();
    expect(await createTestClient({ key: API_KEYS.other }).getCustomer({ id })).toBeNull();
  });

  it('is updated with ifMatch only if it has not changed since it was read', async () => {
    const [row] = await service.createCustomers(sentCustomers(1));
    const id = row?.id ?? '';
    const read = await client.getCustomer({ id });
    const updated = await client.updateCustomer(id, { state: 'Lagos' }, { ifMatch: read?.etag ?? '' });
    expect(updated.etag).not.toBe(read?.etag);
    const error = await caught(client.updateCustomer(id, { state: 'Ogun' }, { ifMatch: read?.etag ?? '' }));
    expect(error).toMatchObject({ code: 'PRECONDITION_FAILED', status: 412 });
    expect((await client.getCustomer({ id }))?.state).toBe('Lagos');
  });

  it('counts as erased when the response to its erasure was lost and the second attempt finds nothing', async () => {
    const [row] = await service.createCustomers(sentCustomers(1));
    fates = ['lost'];
    await client.eraseCustomer(row?.id ?? '');
    expect(await client.getCustomer({ id: row?.id ?? '' })).toBeNull();
    expect(await caught(client.eraseCustomer(row?.id ?? ''))).toMatchObject({ code: 'CUSTOMER_NOT_FOUND' });
  });
});

it('resolves a payee of another bank, and an unknown phrase to null', async () => {
  const [row] = await service.createCustomers(sentCustomers(1));
  const phrase = row?.phrase ?? '';
  const payer = createTestClient({ key: API_KEYS.network });
  expect(await payer.resolvePayee(phrase)).toEqual({
    phrase,
    accountName: 'Adaobi Okafor 0',
    displayPicture: null,
    bankId: LAGOS,
    country: 'NG',
  });
  expect(await payer.resolvePayee('zoo-zoo-zoo-zoo')).toBeNull();
  expect(await caught(createTestClient({ key: API_KEYS.standard }).resolvePayee(phrase))).toMatchObject({
    code: 'FORBIDDEN',
  });
});

describe('reads after writes', () => {
  beforeEach(() => {
    service = new Service(({ SHARD_1 }) => ({ SHARD_1: laggingDatabase(SHARD_1) }));
  });

  it('see the customers of a completed batch, even though the nearest replica lags behind', async () => {
    const { batchId, data } = await client.createCustomers(customers(1));
    await service.deliverAll();
    expect((await client.waitForBatch(batchId)).status).toBe('COMPLETED');
    const [id = ''] = data.customerIds;
    expect(await client.getCustomer({ id })).toMatchObject({ id });
    expect(await createTestClient().getCustomer({ id })).toBeNull();
  });

  it('see what a refusal was based on', async () => {
    await service.createCustomers(sentCustomers(1));
    expect(await caught(client.createCustomers(customers(1)))).toMatchObject({ code: 'CUSTOMER_EXISTS' });
    const found = await client.getCustomer({ email: String(sentCustomers(1)[0]?.['email']) });
    expect(found).not.toBeNull();
  });

  it('send the newest bookmark of all responses, in whatever order these arrive', async () => {
    const respond = (bookmark: string) =>
      Response.json({ data: {} }, { headers: bookmark === '' ? {} : { 'X-D1-Bookmark': bookmark } });
    fates = ['00000001-b', '00000002-a', '00000001-c', ''].map(respond);
    await Promise.all([1, 2, 3, 4].map(() => client.getBatch('bat_any')));
    await client.getBatch('bat_any').catch(() => null);
    const sent = requests.map(({ headers }) => headers.get('X-D1-Bookmark'));
    expect(sent).toEqual([null, null, null, null, '00000002-a']);
  });

  it('send the last bookmark of another database, because the bank has moved there', async () => {
    const respond = (bookmark: string) =>
      Response.json({ data: {} }, { headers: { 'X-D1-Bookmark': bookmark } });
    fates = ['SHARD_2:00000009-a', 'SHARD_1:00000001-a', 'SHARD_1:00000002-a', ''].map(respond);
    for (let call = 0; call < 4; call += 1) await client.getBatch('bat_any').catch(() => null);
    const sent = requests.map(({ headers }) => headers.get('X-D1-Bookmark'));
    expect(sent).toEqual([null, 'SHARD_2:00000009-a', 'SHARD_1:00000001-a', 'SHARD_1:00000002-a']);
  });
});

describe('lists', () => {
  it('are read to their end, with every row once', async () => {
    await service.createCustomers(sentCustomers(250));
    const ids = new Set<string>();
    for await (const { id } of client.listCustomers({ sortBy: 'email', limit: 100 })) ids.add(id);
    expect(ids.size).toBe(250);
    expect(requests).toHaveLength(3);
  });

  it('fetch no page that is not read', async () => {
    await service.createCustomers(sentCustomers(250));
    for await (const customer of client.listCustomers({ limit: 100 })) {
      expect(customer.bankId).toBe('bnk_lagos');
      break;
    }
    expect(requests).toHaveLength(1);
  });
});

describe('a batch', () => {
  it('is submitted, awaited and read, with the outcome of every row', async () => {
    const rows = [...customers(3), { ...customers(1)[0], email: 'no email' } as Customers[number]];
    const { batchId, summary } = await client.createCustomers(rows);
    expect(summary).toMatchObject({ total: 4, successful: 3 });
    expect(await client.waitForBatch(batchId)).toMatchObject({ status: 'COMPLETED_WITH_FAILURES' });
    const created = [];
    for await (const row of client.listBatchCustomers(batchId)) created.push(row);
    expect(created.map(({ index }) => index)).toEqual([0, 1, 2]);
    const failures = [];
    for await (const row of client.listBatchFailures(batchId)) failures.push(row);
    expect(failures).toMatchObject([{ index: 3, code: 'VALIDATION_ERROR' }]);
    for await (const batch of client.listBatches()) expect(batch.batchId).toBe(batchId);
    for await (const change of client.listChanges({ subject: batchId })) {
      expect(change.action).toBe('batch.accepted');
    }
  });

  it('is created once although responses were lost: each attempt sends the same Idempotency-Key', async () => {
    fates = ['lost', 'lost'];
    const { batchId } = await client.createCustomers(customers(5));
    const keys = requests.map(({ headers }) => headers.get('Idempotency-Key'));
    expect(keys).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), keys[0], keys[0]]);
    await service.deliverAll();
    expect((await client.getBatch(batchId)).summary.successful).toBe(5);
    expect((await service.get('/v1/bank/customers')).headers.get('X-Total-Count')).toBe('5');
  });

  it('whose rows were all refused is an error with the reason of each row', async () => {
    const error = await caught(
      client.createCustomers([{ ...customers(1)[0], email: '' } as Customers[number]]),
    );
    expect(error).toMatchObject({ code: 'INVALID_REQUEST', status: 400 });
    expect(error.report?.failures).toMatchObject([{ index: 0, code: 'INVALID_DATA' }]);
  });

  it('may be a body that is serialised already', async () => {
    const body = JSON.stringify({ customers: customers(2) });
    expect((await client.dryRunCustomers(body)).summary).toMatchObject({ total: 2, successful: 2 });
    const { data } = await client.createCustomers(body);
    expect(data.customerIds).toHaveLength(2);
  });

  it('is validated by a dry run and not stored', async () => {
    const report = await client.dryRunCustomers(customers(5));
    expect(report).toMatchObject({ batchId: null, summary: { successful: 5 } });
    expect((await service.get('/v1/bank/customers')).headers.get('X-Total-Count')).toBe('0');
  });
});

it('a dry run reports every failure, even if they do not fit into one response', async () => {
  const wordy = Object.fromEntries(Object.keys(sentCustomers(1)[0] ?? {}).map((field) => [field, '\u0001']));
  const rows = Array.from({ length: 1_600 }, () => wordy) as unknown as Customers;
  const report = await client.dryRunCustomers(rows);
  expect(requests.length).toBeGreaterThan(1);
  expect(report.failuresInline).toBe(true);
  expect(report.failures.map(({ index }) => index)).toEqual(rows.map((_, index) => index));
});

describe('retries', () => {
  it('are not made if the service asks to wait for more than a minute', async () => {
    for (const [status, code] of [
      [429, 'RATE_LIMITED'],
      [503, 'UNAVAILABLE'],
    ] as const) {
      fates = [refused(status, code, { 'Retry-After': '61' })];
      const error = await caught(client.createCustomers(customers(1)));
      expect(error).toMatchObject({ code, retryAfter: 61 });
    }
    expect(waits).toEqual([]);
    fates = [refused(429, 'RATE_LIMITED', { 'Retry-After': '60' })];
    await client.createCustomers(customers(1));
    expect(waits).toHaveLength(1);
  });

  it('wait at least as long as the service asks', async () => {
    fates = [
      refused(429, 'RATE_LIMITED', { 'Retry-After': '7' }),
      refused(503, 'UNAVAILABLE', { 'Retry-After': '5' }),
    ];
    for await (const _ of client.listBatches()) expect.unreachable();
    expect(waits).toHaveLength(2);
    expect(waits[0]).toBeGreaterThanOrEqual(7_000);
    expect(waits[1]).toBeGreaterThanOrEqual(5_000);
  });

  it('wait longer each time, by a random delay', async () => {
    const first = new Set<number>();
    for (let n = 0; n < 5; n += 1) {
      fates = ['lost', 'lost', 'lost'];
      waits = [];
      await client.getCustomer({ id: 'cus_none' });
      expect(waits[2]).toBeGreaterThan(waits[0] ?? 0);
      first.add(waits[0] ?? 0);
    }
    expect(first.size).toBeGreaterThan(1);
  });

  it('respect a Retry-After header of a proxy in front of the service', async () => {
    const proxy = (status: number, headers = {}) => new Response('<html>', { status, headers });
    fates = [proxy(503, { 'Retry-After': '30' }), proxy(429, { 'Retry-After': '4' }), proxy(522)];
    expect(await client.getCustomer({ id: 'cus_none' })).toBeNull();
    expect(waits[0]).toBeGreaterThanOrEqual(30_000);
    expect(waits[1]).toBeGreaterThanOrEqual(4_000);
    expect(waits).toHaveLength(3);
  });

  it('end after the sixth attempt, with an error that does not contain the API key', async () => {
    fates = Array.from({ length: 9 }, () => 'lost');
    const error = await caught(client.getCustomer({ id: 'x' }));
    expect(error).toMatchObject({ code: 'NO_RESPONSE', status: undefined });
    expect(requests).toHaveLength(6);
    expect(JSON.stringify(error) + error.message + String(error.stack)).not.toContain(API_KEYS.full);
  });

  it('are not made after a refusal, nor for a conditional update that may have taken effect', async () => {
    expect(await caught(createTestClient({ key: API_KEYS.revoked }).getCustomer({ id: 'x' }))).toMatchObject({
      code: 'UNAUTHENTICATED',
      docs: 'https://api.example.com/errors#UNAUTHENTICATED',
      requestId: expect.stringMatching(/^req_/),
      errors: [{ field: 'Authorization', message: expect.any(String) }],
    });
    fates = ['lost'];
    expect(await caught(client.updateCustomer('cus_x', { state: 'X' }, { ifMatch: '"x"' }))).toMatchObject({
      code: 'NO_RESPONSE',
    });
    expect(requests).toHaveLength(2);
  });

  it('are not made after a refusal, whose link to its page becomes a full URL', async () => {
    service = new Service(() => ({ PUBLIC_URL: undefined }));
    expect(await caught(createTestClient({ key: API_KEYS.revoked }).getCustomer({ id: 'x' }))).toMatchObject({
      docs: 'https://api.example.com/errors#UNAUTHENTICATED',
    });
  });

  it('stop when the signal is aborted', async () => {
    const stop = new AbortController();
    fates = ['lost'];
    const work = createTestClient({
      sleep: async (_, signal) => {
        stop.abort(new Error('enough'));
        signal?.throwIfAborted();
      },
    }).getCustomer({ id: 'x' }, { signal: stop.signal });
    expect((await caught(work)).message).toBe('enough');
  });
});

describe('options and responses', () => {
  it('a custom fetch is called without a this, like the global one', async () => {
    const called: string[] = [];
    const own = createTestClient({
      fetch: function (this: unknown, url, init) {
        called.push(typeof this);
        return service.fetch(new Request(url, init));
      },
    });
    await own.getCustomer({ id: 'cus_none' });
    expect(called).toEqual(['undefined']);
  });

  it('an API key with a line break is refused and not shown', () => {
    const create = () => createClient({ url: 'https://x.org', key: 'peere_live_SECRET\n' });
    expect(create).toThrow(/key must be the API key of your bank/);
    expect(create).not.toThrow(/SECRET/);
  });

  it('a next page on another host is not fetched, so that the API key goes nowhere else', async () => {
    fates = [Response.json([], { headers: { Link: '<https://evil.example/>; rel="next"' } })];
    const read = async () => {
      for await (const _ of client.listCustomers()) expect.unreachable();
    };
    await expect(read()).rejects.toThrow(/led to another host/);
    expect(requests).toHaveLength(1);
  });

  it.each(['', 'https://gateway.example/peere', 'api.example.com', 'ftp://api.example.com'])(
    'the url %s is refused',
    (url) => {
      expect(() => createClient({ url, key: 'x' })).toThrow(/url must be the URL/);
    },
  );

  it('an empty API key is refused', () => {
    expect(() => createClient({ url: 'https://x.org', key: ' ' })).toThrow(/key must be/);
  });

  it('a response that is not of this service is an UNREADABLE_RESPONSE', async () => {
    fates = [new Response('<html>', { status: 200 })];
    expect(await caught(client.getCustomer({ id: 'x' }))).toMatchObject({ code: 'UNREADABLE_RESPONSE' });
    for (const body of ['{}', '', 'null']) {
      fates = [new Response(body, { status: 200 })];
      expect(await caught(client.getCustomer({ id: 'x' }))).toMatchObject({ code: 'UNREADABLE_RESPONSE' });
    }
    fates = [new Response('<html>', { status: 404 })];
    expect(await caught(client.getCustomer({ id: 'x' }))).toMatchObject({ code: 'UNREADABLE_RESPONSE' });
  });
});
