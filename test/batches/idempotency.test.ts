import { beforeEach, describe, expect, it } from 'vitest';
import { importFieldKey } from '../../src/crypto/field-cipher.ts';
import { createFingerprint } from '../../src/batches/accept/fingerprint.ts';
import { IDEMPOTENCY_KEY_TTL_MS } from '../../src/batches/accept/idempotency.ts';
import { systemRuntime } from '../../src/runtime.ts';
import { API_KEYS } from '../support/banks.ts';
import { sentCustomer, sentCustomers } from '../support/customers.ts';
import { countRows } from '../support/database.ts';
import { Service } from '../support/service.ts';

let now: number;
let service: Service;
beforeEach(() => {
  now = Date.now();
  service = new Service(undefined, { now: () => now });
});

describe('a retry with the same Idempotency-Key and body', () => {
  it('gets the first response again, byte for byte, and creates nothing', async () => {
    const rows = [...sentCustomers(3), { clientRef: 'broken' }];
    const first = await service.postWithIdempotencyKey('key-1', rows);
    await service.deliverAll();
    const again = await service.postWithIdempotencyKey('key-1', rows);
    expect([again.status, again.text]).toEqual([first.status, first.text]);
    expect(again.headers.get('Location')).toBe(first.headers.get('Location'));
    expect([first, again].map(({ headers }) => headers.get('Idempotent-Replayed'))).toEqual([null, 'true']);
    expect([await countRows('batches'), await countRows('customers')]).toEqual([1, 3]);
    expect(service.pendingPointers).toEqual([]);
  });

  it('gets the first response again if no row was accepted', async () => {
    await service.createCustomers([sentCustomer()]);
    const first = await service.postWithIdempotencyKey('key-1', [sentCustomer()]);
    const again = await service.postWithIdempotencyKey('key-1', [sentCustomer()]);
    expect([first.status, again.status]).toEqual([409, 409]);
    expect(again.body.data).toEqual(first.body.data);
    expect(again.headers.get('Idempotent-Replayed')).toBe('true');
  });

  it('is recognised however the JSON is written', async () => {
    const first = await service.postWithIdempotencyKey('key-1', [sentCustomer(1)]);
    const reordered = Object.fromEntries(Object.entries(sentCustomer(1)).toReversed());
    const again = await service.request('POST', '/v1/bank/customers', {
      headers: { 'Idempotency-Key': '"key-1"' },
      body: JSON.stringify({ customers: [{ ...reordered, unknown: 1 }] }, null, 4),
    });
    expect([again.status, again.text]).toEqual([201, first.text]);
  });

  it('makes one batch when ten arrive at once, in one isolate or several', async () => {
    const isolates = [1, 2, 3].map(() => new Service());
    const responses = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        (isolates[n % 3] ?? service).postWithIdempotencyKey('key-1', sentCustomers(20)),
      ),
    );
    expect(await countRows('batches')).toBe(1);
    const ids = new Set<string>();
    for (const { status, body, headers } of responses) {
      if (status === 201) ids.add(body.data.batchId);
      else {
        expect([status, body.code]).toEqual([409, 'IDEMPOTENCY_IN_PROGRESS']);
        expect(Number(headers.get('Retry-After'))).toBeGreaterThan(0);
      }
    }
    expect(ids.size).toBe(1);
    const [id] = ids;
    expect((await service.postWithIdempotencyKey('key-1', sentCustomers(20))).body.data.batchId).toBe(id);
  });

  it('is a new request after 72 hours, and the sweep removes its record', async () => {
    const first = await service.postWithIdempotencyKey('key-1', [sentCustomer(1)]);
    await service.deliverAll();
    now += IDEMPOTENCY_KEY_TTL_MS;
    const later = await service.postWithIdempotencyKey('key-1', [sentCustomer(1)]);
    expect(later.status).toBe(409);
    expect(later.body.data.batchId).not.toBe(first.body.data.batchId);
    now += IDEMPOTENCY_KEY_TTL_MS;
    await service.sweep();
    expect(await countRows('idempotency_keys')).toBe(0);
  });
});

it('releases an Idempotency-Key 90 seconds after its request died', async () => {
  // When a client disconnects, the Worker's code is never resumed and so cleans up nothing.
  const never = new Promise<never>(() => {});
  const { promise: firstCall, resolve: reportCall } = Promise.withResolvers<void>();
  let hangs = true;
  const isolate = new Service(
    ({ SHARD_1 }) => ({
      SHARD_1: {
        prepare: (sql: string) => SHARD_1.prepare(sql),
        batch: (statements: D1PreparedStatement[]) => {
          reportCall();
          return hangs ? never : SHARD_1.batch(statements);
        },
      } as unknown as D1Database,
    }),
    { now: () => now },
  );
  void isolate.postWithIdempotencyKey('key-1', [sentCustomer(1)]);
  await firstCall;
  hangs = false;
  expect((await isolate.postWithIdempotencyKey('key-1', [sentCustomer(1)])).status).toBe(409);
  now += 120_000;
  expect((await isolate.postWithIdempotencyKey('key-1', [sentCustomer(1)])).status).toBe(201);
});

