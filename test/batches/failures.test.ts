/** Failures: their size, their limits, and that they are read as they were reported. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { decodeFailure, encodeFailure } from '../../src/batches/failures.ts';
import { RowValidator } from '../../src/batches/accept/validate.ts';
import { customerRow } from '../../src/customers/customers.requests.ts';
import type { Env } from '../../src/env.ts';
import { API_KEYS, LAGOS } from '../support/banks.ts';
import { sentCustomer, sentCustomers } from '../support/customers.ts';
import { selectRows } from '../support/database.ts';
import { textWithoutRequestId } from '../support/responses.ts';
import { Service, type ServiceResponse } from '../support/service.ts';

/** At noon no test reaches midnight by itself. */
const NOON = Date.UTC(2026, 10, 25, 12);
const MIDNIGHT = '2026-11-26T00:00:00.000Z';

let now: number;
beforeEach(() => {
  now = NOON;
});

type Limits = Partial<Pick<Env, 'MAX_STORED_FAILURES' | 'MAX_FAILURES_PER_DAY'>>;
const serviceWith = (limits: Limits = {}) => new Service(() => limits, { now: () => now });

const failureCounts = async () =>
  env.SHARD_1.prepare(
    `SELECT failure_count AS stored, failure_day AS day, failure_day_count AS today,
       (SELECT count(*) FROM batch_failures WHERE bank_id = tenants.bank_id) AS rows FROM tenants WHERE bank_id = ?`,
  )
    .bind(LAGOS)
    .first();
const batchOf = async (service: Service, response: ServiceResponse) =>
  (await service.getBatch(response.body.data.batchId)).body.data;
const failuresOf = async (service: Service, response: ServiceResponse) =>
  (await service.get(`/v1/bank/customers/batches/${response.body.data.batchId}/failures?limit=1000`)).body
    .data;

/** Rows that have a clientRef and nothing else. */
const invalidRows = (count: number, name = 'bad') =>
  Array.from({ length: count }, (_, n) => ({ clientRef: `${name}-${n}` }));

describe('a stored failure', () => {
  /** Returns every message that a rule anywhere in the schema can give. */
  function messagesOf(schema: unknown, seen = new Set<unknown>()): string[] {
    if (typeof schema !== 'object' || schema === null || seen.has(schema)) return [];
    seen.add(schema);
    const { _zod } = schema as { _zod?: { def: Record<string, unknown> } };
    const parts = Object.values(_zod?.def ?? schema).flatMap((part) => messagesOf(part, seen));
    const error = _zod?.def['error'];
    return typeof error === 'function' ? [String(error({})), ...parts] : parts;
  }

  it('has a code for every message that the rules of a row can give', () => {
    const fields = Object.entries(customerRow.shape);
    const faults = fields.flatMap(([field, rule]) => messagesOf(rule).map((message) => ({ field, message })));
    expect(new Set(faults.map(({ message }) => message)).size).toBeGreaterThan(8);
    for (const fault of faults) {
      const stored = encodeFailure({ code: 'VALIDATION_ERROR', errors: [fault] });
      expect([fault, stored.faults]).toEqual([fault, expect.stringMatching(/^[A-Z][a-z]\d*$/)]);
      expect(decodeFailure(stored).errors).toEqual([fault]);
    }
  });

  it('is read as it was reported, whatever is wrong with the row', () => {
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
    const { failures } = new RowValidator().add(rows);
    expect(failures.length).toBeGreaterThan(50);
    for (const { index, clientRef, ...failure } of failures) {
      const stored = encodeFailure(failure);
      expect(stored.faults).not.toContain('[');
      expect({ index, clientRef, ...decodeFailure(stored) }).toEqual({ index, clientRef, ...failure });
    }
  });

  it('that was stored as text, before failures had codes, is read as it was', async () => {
    const service = serviceWith();
    const response = await service.post([{}]);
    const errors = [{ field: 'email', message: 'an earlier message' }];
    await env.SHARD_1.prepare('UPDATE batch_failures SET faults = ?').bind(JSON.stringify(errors)).run();
    const [failure] = await failuresOf(service, response);
    expect(failure).toEqual({
      index: 0,
      clientRef: null,
      code: 'INVALID_DATA',
      message: 'A required field is missing or not readable',
      errors,
    });
  });

  it('takes at most 200 bytes besides its clientRef, and 10,000 of them at most 2.5 MB', async () => {
    const service = serviceWith();
    const size = async () => (await env.SHARD_1.prepare('SELECT 1').all()).meta.size_after ?? 0;
    const bad = '\u0001';
    const fields = Object.keys(sentCustomer()).filter((field) => field !== 'clientRef');
    const allInvalid = Object.fromEntries(fields.map((field) => [field, bad]));
    const before = await size();
    // Unordered values, so that the index is not filled from one end.
    const refs = Array.from(
      { length: 10_000 },
      (_, n) => `r${String((n * 7_919) % 10_000).padStart(5, '0')}`,
    );
    const response = await service.postWithIdempotencyKey(
      'allInvalid',
      refs.map((clientRef) => ({ ...allInvalid, clientRef })),
    );
    expect([response.status, response.body.data.summary.failed]).toEqual([400, 10_000]);
    const written = (await size()) - before;
    expect(written).toBeLessThan(2_500_000);
    // The clientRef is stored twice: in the table and in the index that an erasure uses.
    expect((written - 2 * refs.join('').length) / 10_000).toBeLessThan(200);
    const recordLength = await env.SHARD_1.prepare('SELECT length(answer) AS n FROM idempotency_keys').first(
      'n',
    );
    expect(recordLength).toBeLessThan(5_000);
  });
});

