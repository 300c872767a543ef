import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { batchRequest } from '../../src/batches/accept/accept.requests.ts';
import { API_KEYS } from '../support/banks.ts';
import { sentCustomer, sentCustomers } from '../support/customers.ts';
import { countRows } from '../support/database.ts';
import { brokenQueue } from '../support/faulty-bindings.ts';
import { Service } from '../support/service.ts';

let service: Service;
beforeEach(() => {
  service = new Service();
});

it('responds as the contract says, with final customer ids in input order', async () => {
  const { status, body } = await service.post(sentCustomers(3));
  expect(status).toBe(201);
  expect(body).toEqual({
    statusCode: 201,
    success: true,
    message: 'Batch processed, customers will reflect shortly',
    data: {
      batchId: expect.stringMatching(/^bat_[0-9A-Z]{26}$/),
      status: 'PROCESSING',
      summary: { total: 3, successful: 3, failed: 0, duplicates: 0, invalidData: 0 },
      failures: [],
      failuresInline: true,
      inlineFailureLimit: 50,
      failuresUrl: null,
      data: { createdCount: 3, customerIds: expect.any(Array) },
    },
  });
  const ids = body.data.data.customerIds as string[];
  expect(ids).toEqual(ids.toSorted());
  await service.deliverAll();
  for (const [index, id] of ids.entries()) {
    const { body: found } = await service.get(`/v1/bank/customer?id=${id}`);
    expect(found.data.email).toBe(`adaobi.${index}@example.com`);
  }
});

it('stores customers with cleaned values', async () => {
  await service.createCustomers([
    sentCustomer(1, {
      firstname: '  Ade\u0301 ',
      email: ' ADA@Example.COM ',
      country: 'ng',
      phone: '0803 123 4567',
      middlename: '',
      gender: null,
      extra: 'dropped',
      bankId: 'bnk_accra',
      id: 'cus_mine',
    }),
  ]);
  const row = await env.SHARD_1.prepare('SELECT * FROM customers').first();
  expect(row).toMatchObject({
    firstname: 'Ad\u00e9',
    email: 'ada@example.com',
    country: 'NG',
    phone: '+2348031234567',
    middlename: null,
    gender: null,
    bank_id: 'bnk_lagos',
    client_ref: 'ref-1',
    sealed_fields: expect.stringMatching(/^1\./),
  });
  expect(row?.['id']).not.toBe('cus_mine');
});

