import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { importFieldKey } from '../../src/crypto/field-cipher.ts';
import { createFingerprint } from '../../src/batches/accept/fingerprint.ts';
import { IDEMPOTENCY_KEY_TTL_MS } from '../../src/batches/accept/idempotency.ts';
import { API_KEYS } from '../support/banks.ts';
import { sentCustomer, sentCustomers } from '../support/customers.ts';
import { Service } from '../support/service.ts';

let now: number;
let service: Service;
beforeEach(() => {
  now = Date.now();
  service = new Service(undefined, { now: () => now });
});

const send = (key: string, customers: unknown[], by: Service = service, bankKey: string = API_KEYS.full) =>
  by.request('POST', '/v1/bank/customers', {
    apiKey: bankKey,
    headers: { 'Idempotency-Key': key },
    body: { customers },
  });
const count = async (table: string) =>
  (await env.DB.prepare(`SELECT count(*) AS n FROM ${table}`).first<{ n: number }>())?.n;

describe('the same key and the same body', () => {
  it('get the first answer again, to the byte, and make nothing', async () => {
    const rows = [...sentCustomers(3), { clientRef: 'broken' }];
    const first = await send('key-1', rows);
    await service.deliverAll();
    const again = await send('key-1', rows);
    expect([again.status, again.text]).toEqual([first.status, first.text]);
    expect(again.headers.get('Location')).toBe(first.headers.get('Location'));
    expect([first, again].map(({ headers }) => headers.get('Idempotent-Replayed'))).toEqual([null, 'true']);
    expect([await count('batches'), await count('customers')]).toEqual([1, 3]);
    expect(service.pendingPointers).toEqual([]);
  });

  it('also when no row was accepted', async () => {
    await service.createCustomers([sentCustomer()]);
    const first = await send('key-1', [sentCustomer()]);
    const again = await send('key-1', [sentCustomer()]);
    expect([first.status, again.status]).toEqual([409, 409]);
    expect(again.body.data).toEqual(first.body.data);
    expect(again.headers.get('Idempotent-Replayed')).toBe('true');
  });

  it('mean the same however the body is written', async () => {
    const first = await send('key-1', [sentCustomer(1)]);
    const turned = Object.fromEntries(Object.entries(sentCustomer(1)).toReversed());
    const again = await service.request('POST', '/v1/bank/customers', {
      headers: { 'Idempotency-Key': '"key-1"' },
      body: JSON.stringify({ customers: [{ ...turned, unknown: 1 }] }, null, 4),
    });
    expect([again.status, again.text]).toEqual([201, first.text]);
  });

  it('ten at once, in one isolate and in several, make one batch', async () => {
    const isolates = [1, 2, 3].map(() => new Service());
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => send('key-1', sentCustomers(20), isolates[n % 3])),
    );
    expect(await count('batches')).toBe(1);
    const ids = new Set<string>();
    for (const { status, body, headers } of answers) {
      if (status === 201) ids.add(body.data.batchId);
      else {
        expect([status, body.code]).toEqual([409, 'IDEMPOTENCY_IN_PROGRESS']);
        expect(Number(headers.get('Retry-After'))).toBeGreaterThan(0);
      }
    }
    expect(ids.size).toBe(1);
    const [id] = ids;
    expect((await send('key-1', sentCustomers(20))).body.data.batchId).toBe(id);
  });

  it('are a new request after 72 hours, and the sweep forgets them', async () => {
    const first = await send('key-1', [sentCustomer(1)]);
    await service.deliverAll();
    now += IDEMPOTENCY_KEY_TTL_MS;
    const later = await send('key-1', [sentCustomer(1)]);
    expect(later.status).toBe(409);
    expect(later.body.data.batchId).not.toBe(first.body.data.batchId);
    now += IDEMPOTENCY_KEY_TTL_MS;
    await service.sweep();
    expect(await count('idempotency_keys')).toBe(0);
  });
});

it('a request that was stopped without a word does not hold its key for ever', async () => {
  // As when a client goes away: its work is never resumed, so nothing is cleaned up either.
  const never = new Promise<never>(() => {});
  const { promise: underWay, resolve: stop } = Promise.withResolvers<void>();
  let stopped = true;
  const isolate = new Service(
    ({ DB }) => ({
      DB: {
        prepare: (sql: string) => DB.prepare(sql),
        batch: (statements: D1PreparedStatement[]) => {
          stop();
          return stopped ? never : DB.batch(statements);
        },
      } as unknown as D1Database,
    }),
    { now: () => now },
  );
  void send('key-1', [sentCustomer(1)], isolate);
  await underWay;
  stopped = false;
  expect((await send('key-1', [sentCustomer(1)], isolate)).status).toBe(409);
  now += 90_000;
  expect((await send('key-1', [sentCustomer(1)], isolate)).status).toBe(201);
});

