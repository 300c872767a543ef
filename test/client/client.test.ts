/** The client in a Worker, on the real service: what it promises to whoever calls it. */
import { beforeEach, describe, expect, it } from 'vitest';
import {
  createClient,
  type PeereError,
  type ClientOptions,
  type PeereClient,
} from '../../packages/client/src/client.ts';
import { KEYS } from '../support/banks.ts';
import { laggingDatabase } from '../support/broken.ts';
import { sentCustomers } from '../support/customers.ts';
import { Service } from '../support/service.ts';

let service: Service;
let client: PeereClient;
let asked: Request[];
let waits: number[];
/** What becomes of the next requests, instead of an answer: `lost`, it took effect, and nobody heard. */
let fates: ('lost' | Response)[];

type Customers = Parameters<PeereClient['createCustomers']>[0];
const customers = (count: number) => sentCustomers(count) as unknown as Customers;

function connect(options: Partial<ClientOptions> = {}): PeereClient {
  return createClient({
    url: 'https://api.example.com',
    key: KEYS.full,
    fetch: async (url, init) => {
      const request = new Request(url, init);
      asked.push(request);
      const fate = fates.shift();
      if (fate instanceof Response) return fate;
      const answer = await service.fetch(request);
      if (fate === 'lost') throw new TypeError('Network connection lost.');
      return answer;
    },
    sleep: async (milliseconds, signal) => {
      waits.push(milliseconds);
      // Whatever is waited for arrives meanwhile.
      await service.drain();
      signal?.throwIfAborted();
    },
    ...options,
  });
}

beforeEach(() => {
  service = new Service();
  [asked, waits, fates] = [[], [], []];
  client = connect();
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
  it('is found by phrase, id and email, with its ETag; nobody is null', async () => {
    const [row] = await service.haveCustomers(sentCustomers(1));
    const { id = '', phrase = '', email = '' } = row ?? {};
    for (const by of [{ phrase }, { id }, { email }]) {
      expect(await client.getCustomer(by)).toMatchObject({ id, phrase, email, etag: `"${id}"` });
    }
    expect(await client.getCustomer({ id: 'cus_none' })).toBeNull();
    expect(await connect({ key: KEYS.other }).getCustomer({ id })).toBeNull();
  });

  it('is updated where it is still what was read, and not where it is not', async () => {
    const [row] = await service.haveCustomers(sentCustomers(1));
    const id = row?.id ?? '';
    const read = await client.getCustomer({ id });
    const updated = await client.updateCustomer(id, { state: 'Lagos' }, { ifMatch: read?.etag ?? '' });
    expect(updated.etag).not.toBe(read?.etag);
    const error = await caught(client.updateCustomer(id, { state: 'Ogun' }, { ifMatch: read?.etag ?? '' }));
    expect(error).toMatchObject({ code: 'PRECONDITION_FAILED', status: 412 });
    expect((await client.getCustomer({ id }))?.state).toBe('Lagos');
  });

  it('that was erased, and nobody heard, is erased when it is tried again', async () => {
    const [row] = await service.haveCustomers(sentCustomers(1));
    fates = ['lost'];
    await client.eraseCustomer(row?.id ?? '');
    expect(await client.getCustomer({ id: row?.id ?? '' })).toBeNull();
    expect(await caught(client.eraseCustomer(row?.id ?? ''))).toMatchObject({ code: 'CUSTOMER_NOT_FOUND' });
  });
});

describe('what was read or written', () => {
  beforeEach(() => {
    service = new Service(({ DB }) => ({ DB: laggingDatabase(DB) }));
  });

  it('is seen by what is asked next: customers of a completed batch, though the nearest replica has none', async () => {
    const { batchId, data } = await client.createCustomers(customers(1));
    await service.drain();
    expect((await client.waitForBatch(batchId)).status).toBe('COMPLETED');
    const [id = ''] = data.customerIds;
    expect(await client.getCustomer({ id })).toMatchObject({ id });
    expect(await connect().getCustomer({ id })).toBeNull();
  });

  it('is seen also when an answer refused everything', async () => {
    await service.haveCustomers(sentCustomers(1));
    expect(await caught(client.createCustomers(customers(1)))).toMatchObject({ code: 'CUSTOMER_EXISTS' });
    const found = await client.getCustomer({ email: String(sentCustomers(1)[0]?.['email']) });
    expect(found).not.toBeNull();
  });

  it('goes along as the newest bookmark of all answers, in whatever order they come', async () => {
    const answer = (bookmark: string) =>
      Response.json({ data: {} }, { headers: bookmark === '' ? {} : { 'X-D1-Bookmark': bookmark } });
    fates = ['00000001-b', '00000002-a', '00000001-c', ''].map(answer);
    await Promise.all([1, 2, 3, 4].map(() => client.getBatch('bat_any')));
    await client.getBatch('bat_any').catch(() => null);
    const sent = asked.map(({ headers }) => headers.get('X-D1-Bookmark'));
    expect(sent).toEqual([null, null, null, null, '00000002-a']);
  });
});

