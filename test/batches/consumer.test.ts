/** The queue's door: what is acknowledged, what is tried again, and what a chunk becomes in either case. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { consumeBatches } from '../../src/batches/process/consumer.ts';
import { STAGED_FIELDS, type StagedField } from '../../src/batches/staged-customer.ts';
import { RESEND_AFTER_MS } from '../../src/batches/batch-queue.ts';
import { createDeps, createIsolateMemory } from '../../src/deps.ts';
import { systemRuntime } from '../../src/runtime.ts';
import { API_KEYS } from '../support/banks.ts';
import { brokenDatabase, d1Error } from '../support/faulty-bindings.ts';
import { sentCustomer, sentCustomers } from '../support/customers.ts';
import { Service } from '../support/service.ts';

const quiet = { ...systemRuntime, log: () => {} };
let service: Service;
let now: number;

beforeEach(() => {
  now = Date.now();
  service = new Service(undefined, { now: () => now });
});

const all = async <Row>(sql: string) => (await env.DB.prepare(sql).all<Row>()).results;
const count = async (table: string) => (await all<{ n: number }>(`SELECT count(*) AS n FROM ${table}`))[0]?.n;
const batch = async () =>
  (
    await all<Record<string, unknown>>(
      "SELECT status, total, duplicates, invalid, created, raced, rejected, completed_at AS completedAt FROM batches WHERE bank_id = 'bnk_lagos'",
    )
  ).at(-1);

describe('a chunk goes in once', () => {
  it('and its batch is closed, with nothing left of the payload', async () => {
    await service.post(sentCustomers(3));
    const result = await service.deliverAll();
    expect(result.explicitAcks).toHaveLength(1);
    expect(await batch()).toMatchObject({ status: 'COMPLETED', created: 3, completedAt: now });
    expect(await all('SELECT payload, next_send_at FROM batch_chunks')).toEqual([
      { payload: null, next_send_at: null },
    ]);
  });

  it('however often its message comes, however late, and changes nothing after an update', async () => {
    const { body } = await service.post(sentCustomers(3));
    const pointers = [...service.pendingPointers];
    await service.deliverAll();
    const id = body.data.data.customerIds[0];
    await service.request('PATCH', '/v1/bank/customer', { body: { id, update: { state: 'Ogun' } } });
    const before = await all('SELECT * FROM customers');
    now += 3_600_000;
    const result = await service.deliverMessages([...pointers, ...pointers]);
    expect(result.explicitAcks).toHaveLength(2);
    expect(await all('SELECT * FROM customers')).toEqual(before);
    expect((await service.get('/v1/bank/customers')).headers.get('X-Total-Count')).toBe('3');
  });

  it('even when two consumers have it at once', async () => {
    await service.post(sentCustomers(500));
    const pointers = service.pendingPointers.splice(0);
    await Promise.all([
      service.deliverMessages(pointers),
      service.deliverMessages(pointers),
      service.deliverMessages(pointers),
    ]);
    expect(await count('customers')).toBe(500);
    expect(await batch()).toMatchObject({ status: 'COMPLETED', created: 500, raced: 0 });
  });
});

it('of two batches with the same emails each row goes in once, and the loser is told', async () => {
  const first = await service.post(sentCustomers(1_500));
  const second = await service.post(sentCustomers(1_500));
  expect([first.status, second.status]).toEqual([201, 201]);
  const pointers = service.pendingPointers.splice(0);
  await service.deliverMessages([
    ...pointers.filter((_, n) => n % 2 === 0),
    ...pointers.filter((_, n) => n % 2 === 1),
  ]);
  expect(await count('customers')).toBe(1_500);
  const [sums] = await all('SELECT sum(created) AS created, sum(raced) AS raced FROM batches');
  expect(sums).toEqual({ created: 1_500, raced: 1_500 });
  expect(await count('batch_failures')).toBe(1_500);
  const [failure] = await all<Record<string, string>>('SELECT * FROM batch_failures LIMIT 1');
  expect(failure).toMatchObject({ code: 'E', faults: 'Ex', client_ref: expect.stringMatching(/^ref-/) });
  expect((await service.get('/v1/bank/customers')).headers.get('X-Total-Count')).toBe('1500');
});

it('a batch of some chunks is under way until the last of them is in', async () => {
  await service.post([...sentCustomers(1_500), {}]);
  await service.deliverMessages(service.pendingPointers.slice(1));
  expect(await batch()).toMatchObject({ status: 'PROCESSING', created: 500, completedAt: null });
  await service.deliverMessages(service.pendingPointers.slice(0, 1));
  expect(await batch()).toMatchObject({ status: 'COMPLETED_WITH_FAILURES', created: 1_500, invalid: 1 });
});

describe('a message', () => {
  it.each([
    ['no object', 'text'],
    ['no chunk', { bankId: 'bnk_lagos', batchId: 'bat_x' }],
    ['more than a pointer', { bankId: 'bnk_lagos', batchId: 'bat_x', chunk: 0, email: 'x@y.z' }],
    ['an unknown chunk', { bankId: 'bnk_lagos', batchId: 'bat_x', chunk: 0 }],
  ])('of %s is acknowledged, and changes nothing', async (_, body) => {
    const result = await service.deliverMessages([body]);
    expect([result.explicitAcks, result.retryMessages]).toEqual([['message-0'], []]);
  });

  it('that names another bank’s batch moves nothing of it', async () => {
    await service.post(sentCustomers(2));
    await service.deliverMessages(
      service.pendingPointers.map((pointer) => ({ ...pointer, bankId: 'bnk_accra' })),
    );
    expect(await count('customers')).toBe(0);
  });

  it('whose work fails is tried again alone, later each time, and nothing of its chunk is there', async () => {
    await service.post(sentCustomers(2_500));
    const pointers = service.pendingPointers.splice(0);
    let calls = 0;
    const overloaded = new Service(({ DB }) => ({
      DB: {
        prepare: (sql: string) => DB.prepare(sql),
        batch: (statements: D1PreparedStatement[]) => {
          calls += 1;
          return calls === 2
            ? Promise.reject(d1Error('D1 DB is overloaded. Requests queued for too long.'))
            : DB.batch(statements);
        },
      } as unknown as D1Database,
    }));
    const result = await overloaded.deliverMessages(pointers);
    expect(result.explicitAcks).toEqual(['message-0', 'message-2']);
    expect(result.retryMessages).toEqual([{ msgId: 'message-1' }]);
    expect(await count('customers')).toBe(1_500);
    await service.deliverMessages(pointers);
    expect(await count('customers')).toBe(2_500);
  });

  it('that keeps failing waits longer each time, five minutes at most', async () => {
    const away = new Service(({ DB }) => ({
      DB: brokenDatabase(DB, d1Error('D1 DB is overloaded. Requests queued for too long.'), () => false),
    }));
    const context = { waitUntil: () => {} };
    const deps = createDeps(away.env, context, systemRuntime, createIsolateMemory());
    const delays: unknown[] = [];
    for (const attempts of [1, 2, 3, 6, 40]) {
      const body = { bankId: 'bnk_lagos', batchId: 'bat_x', chunk: 0 };
      const retry = (options?: QueueRetryOptions) => delays.push(options?.delaySeconds);
      const ack = () => delays.push('acknowledged');
      await consumeBatches({ ...deps, runtime: quiet }, [{ body, attempts, ack, retry }]);
    }
    expect(delays).toEqual([10, 20, 40, 300, 300]);
  });
});

describe('rows that the database refuses', () => {
  const poison = (index: number, field: StagedField, value: string) =>
    env.DB.prepare(
      `UPDATE batch_chunks SET payload = json_set(payload, '$[${index}][${STAGED_FIELDS.indexOf(field)}]', ?)`,
    )
      .bind(value)
      .run();

  it('one that breaks a constraint is reported alone; the other 999 are customers', async () => {
    await service.post(sentCustomers(1_000));
    await poison(617, 'country', 'Nigeria');
    const result = await service.deliverAll();
    expect(result.explicitAcks).toHaveLength(1);
    expect(await count('customers')).toBe(999);
    expect(await batch()).toMatchObject({ status: 'COMPLETED_WITH_FAILURES', created: 999, rejected: 1 });
    const failures = await all<Record<string, unknown>>('SELECT * FROM batch_failures');
    expect(failures).toMatchObject([{ row_index: 617, client_ref: 'ref-617', code: 'V', faults: 'Xs' }]);
    expect((await service.get('/v1/bank/customers')).headers.get('X-Total-Count')).toBe('999');
  });

  it('two of them in one chunk are both found', async () => {
    await service.post(sentCustomers(10));
    await poison(3, 'country', 'X');
    await poison(4, 'gender', 'x');
    await service.deliverAll();
    expect(await batch()).toMatchObject({ created: 8, rejected: 2 });
  });

  it('a phrase that is taken is drawn again, and its customer created', async () => {
    const [taken] = await service.createCustomers([sentCustomer(0)], API_KEYS.other);
    await service.post(sentCustomers(50));
    await poison(7, 'phrase', taken?.phrase ?? '');
    await poison(8, 'phrase', taken?.phrase ?? '');
    await service.deliverAll();
    expect(await batch()).toMatchObject({ status: 'COMPLETED', created: 50 });
    const owners = await all(`SELECT bank_id AS bank FROM customers WHERE phrase = '${taken?.phrase}'`);
    expect(owners).toEqual([{ bank: 'bnk_accra' }]);
    const stored = await all<{ id: string; phrase: string }>(
      `SELECT id, phrase FROM customers WHERE bank_id = 'bnk_lagos'`,
    );
    expect(new Set(stored.map(({ phrase }) => phrase)).size).toBe(50);
  });
});

describe('dead letters', () => {
  it('mark the batch STALLED, keep its payload, and ring once', async () => {
    await service.post(sentCustomers(2));
    const result = await service.deliverDeadLetters(service.pendingPointers);
    expect(result.explicitAcks).toHaveLength(1);
    expect(await batch()).toMatchObject({ status: 'STALLED', created: 0 });
    expect(await count('batch_chunks WHERE payload IS NOT NULL')).toBe(1);
    expect(service.log).toContainEqual(expect.objectContaining({ level: 'error', event: 'batch_stalled' }));
    now += 10 * RESEND_AFTER_MS;
    const before = service.pendingPointers.length;
    await service.sweep();
    expect(service.pendingPointers).toHaveLength(before);
  });

  it('are healed by a late delivery', async () => {
    await service.post(sentCustomers(2));
    await service.deliverDeadLetters(service.pendingPointers);
    await service.deliverAll();
    expect(await batch()).toMatchObject({ status: 'COMPLETED', created: 2 });
  });

  it('of a chunk that is in do not touch its batch, and do not ring', async () => {
    await service.post(sentCustomers(2));
    const pointers = [...service.pendingPointers];
    await service.deliverAll();
    await service.deliverDeadLetters(pointers);
    expect(await batch()).toMatchObject({ status: 'COMPLETED' });
    expect(service.log.filter(({ event }) => event === 'batch_stalled')).toEqual([]);
  });
});

describe('the sweep', () => {
  it('sends again what the queue lost, once a minute, and nothing that is in', async () => {
    await service.post(sentCustomers(1_500));
    const lost = service.pendingPointers.splice(0);
    await service.sweep();
    expect(service.pendingPointers).toEqual([]);
    now += RESEND_AFTER_MS;
    await Promise.all([service.sweep(), service.sweep()]);
    expect(service.pendingPointers).toHaveLength(lost.length);
    expect(new Set(service.pendingPointers.map(({ chunk }) => chunk))).toEqual(new Set([0, 1]));
    await service.sweep();
    expect(service.pendingPointers).toHaveLength(lost.length);
    await service.deliverAll();
    now += RESEND_AFTER_MS;
    await service.sweep();
    expect(service.pendingPointers).toEqual([]);
    expect(await batch()).toMatchObject({ status: 'COMPLETED' });
  });

  it('that can not send tries again the next time', async () => {
    await service.post(sentCustomers(1));
    service.pendingPointers.splice(0);
    now += RESEND_AFTER_MS;
    const cut = new Service(
      () => ({
        BATCH_QUEUE: {
          sendBatch: () => Promise.reject(new Error('away')),
        } as unknown as Service['env']['BATCH_QUEUE'],
      }),
      { now: () => now },
    );
    await expect(cut.sweep()).rejects.toThrow('away');
    now += RESEND_AFTER_MS;
    await service.sweep();
    expect(service.pendingPointers).toHaveLength(1);
  });
});