it('returns 422 for another body with a used Idempotency-Key, and stores nothing', async () => {
  await service.postWithIdempotencyKey('key-1', [sentCustomer(1)]);
  const other = await service.postWithIdempotencyKey('key-1', [sentCustomer(2)]);
  expect([other.status, other.body.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
  expect(await countRows('batches')).toBe(1);
});

it('keeps the Idempotency-Keys of banks apart', async () => {
  const mine = await service.postWithIdempotencyKey('key-1', [sentCustomer(1)]);
  const theirs = await service.postWithIdempotencyKey('key-1', [sentCustomer(1)], API_KEYS.other);
  expect(theirs.status).toBe(201);
  expect(theirs.body.data.batchId).not.toBe(mine.body.data.batchId);
});

it('leaves the Idempotency-Key unused if it refuses the request as a whole', async () => {
  expect((await service.postWithIdempotencyKey('key-1', [])).status).toBe(400);
  expect((await service.postWithIdempotencyKey('key-1', [sentCustomer(1)])).status).toBe(201);
});

it.each(['', ' ', 'two words', 'ключ', '"open', '""', 'x'.repeat(256), 'a, b'])(
  'returns 400 for the malformed Idempotency-Key %j, and names the header',
  async (key) => {
    if (/[^\x20-\x7e]/.test(key)) return;
    const response = await service.postWithIdempotencyKey(key, [sentCustomer(1)]);
    expect([response.status, response.body.errors?.[0]?.field]).toEqual([400, 'Idempotency-Key']);
    expect(await countRows('batches')).toBe(0);
  },
);

it.each(['x'.repeat(255), '"x"', '!~', '"a\\"b\\\\"'])('accepts the Idempotency-Key %j', async (key) => {
  expect((await service.postWithIdempotencyKey(key, [sentCustomer(1)])).status).toBe(201);
});

it('gives different rows different fingerprints, and rows that mean the same the same one', async () => {
  const key = await importFieldKey(1, btoa('a'.repeat(32)));
  const fingerprintOf = (rows: unknown[]) => createFingerprint(systemRuntime, rows, async () => key);
  const fingerprints = await Promise.all(
    [
      [sentCustomer(1)],
      [sentCustomer(2)],
      [sentCustomer(1), sentCustomer(2)],
      [sentCustomer(1, { phone: null })],
      [sentCustomer(1, { phone: {} })],
      [sentCustomer(1, { phone: Number.POSITIVE_INFINITY })],
      ['x'],
    ].map(fingerprintOf),
  );
  expect(new Set(fingerprints).size).toBe(fingerprints.length);
  expect(await fingerprintOf([sentCustomer(1, { phone: undefined })])).toBe(fingerprints[3]);
  expect(await fingerprintOf([7])).toBe(fingerprints[6]);
  // It is keyed, so that account numbers can't be guessed from it.
  const other = await importFieldKey(1, btoa('b'.repeat(32)));
  expect(await createFingerprint(systemRuntime, [sentCustomer(1)], async () => other)).not.toBe(
    fingerprints[0],
  );
});

it('recognises a retry after the field key was rotated', async () => {
  const rows = [sentCustomer(1)];
  const first = await service.postWithIdempotencyKey('k', rows);
  const rotated = new Service(() => ({ FIELD_KEY_2: btoa('b'.repeat(32)) }));
  const again = await rotated.postWithIdempotencyKey('k', rows);
  expect([again.status, again.body.data.batchId]).toEqual([201, first.body.data.batchId]);
  expect((await rotated.postWithIdempotencyKey('k', [sentCustomer(2)])).status).toBe(422);
});

describe('a dry run', () => {
  it('gives the report of the real request, and stores and sends nothing', async () => {
    await service.createCustomers([sentCustomer(9)]);
    const rows = [sentCustomer(1), sentCustomer(1), sentCustomer(9, { clientRef: 'x' }), {}];
    const dryRun = await service.dryRun(rows);
    expect([dryRun.status, dryRun.body.data.batchId]).toEqual([200, null]);
    expect([await countRows('batches'), service.pendingPointers]).toEqual([1, []]);
    const real = await service.post(rows);
    expect(dryRun.body.data.summary).toEqual(real.body.data.summary);
    expect(dryRun.body.data.failures).toEqual(real.body.data.failures);
  });

  it('reports every failure inline, because it has no failuresUrl', async () => {
    const rows = Array.from({ length: 70 }, () => ({}));
    const { body } = await service.dryRun(rows);
    expect([body.data.failures.length, body.data.failuresInline, body.data.failuresUrl]).toEqual([
      70,
      true,
      null,
    ]);
  });

  it('reports at most 1 MB of failures, and the next ones when it is repeated with failuresFrom', async () => {
    const invalidRow = Object.fromEntries(Object.keys(sentCustomer()).map((field) => [field, '\u0001']));
    // Every tenth row is valid, so that the indexes of failures differ from their positions in the response.
    const rows = Array.from({ length: 1_800 }, (_, n) => (n % 10 === 0 ? sentCustomer(n) : invalidRow));
    const failures: { index: number }[] = [];
    let pages = 0;
    for (let failuresInline = false; !failuresInline; pages += 1) {
      const from = failures.length === 0 ? '' : `&failuresFrom=${(failures.at(-1)?.index ?? 0) + 1}`;
      const { status, text, body } = await service.dryRun(rows, from);
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
  ])('returns 400 for ?%s', async (query) => {
    const { status, body } = await service.request('POST', `/v1/bank/customers?${query}`, {
      body: { customers: [{}] },
    });
    expect([status, body.errors[0].field]).toEqual([400, 'failuresFrom']);
    expect(await countRows('batches')).toBe(0);
  });

  it('returns 400 for any value of dryRun but true or false', async () => {
    const post = (query: string) =>
      service.request('POST', `/v1/bank/customers?${query}`, { body: { customers: [sentCustomer(1)] } });
    expect((await post('dryRun=yes')).status).toBe(400);
    expect((await post('dryrun=true')).status).toBe(400);
    expect(await countRows('batches')).toBe(0);
    expect((await post('dryRun=false')).status).toBe(201);
  });
});