describe('rows that cannot become customers', () => {
  it('are reported with index, clientRef, code and every fault, and the other rows are accepted', async () => {
    await service.createCustomers([sentCustomer(9)]);
    const { status, body } = await service.post([
      sentCustomer(0),
      sentCustomer(1, { email: undefined, country: 'XX', phone: '+12' }),
      sentCustomer(2, { email: 'nobody' }),
      sentCustomer(3, { email: 'ADAOBI.0@example.com' }),
      sentCustomer(9, { clientRef: 'again' }),
      'not an object',
    ]);
    expect(status).toBe(201);
    const { summary, failures, failuresInline, data } = body.data;
    expect(summary).toEqual({ total: 6, successful: 1, failed: 5, duplicates: 2, invalidData: 3 });
    expect(data.customerIds).toHaveLength(1);
    expect(failuresInline).toBe(true);
    const summaries = failures.map(
      ({ index, clientRef, code, errors }: Record<string, unknown> & { errors: { field: string }[] }) => [
        index,
        clientRef,
        code,
        errors.map(({ field }) => field),
      ],
    );
    expect(summaries).toEqual([
      [1, 'ref-1', 'INVALID_DATA', ['email', 'country', 'phone']],
      [2, 'ref-2', 'VALIDATION_ERROR', ['email']],
      [3, 'ref-3', 'DUPLICATE_IN_BATCH', ['email']],
      [4, 'again', 'EXISTING_CUSTOMER', ['email']],
      [5, null, 'INVALID_DATA', ['customer']],
    ]);
  });

  it('are all counted, and only the first 50 are in the response', async () => {
    const { body } = await service.post([sentCustomer(0), ...Array.from({ length: 51 }, () => ({}))]);
    expect(body.data.failures).toHaveLength(50);
    expect(body.data.failuresInline).toBe(false);
    expect(body.data.failuresUrl).toBe(`/v1/bank/customers/batches/${body.data.batchId}/failures`);
    expect(body.data.summary.failed).toBe(51);
    expect(await countRows('batch_failures')).toBe(51);
  });

  it('are in the response as far as it stays below 64 KB, and all at failuresUrl', async () => {
    const wordy = Object.fromEntries(
      Object.keys(sentCustomer()).map((field) => [field, '街\u0001'.repeat(600)]),
    );
    const rows = Array.from({ length: 60 }, () => ({ ...wordy, clientRef: '街'.repeat(128) }));
    const { status, text, body } = await service.post(rows);
    expect(status).toBe(400);
    expect(new TextEncoder().encode(text).length).toBeLessThan(64 * 1024);
    expect(body.data.failures.length).toBeLessThan(50);
    expect([body.data.failuresInline, body.data.summary.failed]).toEqual([false, 60]);
    const whole = await service.get(`${body.data.failuresUrl}?limit=100`);
    expect(whole.body.data).toHaveLength(60);
  });

  it('lead to 409 if all rows are customers already and to 400 otherwise, with the report in both', async () => {
    await service.createCustomers(sentCustomers(60));
    const known = await service.post(sentCustomers(60));
    expect([known.status, known.body.code, known.body.message]).toEqual([
      409,
      'CUSTOMER_EXISTS',
      'Customer with this email already exists',
    ]);
    expect(known.body.data.summary).toEqual({
      total: 60,
      successful: 0,
      failed: 60,
      duplicates: 60,
      invalidData: 0,
    });
    expect(known.body.data.status).toBe('COMPLETED_WITH_FAILURES');
    const twice = await service.post([sentCustomer(0), sentCustomer(0, { clientRef: 'twice' })]);
    expect([twice.status, twice.body.code, twice.body.data.summary.invalidData]).toEqual([
      409,
      'CUSTOMER_EXISTS',
      0,
    ]);
    const mixed = await service.post([sentCustomer(0), {}]);
    expect([mixed.status, mixed.body.code]).toEqual([400, 'INVALID_REQUEST']);
    expect(mixed.body.data.failures.map(({ code }: { code: string }) => code)).toEqual([
      'EXISTING_CUSTOMER',
      'INVALID_DATA',
    ]);
    expect(service.pendingPointers).toEqual([]);
  });

  it('do not include rows whose email is a customer of another bank only', async () => {
    await service.createCustomers([sentCustomer(0)], API_KEYS.other);
    expect((await service.post([sentCustomer(0)])).status).toBe(201);
  });
});

describe('the chunks of a batch', () => {
  it('hold at most 500 customers and a million bytes, and are sent as pointers without personal data', async () => {
    // At three bytes a character, long addresses and names make a chunk reach its limit of bytes before that of rows.
    const rows = sentCustomers(1_300).map((row, n) =>
      n < 600 ? row : { ...row, address: '街'.repeat(500), accountName: '街'.repeat(200) },
    );
    await service.post(rows);
    const chunks = await env.SHARD_1.prepare(
      'SELECT row_count AS size, length(CAST(payload AS BLOB)) AS bytes FROM batch_chunks ORDER BY chunk',
    ).all<{ size: number; bytes: number }>();
    expect(chunks.results.reduce((sum, { size }) => sum + size, 0)).toBe(1_300);
    for (const { size, bytes } of chunks.results) {
      expect(size).toBeLessThanOrEqual(500);
      expect(bytes).toBeLessThanOrEqual(1_000_000);
    }
    expect(service.pendingPointers).toHaveLength(chunks.results.length);
    for (const pointer of service.pendingPointers)
      expect(Object.keys(pointer)).toEqual(['bankId', 'batchId', 'chunk', 'shard', 'moveNumber']);
  });
});