describe('lists', () => {
  it('are read on to their end, every row once', async () => {
    await service.haveCustomers(sentCustomers(250));
    const ids = new Set<string>();
    for await (const { id } of client.listCustomers({ sortBy: 'email' })) ids.add(id);
    expect(ids.size).toBe(250);
    expect(asked).toHaveLength(3);
  });

  it('ask for no page that nobody reads', async () => {
    await service.haveCustomers(sentCustomers(250));
    for await (const customer of client.listCustomers()) {
      expect(customer.bankId).toBe('bnk_lagos');
      break;
    }
    expect(asked).toHaveLength(1);
  });
});

describe('a batch', () => {
  it('is sent, waited for, and read', async () => {
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

  it('whose answer was lost is not made twice: each try carries the same key', async () => {
    fates = ['lost', 'lost'];
    const { batchId } = await client.createCustomers(customers(5));
    const keys = asked.map(({ headers }) => headers.get('Idempotency-Key'));
    expect(keys).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), keys[0], keys[0]]);
    await service.drain();
    expect((await client.getBatch(batchId)).summary.successful).toBe(5);
    expect((await service.get('/v1/bank/customers')).headers.get('X-Total-Count')).toBe('5');
  });

  it('of which no row is accepted is an error that says why of each', async () => {
    const error = await caught(
      client.createCustomers([{ ...customers(1)[0], email: '' } as Customers[number]]),
    );
    expect(error).toMatchObject({ code: 'INVALID_REQUEST', status: 400 });
    expect(error.report?.failures).toMatchObject([{ index: 0, code: 'INVALID_DATA' }]);
  });

  it('that is rehearsed is not stored', async () => {
    const report = await client.rehearseCustomers(customers(5));
    expect(report).toMatchObject({ batchId: null, summary: { successful: 5 } });
    expect((await service.get('/v1/bank/customers')).headers.get('X-Total-Count')).toBe('0');
  });
});

it('a dry run of more failures than one answer holds tells of every one', async () => {
  const wordy = Object.fromEntries(Object.keys(sentCustomers(1)[0] ?? {}).map((field) => [field, '\u0001']));
  const rows = Array.from({ length: 1_600 }, () => wordy) as unknown as Customers;
  const report = await client.rehearseCustomers(rows);
  expect(asked.length).toBeGreaterThan(1);
  expect(report.failuresInline).toBe(true);
  expect(report.failures.map(({ index }) => index)).toEqual(rows.map((_, index) => index));
});