it('the same key and another body are a 422, and store nothing', async () => {
  await send('key-1', [sentCustomer(1)]);
  const other = await send('key-1', [sentCustomer(2)]);
  expect([other.status, other.body.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
  expect(await count('batches')).toBe(1);
});

it('a key is its bank’s own', async () => {
  const mine = await send('key-1', [sentCustomer(1)]);
  const theirs = await send('key-1', [sentCustomer(1)], service, API_KEYS.other);
  expect(theirs.status).toBe(201);
  expect(theirs.body.data.batchId).not.toBe(mine.body.data.batchId);
});

it('a request refused whole leaves its key unused', async () => {
  expect((await send('key-1', [])).status).toBe(400);
  expect((await send('key-1', [sentCustomer(1)])).status).toBe(201);
});

it.each(['', ' ', 'two words', 'ключ', '"open', '""', 'x'.repeat(256), 'a, b'])(
  'the malformed key %j is a 400 that names the header',
  async (key) => {
    if (/[^\x20-\x7e]/.test(key)) return;
    const answer = await send(key, [sentCustomer(1)]);
    expect([answer.status, answer.body.errors?.[0]?.field]).toEqual([400, 'Idempotency-Key']);
    expect(await count('batches')).toBe(0);
  },
);

it.each(['x'.repeat(255), '"x"', '!~', '"a\\"b\\\\"'])('the key %j is taken', async (key) => {
  expect((await send(key, [sentCustomer(1)])).status).toBe(201);
});

it('fingerprints tell rows apart, and rows without meaning not', async () => {
  const key = await importFieldKey(1, btoa('a'.repeat(32)));
  const print = (rows: unknown[]) => createFingerprint(rows, async () => key);
  const prints = await Promise.all(
    [
      [sentCustomer(1)],
      [sentCustomer(2)],
      [sentCustomer(1), sentCustomer(2)],
      [sentCustomer(1, { phone: null })],
      [sentCustomer(1, { phone: {} })],
      [sentCustomer(1, { phone: Number.POSITIVE_INFINITY })],
      ['x'],
    ].map(print),
  );
  expect(new Set(prints).size).toBe(prints.length);
  expect(await print([sentCustomer(1, { phone: undefined })])).toBe(prints[3]);
  expect(await print([7])).toBe(prints[6]);
  // Nobody without the key can try account numbers until one fits.
  const other = await importFieldKey(1, btoa('b'.repeat(32)));
  expect(await createFingerprint([sentCustomer(1)], async () => other)).not.toBe(prints[0]);
});

it('a key outlives the field key that its record was made with', async () => {
  const rows = [sentCustomer(1)];
  const ask = (by: Service, body: unknown[]) =>
    by.request('POST', '/v1/bank/customers', {
      headers: { 'Idempotency-Key': 'k' },
      body: { customers: body },
    });
  const first = await ask(new Service(), rows);
  const rotated = new Service(() => ({ FIELD_KEY_2: btoa('b'.repeat(32)) }));
  const again = await ask(rotated, rows);
  expect([again.status, again.body.data.batchId]).toEqual([201, first.body.data.batchId]);
  expect((await ask(rotated, [sentCustomer(2)])).status).toBe(422);
});

describe('a dry run', () => {
  it('gives the same report, and stores and sends nothing', async () => {
    await service.createCustomers([sentCustomer(9)]);
    const rows = [sentCustomer(1), sentCustomer(1), sentCustomer(9, { clientRef: 'x' }), {}];
    const rehearsed = await service.request('POST', '/v1/bank/customers?dryRun=true', {
      body: { customers: rows },
    });
    expect([rehearsed.status, rehearsed.body.data.batchId]).toEqual([200, null]);
    expect([await count('batches'), service.pendingPointers]).toEqual([1, []]);
    const real = await service.post(rows);
    expect(rehearsed.body.data.summary).toEqual(real.body.data.summary);
    expect(rehearsed.body.data.failures).toEqual(real.body.data.failures);
  });

  it('tells of every failure, because there is no address to read the rest from', async () => {
    const rows = Array.from({ length: 70 }, () => ({}));
    const { body } = await service.request('POST', '/v1/bank/customers?dryRun=true', {
      body: { customers: rows },
    });
    expect([body.data.failures.length, body.data.failuresInline, body.data.failuresUrl]).toEqual([
      70,
      true,
      null,
    ]);
  });

  it('answers at most 1 MB of failures, and the others when it is sent again for them', async () => {
    const wordy = Object.fromEntries(Object.keys(sentCustomer()).map((field) => [field, '\u0001']));
    // Every tenth is a good row, so that the indexes of failures are not those of the answer.
    const rows = Array.from({ length: 1_800 }, (_, n) => (n % 10 === 0 ? sentCustomer(n) : wordy));
    const failures: { index: number }[] = [];
    let pages = 0;
    for (let failuresInline = false; !failuresInline; pages += 1) {
      const from = failures.length === 0 ? '' : `&failuresFrom=${(failures.at(-1)?.index ?? 0) + 1}`;
      const { status, text, body } = await service.request('POST', `/v1/bank/customers?dryRun=true${from}`, {
        body: { customers: rows },
      });
      expect(status).toBe(200);
      expect(new TextEncoder().encode(text).length).toBeLessThan(1.01 * 1024 * 1024);
      expect(body.data.summary).toMatchObject({ total: 1_800, successful: 180, failed: 1_620 });
      failures.push(...body.data.failures);
      ({ failuresInline } = body.data);
    }
    expect(pages).toBeGreaterThan(1);
    expect(failures.map(({ index }) => index)).toEqual(
      rows.map((_, index) => index).filter((index) => index % 10 !== 0),
    );
  });

  it.each([
    'failuresFrom=1',
    'dryRun=false&failuresFrom=1',
    'dryRun=true&failuresFrom=10000',
    'dryRun=true&failuresFrom=-1',
    'dryRun=true&failuresFrom=x',
  ])('refuses %s', async (query) => {
    const { status, body } = await service.request('POST', `/v1/bank/customers?${query}`, {
      body: { customers: [{}] },
    });
    expect([status, body.errors[0].field]).toEqual([400, 'failuresFrom']);
    expect(await count('batches')).toBe(0);
  });

  it('is asked for by true or false, and by nothing else', async () => {
    const ask = (query: string) =>
      service.request('POST', `/v1/bank/customers?${query}`, { body: { customers: [sentCustomer(1)] } });
    expect((await ask('dryRun=yes')).status).toBe(400);
    expect((await ask('dryrun=true')).status).toBe(400);
    expect(await count('batches')).toBe(0);
    expect((await ask('dryRun=false')).status).toBe(201);
  });
});