describe('the largest request that the API accepts', () => {
  /** D1's limit of a bound value. The local D1 accepts more, so the test measures. */
  const MAX_VALUE_BYTES = 2_000_000;

  async function measureLargestValue(rows: unknown[]): Promise<number> {
    let largest = 0;
    const measured = new Service(({ SHARD_1 }) => ({
      SHARD_1: {
        prepare: (sql: string) => {
          const statement = SHARD_1.prepare(sql);
          return {
            bind: (...values: unknown[]) => {
              for (const value of values) {
                if (typeof value === 'string')
                  largest = Math.max(largest, new TextEncoder().encode(value).length);
              }
              return statement.bind(...values);
            },
          };
        },
        batch: (statements: D1PreparedStatement[]) => SHARD_1.batch(statements),
      } as unknown as D1Database,
    }));
    const response = await measured.post(rows);
    expect([201, 400]).toContain(response.status);
    return largest;
  }

  it('fits into D1 with 10,000 of the longest emails', async () => {
    const rows = sentCustomers(10_000).map((row, n) => ({
      ...row,
      email: `${'a'.repeat(58)}${String(n).padStart(6, '0')}@${`${'b'.repeat(60)}.`.repeat(3)}com`,
    }));
    expect(await measureLargestValue(rows)).toBeLessThan(MAX_VALUE_BYTES);
  });

  it('fits into D1 with as many of the longest failures as 10 MB hold', async () => {
    const bad = '\u0001'.repeat(129);
    const fields = Object.keys(sentCustomer()).filter((field) => field !== 'clientRef');
    const row = Object.fromEntries(fields.map((field) => [field, bad]));
    const rows = Array.from({ length: 1_100 }, () => ({ ...row, clientRef: '街'.repeat(128) }));
    expect(await measureLargestValue(rows)).toBeLessThan(MAX_VALUE_BYTES);
  });
});

describe('the body of a batch request', () => {
  const send = (
    body: string | Uint8Array<ArrayBuffer> | ReadableStream,
    headers: Record<string, string> = {},
  ) => service.request('POST', '/v1/bank/customers', { body, headers });
  const json = JSON.stringify({ customers: [sentCustomer()] });

  it.each([
    ['invalid JSON', '{"customers": [', 400, 'body'],
    ['empty', '', 400, 'body'],
    ['null', 'null', 400, 'body'],
    ['an array', '[]', 400, 'body'],
    ['an object without customers', '{}', 400, 'customers'],
    ['an object whose customers are not an array', '{"customers": {"0": {}}}', 400, 'customers'],
    ['an object with an empty array of customers', '{"customers": []}', 400, 'customers'],
    [
      'an object with 10,001 rows',
      JSON.stringify({ customers: Array.from({ length: 10_001 }, () => 0) }),
      400,
      'customers',
    ],
    ['longer than 10 MB', `{"customers": ["${'x'.repeat(10 * 1024 * 1024)}"]}`, 413, 'body'],
  ])('is refused with nothing stored if it is %s', async (_, body, status, field) => {
    const response = await send(body);
    expect([response.status, response.body.errors[0].field]).toEqual([status, field]);
    expect(response.text.length).toBeLessThan(64 * 1024);
    expect(await countRows('batches')).toBe(0);
    expect(service.pendingPointers).toEqual([]);
  });

  it('is refused with 400 if it is not UTF-8', async () => {
    const bytes = new Uint8Array(new TextEncoder().encode(json));
    bytes[json.indexOf('Adaobi')] = 0xff;
    const response = await send(bytes);
    expect([response.status, response.body.errors[0]]).toEqual([
      400,
      { field: 'body', message: 'must be valid UTF-8' },
    ]);
  });

  it('is refused with 413 if it is longer than 10 MB and has no Content-Length', async () => {
    const piece = new TextEncoder().encode(' '.repeat(1024 * 1024));
    let pieces = 0;
    const body = new ReadableStream({
      pull(controller) {
        pieces += 1;
        if (pieces > 12) controller.close();
        else controller.enqueue(piece);
      },
    });
    expect((await send(body)).status).toBe(413);
  });

  it.each([
    [{ 'Content-Type': 'text/plain' }, 'Content-Type'],
    [{ 'Content-Type': 'application/jsonp' }, 'Content-Type'],
    [{ 'Content-Encoding': 'gzip' }, 'Content-Encoding'],
  ])('is refused with 415 if its headers are %j', async (headers, field) => {
    const response = await send(json, headers);
    expect([response.status, response.body.errors[0].field]).toEqual([415, field]);
  });

  it('may begin with a byte order mark, and its Content-Type may have a charset', async () => {
    const response = await send(`\ufeff${json}`, { 'Content-Type': 'Application/JSON; charset=utf-8' });
    expect(response.status).toBe(201);
  });
});