describe('trying again', () => {
  it('does not wait for more than a minute: who is told to come tomorrow is told so at once', async () => {
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

  it('waits for at least as long as the service asks', async () => {
    fates = [
      refused(429, 'RATE_LIMITED', { 'Retry-After': '7' }),
      refused(503, 'UNAVAILABLE', { 'Retry-After': '5' }),
    ];
    for await (const _ of client.listBatches()) expect.unreachable();
    expect(waits).toHaveLength(2);
    expect(waits[0]).toBeGreaterThanOrEqual(7_000);
    expect(waits[1]).toBeGreaterThanOrEqual(5_000);
  });

  it('waits longer each time, and not the same for everybody', async () => {
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

  it('hears a Retry-After that stands in the header alone, and what stands in front of the service', async () => {
    const proxy = (status: number, headers = {}) => new Response('<html>', { status, headers });
    fates = [proxy(503, { 'Retry-After': '30' }), proxy(429, { 'Retry-After': '4' }), proxy(522)];
    expect(await client.getCustomer({ id: 'cus_none' })).toBeNull();
    expect(waits[0]).toBeGreaterThanOrEqual(30_000);
    expect(waits[1]).toBeGreaterThanOrEqual(4_000);
    expect(waits).toHaveLength(3);
  });

  it('ends, with what is known', async () => {
    fates = Array.from({ length: 9 }, () => 'lost');
    const error = await caught(client.getCustomer({ id: 'x' }));
    expect(error).toMatchObject({ code: 'NO_ANSWER', status: undefined });
    expect(asked).toHaveLength(6);
    expect(JSON.stringify(error) + error.message + String(error.stack)).not.toContain(KEYS.full);
  });

  it('is not for what was refused, nor for a conditional update that may have been made', async () => {
    expect(await caught(connect({ key: KEYS.revoked }).getCustomer({ id: 'x' }))).toMatchObject({
      code: 'UNAUTHENTICATED',
      docs: 'https://api.example.com/errors#UNAUTHENTICATED',
      requestId: expect.stringMatching(/^req_/),
      errors: [{ field: 'Authorization', message: expect.any(String) }],
    });
    fates = ['lost'];
    expect(await caught(client.updateCustomer('cus_x', { state: 'X' }, { ifMatch: '"x"' }))).toMatchObject({
      code: 'NO_ANSWER',
    });
    expect(asked).toHaveLength(2);
  });

  it('is explained by a page of the service, also when the answer names its path alone', async () => {
    service = new Service(() => ({ PUBLIC_URL: undefined }));
    expect(await caught(connect({ key: KEYS.revoked }).getCustomer({ id: 'x' }))).toMatchObject({
      docs: 'https://api.example.com/errors#UNAUTHENTICATED',
    });
  });

  it('stops when it is told to', async () => {
    const stop = new AbortController();
    fates = ['lost'];
    const work = connect({
      sleep: async (_, signal) => {
        stop.abort(new Error('enough'));
        signal?.throwIfAborted();
      },
    }).getCustomer({ id: 'x' }, { signal: stop.signal });
    expect((await caught(work)).message).toBe('enough');
  });
});

describe('a first mistake', () => {
  it('another fetch is called as if it were the global one', async () => {
    const called: string[] = [];
    const own = connect({
      fetch: function (this: unknown, url, init) {
        called.push(typeof this);
        return service.fetch(new Request(url, init));
      },
    });
    await own.getCustomer({ id: 'cus_none' });
    expect(called).toEqual(['undefined']);
  });

  it('a key with a line break is refused, and not shown', () => {
    const create = () => createClient({ url: 'https://x.org', key: 'peere_live_SECRET\n' });
    expect(create).toThrow(/key must be the API key of your bank/);
    expect(create).not.toThrow(/SECRET/);
  });

  it('a next page elsewhere is not asked for: the key stays here', async () => {
    fates = [Response.json([], { headers: { Link: '<https://evil.example/>; rel="next"' } })];
    const read = async () => {
      for await (const _ of client.listCustomers()) expect.unreachable();
    };
    await expect(read()).rejects.toThrow(/led to another host/);
    expect(asked).toHaveLength(1);
  });

  it.each(['', 'https://gateway.example/peere', 'api.example.com', 'ftp://api.example.com'])(
    'the url %s is told to be none',
    (url) => {
      expect(() => createClient({ url, key: 'x' })).toThrow(/url must be the address/);
    },
  );

  it('an empty key is told to be empty', () => {
    expect(() => createClient({ url: 'https://x.org', key: ' ' })).toThrow(/key must be/);
  });

  it('an address of something else is told to be that', async () => {
    fates = [new Response('<html>', { status: 200 })];
    expect(await caught(client.getCustomer({ id: 'x' }))).toMatchObject({ code: 'UNREADABLE_ANSWER' });
    for (const body of ['{}', '', 'null']) {
      fates = [new Response(body, { status: 200 })];
      expect(await caught(client.getCustomer({ id: 'x' }))).toMatchObject({ code: 'UNREADABLE_ANSWER' });
    }
    fates = [new Response('<html>', { status: 404 })];
    expect(await caught(client.getCustomer({ id: 'x' }))).toMatchObject({ code: 'UNREADABLE_ANSWER' });
  });
});