describe('the refused rows of a bank in a day', () => {
  it('are limited: a batch that would exceed the limit is refused as a whole until midnight UTC', async () => {
    const service = serviceWith({ MAX_FAILURES_PER_DAY: 5 });
    expect((await service.post(invalidRows(3))).status).toBe(400);
    const refused = await service.post([...invalidRows(3), sentCustomer(1)]);
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
    expect(await failureCounts()).toEqual({ stored: 3, day: '2026-11-25', today: 3, rows: 3 });
    expect(await selectRows('SELECT id FROM batches')).toHaveLength(1);
    expect(service.pendingPointers).toEqual([]);
    // Still accepted: a batch without refused rows, one that just fits, and another bank's.
    expect((await service.post([sentCustomer(1)])).status).toBe(201);
    expect((await service.post(invalidRows(2))).status).toBe(400);
    expect((await service.post(invalidRows(5), API_KEYS.other)).status).toBe(400);
    now = Date.parse(MIDNIGHT);
    expect((await service.post(invalidRows(5))).status).toBe(400);
    expect(await failureCounts()).toEqual({ stored: 10, day: '2026-11-26', today: 5, rows: 10 });
  });

  it('are counted in the accepting transaction, so that batches at the same time cannot exceed the limit', async () => {
    const isolates = [1, 2, 3].map(() => serviceWith({ MAX_FAILURES_PER_DAY: 10 }));
    const responses = await Promise.all(
      isolates.flatMap((isolate, i) => [1, 2, 3].map((n) => isolate.post(invalidRows(4, `i${i}n${n}`)))),
    );
    const recorded = responses.filter(({ status }) => status === 400);
    const refused = responses.filter(({ status }) => status === 429);
    expect({ recorded: recorded.length, refused: refused.length }).toEqual({ recorded: 2, refused: 7 });
    expect(await failureCounts()).toMatchObject({ stored: 8, today: 8, rows: 8 });
  });

  it('never refuse a replay, even if it arrives at the same time as the first request', async () => {
    const service = serviceWith({ MAX_FAILURES_PER_DAY: 3 });
    const first = await service.postWithIdempotencyKey('key-1', invalidRows(3));
    expect((await service.postWithIdempotencyKey('key-2', invalidRows(1))).status).toBe(429);
    const again = await service.postWithIdempotencyKey('key-1', invalidRows(3));
    expect([again.status, textWithoutRequestId(again)]).toEqual([400, textWithoutRequestId(first)]);
    expect(again.headers.get('Idempotent-Replayed')).toBe('true');
    now = Date.parse(MIDNIGHT);
    const isolates = [1, 2, 3].map(() => serviceWith({ MAX_FAILURES_PER_DAY: 3 }));
    const responses = await Promise.all(
      isolates.map((isolate) => isolate.postWithIdempotencyKey('key-3', invalidRows(3))),
    );
    expect(responses.map(({ status }) => status)).toEqual([400, 400, 400]);
    expect(new Set(responses.map(({ body }) => body.data.batchId)).size).toBe(1);
  });

  it('are not counted from zero again by a clock that is behind midnight', async () => {
    const service = serviceWith({ MAX_FAILURES_PER_DAY: 3 });
    now = Date.parse(MIDNIGHT);
    expect((await service.post(invalidRows(2))).status).toBe(400);
    now -= 5;
    expect((await service.post(invalidRows(2))).status).toBe(429);
    expect((await service.post(invalidRows(1))).status).toBe(400);
    expect(await failureCounts()).toMatchObject({ day: '2026-11-26', today: 3 });
  });

  it('include failures found after acceptance, which are stored even beyond the limit', async () => {
    const service = serviceWith({ MAX_FAILURES_PER_DAY: 2 });
    await service.post(sentCustomers(4));
    const late = await service.post([...sentCustomers(4), ...invalidRows(2)]);
    expect(late.status).toBe(201);
    await service.deliverAll();
    expect(await batchOf(service, late)).toMatchObject({
      summary: { failed: 6, duplicates: 4, invalidData: 2 },
    });
    expect(await failuresOf(service, late)).toHaveLength(6);
    expect(await failureCounts()).toMatchObject({ stored: 6, today: 6, rows: 6 });
    expect((await service.post(invalidRows(1))).status).toBe(429);
  });
});