describe('a body with too many values', () => {
  const repeatUpTo = (text: string, bytes: number) => text.repeat(Math.floor(bytes / text.length));
  const MB = 1024 * 1024;
  const ROWS = 'must be an array of 1 to 10000 customers';
  const VALUES = 'must hold at most 400000 JSON values; send less at a time';

  it.each([
    ['3.5 million empty rows', `{"customers":[${repeatUpTo('{},', 10 * MB - 20)}{}]}`, 'customers', ROWS],
    ['10,001 rows', `{"customers":[${repeatUpTo('0,', 20_000)}0]}`, 'customers', ROWS],
    [
      'millions of arrays in one row',
      `{"customers":[[${repeatUpTo('[],', 10 * MB - 30)}[]]]}`,
      'body',
      VALUES,
    ],
    [
      'millions of fields in one row',
      `{"customers":[{${repeatUpTo('"a":1,', 10 * MB - 30)}"b":1}]}`,
      'body',
      VALUES,
    ],
    [
      'millions of levels',
      `{"customers":[${repeatUpTo('[', 5 * MB - 20)}${repeatUpTo(']', 5 * MB - 20)}]}`,
      'body',
      VALUES,
    ],
    [
      'millions of values beside the customers',
      `{"customers":[{}],"x":[${repeatUpTo('1,', 10 * MB - 40)}1]}`,
      'body',
      VALUES,
    ],
    [
      'rows under a name that is written with escapes',
      `{"\\u0063ustomers":[${repeatUpTo('{},', 10 * MB - 30)}{}]}`,
      'body',
      VALUES,
    ],
  ])('is refused before it is parsed: %s', async (_, body, field, message) => {
    const parse = vi.spyOn(JSON, 'parse');
    const safeParse = vi.spyOn(batchRequest, 'safeParse');
    try {
      const response = await service.request('POST', '/v1/bank/customers', { body });
      expect([response.status, response.body.errors]).toEqual([400, [{ field, message }]]);
      // Short texts are responses, which the test itself parses.
      expect(parse.mock.calls.filter(([text]) => text.length > 10_000)).toEqual([]);
      expect(safeParse).not.toHaveBeenCalled();
    } finally {
      parse.mockRestore();
      safeParse.mockRestore();
    }
  });

  it('is refused before it is parsed when it is an update', async () => {
    const body = `{"id":"cus_none","update":{"state":[${repeatUpTo('[],', 50_000)}[]]}}`;
    const parse = vi.spyOn(JSON, 'parse');
    try {
      const response = await service.request('PATCH', '/v1/bank/customer', { body });
      const message = 'must hold at most 1000 JSON values; send less at a time';
      expect([response.status, response.body.errors]).toEqual([400, [{ field: 'body', message }]]);
      expect(parse.mock.calls.filter(([text]) => text.length > 10_000)).toEqual([]);
    } finally {
      parse.mockRestore();
    }
  });
});

