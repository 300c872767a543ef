/** Failures: what they take, how many there may be, and that they read as they were told. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { decodeFailure, encodeFailure } from '../../src/batches/failures.ts';
import { validateRows } from '../../src/batches/accept/validate.ts';
import { customerRow } from '../../src/customers/customers.requests.ts';
import type { Env } from '../../src/env.ts';
import { API_KEYS, LAGOS } from '../support/banks.ts';
import { sentCustomer, sentCustomers } from '../support/customers.ts';
import { Service, type ServiceResponse } from '../support/service.ts';

/** Noon, so that no test passes midnight by itself. */
const NOON = Date.UTC(2026, 10, 25, 12);
const MIDNIGHT = '2026-11-26T00:00:00.000Z';

let now: number;
beforeEach(() => {
  now = NOON;
});

type Limits = Partial<Pick<Env, 'MAX_STORED_FAILURES' | 'MAX_FAILURES_PER_DAY'>>;
const limited = (limits: Limits = {}) => new Service(() => limits, { now: () => now });

const all = async <Row>(query: string) => (await env.DB.prepare(query).all<Row>()).results;
const bank = async () =>
  env.DB.prepare(
    `SELECT failure_count AS stored, failure_day AS day, failure_day_count AS today,
       (SELECT count(*) FROM batch_failures WHERE bank_id = banks.id) AS rows FROM banks WHERE id = ?`,
  )
    .bind(LAGOS)
    .first();
const batchOf = async (service: Service, answer: ServiceResponse) =>
  (await service.get(`/v1/bank/customers/batches/${answer.body.data.batchId}`)).body.data;
const failuresOf = async (service: Service, answer: ServiceResponse) =>
  (await service.get(`/v1/bank/customers/batches/${answer.body.data.batchId}/failures?limit=1000`)).body.data;

/** Rows that lack everything but their name. */
const badRows = (count: number, name = 'bad') =>
  Array.from({ length: count }, (_, n) => ({ clientRef: `${name}-${n}` }));

describe('a stored failure', () => {
  /** Every sentence that a rule of the schema can say, wherever in it the rule is. */
  function sentencesOf(schema: unknown, seen = new Set<unknown>()): string[] {
    if (typeof schema !== 'object' || schema === null || seen.has(schema)) return [];
    seen.add(schema);
    const { _zod } = schema as { _zod?: { def: Record<string, unknown> } };
    const parts = Object.values(_zod?.def ?? schema).flatMap((part) => sentencesOf(part, seen));
    const error = _zod?.def['error'];
    return typeof error === 'function' ? [String(error({})), ...parts] : parts;
  }

  it('has letters for every sentence that the rules of a row can say', () => {
    const fields = Object.entries(customerRow.shape);
    const faults = fields.flatMap(([field, rule]) =>
      sentencesOf(rule).map((message) => ({ field, message })),
    );
    expect(new Set(faults.map(({ message }) => message)).size).toBeGreaterThan(8);
    for (const fault of faults) {
      const stored = encodeFailure({ code: 'VALIDATION_ERROR', errors: [fault] });
      expect([fault, stored.faults]).toEqual([fault, expect.stringMatching(/^[A-Z][a-z]\d*$/)]);
      expect(decodeFailure(stored).errors).toEqual([fault]);
    }
  });

  it('reads as it was told, whatever is wrong with a row', () => {
    const wrong = [undefined, 7, 'x'.repeat(3_000), 'a\u0000b', '\u202e', ' ', 'no'];
    const rows = [
      ...Object.keys(customerRow.shape).flatMap((field) =>
        wrong.map((value, n) => sentCustomer(n, { [field]: value })),
      ),
      {},
      null,
      sentCustomer(0),
      sentCustomer(0),
    ];
    const { failures } = validateRows(rows);
    expect(failures.length).toBeGreaterThan(50);
    for (const { index, clientRef, ...failure } of failures) {
      const stored = encodeFailure(failure);
      expect(stored.faults).not.toContain('[');
      expect({ index, clientRef, ...decodeFailure(stored) }).toEqual({ index, clientRef, ...failure });
    }
  });

  it('of before failures had letters reads as it did', async () => {
    const service = limited();
    const answer = await service.post([{}]);
    const errors = [{ field: 'email', message: 'an old sentence' }];
    await env.DB.prepare('UPDATE batch_failures SET faults = ?').bind(JSON.stringify(errors)).run();
    const [failure] = await failuresOf(service, answer);
    expect(failure).toEqual({
      index: 0,
      clientRef: null,
      code: 'INVALID_DATA',
      message: 'A required field is missing or not readable',
      errors,
    });
  });

  it('takes at most 200 bytes beside its clientRef, and a refused request of 10,000 rows 2.5 MB', async () => {
    const service = limited();
    const size = async () => (await env.DB.prepare('SELECT 1').all()).meta.size_after ?? 0;
    const bad = '\u0001';
    const fields = Object.keys(sentCustomer()).filter((field) => field !== 'clientRef');
    const wordy = Object.fromEntries(fields.map((field) => [field, bad]));
    const before = await size();
    // Names without an order, so that the index is not filled from one end.
    const refs = Array.from(
      { length: 10_000 },
      (_, n) => `r${String((n * 7_919) % 10_000).padStart(5, '0')}`,
    );
    const answer = await service.request('POST', '/v1/bank/customers', {
      headers: { 'Idempotency-Key': 'wordy' },
      body: { customers: refs.map((clientRef) => ({ ...wordy, clientRef })) },
    });
    expect([answer.status, answer.body.data.summary.failed]).toEqual([400, 10_000]);
    const written = (await size()) - before;
    expect(written).toBeLessThan(2_500_000);
    // It is there twice: in the table and in the index that an erasure goes by.
    expect((written - 2 * refs.join('').length) / 10_000).toBeLessThan(200);
    const kept = await env.DB.prepare('SELECT length(answer) FROM idempotency_keys').first('length(answer)');
    expect(kept).toBeLessThan(5_000);
  });
});