describe('the stored failures of a bank', () => {
  it('are limited: the oldest are removed, and their batch reports how many', async () => {
    const service = serviceWith({ MAX_STORED_FAILURES: 10 });
    const responses: ServiceResponse[] = [];
    for (let n = 0; n < 3; n += 1) {
      now += 1;
      responses.push(await service.post(invalidRows(4, `n${n}`)));
    }
    const [first, second, third] = await Promise.all(responses.map((response) => batchOf(service, response)));
    expect(first).toMatchObject({ failuresRemoved: 2, summary: { failed: 4, invalidData: 4 } });
    expect([second?.failuresRemoved, third?.failuresRemoved]).toEqual([0, 0]);
    const [oldest] = responses;
    if (oldest === undefined) throw new Error('No batch was sent.');
    expect((await failuresOf(service, oldest)).map(({ index }: { index: number }) => index)).toEqual([2, 3]);
    expect(await failureCounts()).toMatchObject({ stored: 10, rows: 10, today: 12 });
  });

  it('are limited for failures found after acceptance too', async () => {
    const service = serviceWith({ MAX_STORED_FAILURES: 3 });
    const early = await service.post(invalidRows(3));
    now += 1;
    await service.post(sentCustomers(2));
    now += 1;
    const late = await service.post(sentCustomers(2));
    await service.deliverAll();
    expect(await failuresOf(service, late)).toHaveLength(2);
    expect((await batchOf(service, early)).failuresRemoved).toBe(2);
    expect(await failureCounts()).toMatchObject({ stored: 3, rows: 3 });
  });

  it('stay when another bank exceeds its limit', async () => {
    const service = serviceWith({ MAX_STORED_FAILURES: 3 });
    const mine = await service.post(invalidRows(3));
    await service.post(invalidRows(9), API_KEYS.other);
    expect(await failuresOf(service, mine)).toHaveLength(3);
  });
});

it('replays an idempotency record that was stored before failures had codes', async () => {
  const service = serviceWith();
  const send = () => service.postWithIdempotencyKey('old', [{}]);
  const first = await send();
  const record = await env.SHARD_1.prepare('SELECT answer FROM idempotency_keys').first<string>('answer');
  const kept = JSON.parse(record ?? '');
  kept.report.failures = first.body.data.failures;
  await env.SHARD_1.prepare('UPDATE idempotency_keys SET answer = ?').bind(JSON.stringify(kept)).run();
  expect(textWithoutRequestId(await send())).toBe(textWithoutRequestId(first));
});