it('accepts a body with 10,000 rows of 38 fields', async () => {
  const fields = Array.from({ length: 26 }, (_, n) => `"${n}":0`).join(',');
  const row = JSON.stringify(sentCustomer()).replace('}', `,${fields}}`);
  const response = await service.request('POST', '/v1/bank/customers?dryRun=true', {
    body: `{"customers":[${Array(10_000).fill(row).join(',')}]}`,
  });
  expect([response.status, response.body.data.summary.total]).toEqual([200, 10_000]);
});

describe('hostile rows', () => {
  it('are failures if they have deep nesting, prototype keys, lone surrogates or wrong types', async () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const row = JSON.stringify(sentCustomer(1, { email: "x'); DROP TABLE customers; --@example.com" }));
    const proto = `{"__proto__": ${JSON.stringify(sentCustomer(2))}, "constructor": 1}`;
    const surrogate = JSON.stringify(sentCustomer(3)).replace('Adaobi', 'Ada\\ud800');
    const numbers = JSON.stringify(sentCustomer(4, { firstname: 1e308, accountNumber: 12345 }));
    const response = await service.request('POST', '/v1/bank/customers', {
      body: `{"customers": [${deep}, ${row}, ${proto}, ${surrogate}, ${numbers}]}`,
    });
    expect(response.status).toBe(400);
    expect(response.body.data.failures.map(({ code }: { code: string }) => code)).toEqual([
      'INVALID_DATA',
      'VALIDATION_ERROR',
      'INVALID_DATA',
      'VALIDATION_ERROR',
      'INVALID_DATA',
    ]);
    expect(response.text).not.toMatch(/DROP|12345/);
  });

  it('are stored as plain text if they have SQL in their fields', async () => {
    const attack = `Robert'); DROP TABLE customers; --`;
    const [row] = await service.createCustomers([
      sentCustomer(1, {
        firstname: attack,
        accountName: attack,
        reference: attack,
        clientRef: attack,
        address: attack,
      }),
    ]);
    expect((await service.get(`/v1/bank/customer?id=${row?.id}`)).body.data.accountName).toBe(attack);
  });

  it('are validated and stored with the last value of a duplicate JSON key', async () => {
    const row = JSON.stringify(sentCustomer(1)).replace('{', '{"email":"first@example.com",');
    await service.request('POST', '/v1/bank/customers', { body: `{"customers":[${row}]}` });
    await service.deliverAll();
    const stored = await env.SHARD_1.prepare('SELECT email FROM customers').first('email');
    expect(stored).toBe('adaobi.1@example.com');
  });
});

it('accepts a batch while the queue is unavailable, and the sweep sends its chunks', async () => {
  let now = Date.now();
  const withoutQueue = new Service(() => ({ BATCH_QUEUE: brokenQueue('queue unavailable') }), {
    now: () => now,
  });
  expect((await withoutQueue.post(sentCustomers(2))).status).toBe(201);
  expect(withoutQueue.log).toContainEqual(expect.objectContaining({ event: 'batch_send_failed' }));
  now += 60_000;
  const later = new Service(undefined, { now: () => now });
  await later.sweep();
  await later.deliverAll();
  expect(await countRows('customers')).toBe(2);
});

it('lets other requests work after every 200 rows of a batch', async () => {
  let pauses = 0;
  const sleep = () => {
    pauses += 1;
    return Promise.resolve();
  };
  const pausing = new Service(undefined, { sleep });
  await pausing.postWithIdempotencyKey('key-1', sentCustomers(450));
  // Two between three turns: to compute the fingerprint, to validate and to stage.
  expect(pauses).toBe(3 * 2);
});