describe('the refused rows of a day', () => {
  it('are bounded: a batch that would pass the limit is refused whole until midnight', async () => {
    const service = limited({ MAX_FAILURES_PER_DAY: 5 });
    expect((await service.post(badRows(3))).status).toBe(400);
    const refused = await service.post([...badRows(3), sentCustomer(1)]);
    expect([refused.status, refused.body.code, refused.body.retryAfter]).toEqual([
      429,
      'RATE_LIMITED',
      12 * 3_600,
    ]);
    expect(refused.headers.get('Retry-After')).toBe(String(12 * 3_600));
    const [{ field, message }] = refused.body.errors;
    expect(field).toBe('customers');
    for (const word of ['limit of 5 refused rows per UTC day', 'cannot become customers: 3', MIDNIGHT])
      expect(message).toContain(word);
    expect(await bank()).toEqual({ stored: 3, day: '2026-11-25', today: 3, rows: 3 });
    expect(await all('SELECT id FROM batches')).toHaveLength(1);
    expect(service.pendingPointers).toEqual([]);
    // What passes nothing is taken: a batch without refused rows, one that just fits, and another bank's.
    expect((await service.post([sentCustomer(1)])).status).toBe(201);
    expect((await service.post(badRows(2))).status).toBe(400);
    expect((await service.post(badRows(5), API_KEYS.other)).status).toBe(400);
    now = Date.parse(MIDNIGHT);
    expect((await service.post(badRows(5))).status).toBe(400);
    expect(await bank()).toEqual({ stored: 10, day: '2026-11-26', today: 5, rows: 10 });
  });

  it('are counted in the accepting transaction: of many at once no more get through than there is room for', async () => {
    const isolates = [1, 2, 3].map(() => limited({ MAX_FAILURES_PER_DAY: 10 }));
    const answers = await Promise.all(
      isolates.flatMap((isolate, i) => [1, 2, 3].map((n) => isolate.post(badRows(4, `i${i}n${n}`)))),
    );
    const taken = answers.filter(({ status }) => status === 400);
    const refused = answers.filter(({ status }) => status === 429);
    expect([taken.length, refused.length]).toEqual([2, 7]);
    expect(await bank()).toMatchObject({ stored: 8, today: 8, rows: 8 });
  });

  it('do not stand in the way of a replay, also of one that passed them at the same time', async () => {
    const service = limited({ MAX_FAILURES_PER_DAY: 3 });
    const send = (key: string, rows: unknown[]) =>
      service.request('POST', '/v1/bank/customers', {
        headers: { 'Idempotency-Key': key },
        body: { customers: rows },
      });
    const first = await send('key-1', badRows(3));
    expect((await send('key-2', badRows(1))).status).toBe(429);
    const again = await send('key-1', badRows(3));
    expect([again.status, again.text.replace(/req_\w+/, '')]).toEqual([
      400,
      first.text.replace(/req_\w+/, ''),
    ]);
    expect(again.headers.get('Idempotent-Replayed')).toBe('true');
    now = Date.parse(MIDNIGHT);
    const isolates = [1, 2, 3].map(() => limited({ MAX_FAILURES_PER_DAY: 3 }));
    const answers = await Promise.all(
      isolates.map((isolate) =>
        isolate.request('POST', '/v1/bank/customers', {
          headers: { 'Idempotency-Key': 'key-3' },
          body: { customers: badRows(3) },
        }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400]);
    expect(new Set(answers.map(({ body }) => body.data.batchId)).size).toBe(1);
  });

  it('are never begun twice by a clock that is behind', async () => {
    const service = limited({ MAX_FAILURES_PER_DAY: 3 });
    now = Date.parse(MIDNIGHT);
    expect((await service.post(badRows(2))).status).toBe(400);
    now -= 5;
    expect((await service.post(badRows(2))).status).toBe(429);
    expect((await service.post(badRows(1))).status).toBe(400);
    expect(await bank()).toMatchObject({ day: '2026-11-26', today: 3 });
  });

  it('include those found after acceptance, which are stored whatever the limit says', async () => {
    const service = limited({ MAX_FAILURES_PER_DAY: 2 });
    await service.post(sentCustomers(4));
    const late = await service.post([...sentCustomers(4), ...badRows(2)]);
    expect(late.status).toBe(201);
    await service.deliverAll();
    expect(await batchOf(service, late)).toMatchObject({
      summary: { failed: 6, duplicates: 4, invalidData: 2 },
    });
    expect(await failuresOf(service, late)).toHaveLength(6);
    expect(await bank()).toMatchObject({ stored: 6, today: 6, rows: 6 });
    expect((await service.post(badRows(1))).status).toBe(429);
  });
});

describe('the stored failures of a bank', () => {
  it('are bounded: the oldest make room, and their batch says so', async () => {
    const service = limited({ MAX_STORED_FAILURES: 10 });
    const answers: ServiceResponse[] = [];
    for (let n = 0; n < 3; n += 1) {
      now += 1;
      answers.push(await service.post(badRows(4, `n${n}`)));
    }
    const [first, second, third] = await Promise.all(answers.map((answer) => batchOf(service, answer)));
    expect(first).toMatchObject({ failuresRemoved: 2, summary: { failed: 4, invalidData: 4 } });
    expect([second?.failuresRemoved, third?.failuresRemoved]).toEqual([0, 0]);
    const [oldest] = answers;
    if (oldest === undefined) throw new Error('nothing was sent');
    expect((await failuresOf(service, oldest)).map(({ index }: { index: number }) => index)).toEqual([2, 3]);
    expect(await bank()).toMatchObject({ stored: 10, rows: 10, today: 12 });
  });

  it('are bounded for those found after acceptance too', async () => {
    const service = limited({ MAX_STORED_FAILURES: 3 });
    const early = await service.post(badRows(3));
    now += 1;
    await service.post(sentCustomers(2));
    now += 1;
    const late = await service.post(sentCustomers(2));
    await service.deliverAll();
    expect(await failuresOf(service, late)).toHaveLength(2);
    expect((await batchOf(service, early)).failuresRemoved).toBe(2);
    expect(await bank()).toMatchObject({ stored: 3, rows: 3 });
  });

  it('of another bank make no room', async () => {
    const service = limited({ MAX_STORED_FAILURES: 3 });
    const mine = await service.post(badRows(3));
    await service.post(badRows(9), API_KEYS.other);
    expect(await failuresOf(service, mine)).toHaveLength(3);
  });
});

it('a record of before failures had letters is replayed as it was answered', async () => {
  const service = limited();
  const send = () =>
    service.request('POST', '/v1/bank/customers', {
      headers: { 'Idempotency-Key': 'old' },
      body: { customers: [{}] },
    });
  const first = await send();
  const record = await env.DB.prepare('SELECT answer FROM idempotency_keys').first<string>('answer');
  const kept = JSON.parse(record ?? '');
  kept.report.failures = first.body.data.failures;
  await env.DB.prepare('UPDATE idempotency_keys SET answer = ?').bind(JSON.stringify(kept)).run();
  expect((await send()).text.replace(/req_\w+/, '')).toBe(first.text.replace(/req_\w+/, ''));
});
