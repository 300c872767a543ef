/** The consumer and the sweep: which messages are acknowledged or retried, and what becomes of their chunks. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { consumeBatches } from '../../src/batches/process/consumer.ts';
import { STAGED_FIELDS, type StagedField } from '../../src/batches/staged-customer.ts';
import { RESEND_AFTER_MS } from '../../src/batches/batch-queue.ts';
import { createDeps, createIsolateMemory } from '../../src/deps.ts';
import { systemRuntime } from '../../src/runtime.ts';
import { API_KEYS } from '../support/banks.ts';
import { brokenDatabase, brokenQueue, d1Error } from '../support/faulty-bindings.ts';
import { sentCustomer, sentCustomers } from '../support/customers.ts';
import { countRows, selectRows } from '../support/database.ts';
import { HOME } from '../support/banks.ts';
import { Service } from '../support/service.ts';

const silentRuntime = { ...systemRuntime, log: () => {} };
let service: Service;
let now: number;

beforeEach(() => {
  now = Date.now();
  service = new Service(undefined, { now: () => now });
});

/** Returns the newest batch of Lagos. */
const selectLatestBatch = async () =>
  (
    await selectRows(
      "SELECT status, total, duplicates, invalid, created, raced, rejected, completed_at AS completedAt FROM batches WHERE bank_id = 'bnk_lagos'",
    )
  ).at(-1);

describe('a chunk', () => {
  it('completes its batch once applied, and loses its payload', async () => {
    await service.post(sentCustomers(3));
    const result = await service.deliverAll();
    expect(result.explicitAcks).toHaveLength(1);
    expect(await selectLatestBatch()).toMatchObject({ status: 'COMPLETED', created: 3, completedAt: now });
    expect(await selectRows('SELECT payload, next_send_at FROM batch_chunks')).toEqual([
      { payload: null, next_send_at: null },
    ]);
  });

  it('is applied once, however often and late its message comes, and never undoes an update', async () => {
    const { body } = await service.post(sentCustomers(3));
    const pointers = [...service.pendingPointers];
    await service.deliverAll();
    const id = body.data.data.customerIds[0];
    await service.request('PATCH', '/v1/bank/customer', { body: { id, update: { state: 'Ogun' } } });
    const before = await selectRows('SELECT * FROM customers');
    now += 3_600_000;
    const result = await service.deliverMessages([...pointers, ...pointers]);
    expect(result.explicitAcks).toHaveLength(2);
    expect(await selectRows('SELECT * FROM customers')).toEqual(before);
    expect((await service.get('/v1/bank/customers')).headers.get('X-Total-Count')).toBe('3');
  });

  it('is applied once although several consumers have it at once', async () => {
    await service.post(sentCustomers(500));
    const pointers = service.pendingPointers.splice(0);
    await Promise.all([
      service.deliverMessages(pointers),
      service.deliverMessages(pointers),
      service.deliverMessages(pointers),
    ]);
    expect(await countRows('customers')).toBe(500);
    expect(await selectLatestBatch()).toMatchObject({ status: 'COMPLETED', created: 500, raced: 0 });
  });
});

it('creates each email of two batches once, and reports the other row as a failure', async () => {
  const first = await service.post(sentCustomers(750));
  const second = await service.post(sentCustomers(750));
  expect([first.status, second.status]).toEqual([201, 201]);
  const pointers = service.pendingPointers.splice(0);
  await service.deliverMessages([
    ...pointers.filter((_, n) => n % 2 === 0),
    ...pointers.filter((_, n) => n % 2 === 1),
  ]);
  expect(await countRows('customers')).toBe(750);
  const [sums] = await selectRows('SELECT sum(created) AS created, sum(raced) AS raced FROM batches');
  expect(sums).toEqual({ created: 750, raced: 750 });
  expect(await countRows('batch_failures')).toBe(750);
  const [failure] = await selectRows<Record<string, string>>('SELECT * FROM batch_failures LIMIT 1');
  expect(failure).toMatchObject({ code: 'E', faults: 'Ex', client_ref: expect.stringMatching(/^ref-/) });
  expect((await service.get('/v1/bank/customers')).headers.get('X-Total-Count')).toBe('750');
});

it('keeps a batch PROCESSING until its last chunk is applied', async () => {
  await service.post([...sentCustomers(750), {}]);
  await service.deliverMessages(service.pendingPointers.slice(1));
  expect(await selectLatestBatch()).toMatchObject({ status: 'PROCESSING', created: 250, completedAt: null });
  await service.deliverMessages(service.pendingPointers.slice(0, 1));
  expect(await selectLatestBatch()).toMatchObject({
    status: 'COMPLETED_WITH_FAILURES',
    created: 750,
    invalid: 1,
  });
});

describe('a message', () => {
  it.each([
    ['text', 'text'],
    ['a pointer without a chunk', { bankId: 'bnk_lagos', batchId: 'bat_x' }],
    [
      'a pointer with another property',
      { bankId: 'bnk_lagos', batchId: 'bat_x', chunk: 0, ...HOME, email: 'x@y.z' },
    ],
    ['a pointer to an unknown chunk', { bankId: 'bnk_lagos', batchId: 'bat_x', chunk: 0, ...HOME }],
  ])('with %s is acknowledged and changes nothing', async (_, body) => {
    const result = await service.deliverMessages([body]);
    expect([result.explicitAcks, result.retryMessages]).toEqual([['message-0'], []]);
  });

  it('with another bank’s batch applies none of its chunks', async () => {
    await service.post(sentCustomers(2));
    await service.deliverMessages(
      service.pendingPointers.map((pointer) => ({ ...pointer, bankId: 'bnk_accra' })),
    );
    expect(await countRows('customers')).toBe(0);
  });

  it('whose chunk cannot be applied is retried alone, and leaves nothing of the chunk', async () => {
    await service.post(sentCustomers(1_250));
    const pointers = service.pendingPointers.splice(0);
    let calls = 0;
    const overloaded = new Service(({ SHARD_1 }) => ({
      SHARD_1: {
        prepare: (sql: string) => SHARD_1.prepare(sql),
        batch: (statements: D1PreparedStatement[]) => {
          calls += 1;
          return calls === 2
            ? Promise.reject(d1Error('D1 SHARD_1 is overloaded. Requests queued for too long.'))
            : SHARD_1.batch(statements);
        },
      } as unknown as D1Database,
    }));
    const result = await overloaded.deliverMessages(pointers);
    expect(result.explicitAcks).toEqual(['message-0', 'message-2']);
    expect(result.retryMessages).toEqual([{ msgId: 'message-1' }]);
    expect(await countRows('customers')).toBe(750);
    await service.deliverMessages(pointers);
    expect(await countRows('customers')).toBe(1_250);
  });

  it('that keeps failing is retried later each time, after at most five minutes', async () => {
    const overloaded = new Service(({ SHARD_1 }) => ({
      SHARD_1: brokenDatabase(SHARD_1, d1Error('D1 SHARD_1 is overloaded. Requests queued for too long.')),
    }));
    const context = { waitUntil: () => {} };
    const deps = createDeps(overloaded.env, context, systemRuntime, createIsolateMemory());
    const delays: unknown[] = [];
    for (const attempts of [1, 2, 3, 6, 40]) {
      const body = { bankId: 'bnk_lagos', batchId: 'bat_x', chunk: 0, ...HOME };
      const retry = (options?: QueueRetryOptions) => delays.push(options?.delaySeconds);
      const ack = () => delays.push('acknowledged');
      await consumeBatches({ ...deps, runtime: silentRuntime }, [{ body, attempts, ack, retry }]);
    }
    expect(delays).toEqual([10, 20, 40, 300, 300]);
  });
});

describe('a staged row that the database rejects', () => {
  const setStagedField = (index: number, field: StagedField, value: string) =>
    env.SHARD_1.prepare(
      `UPDATE batch_chunks SET payload = json_set(payload, '$[${index}][${STAGED_FIELDS.indexOf(field)}]', ?)`,
    )
      .bind(value)
      .run();

  it('is reported alone, and the other 499 of its chunk become customers', async () => {
    await service.post(sentCustomers(500));
    await setStagedField(317, 'country', 'Nigeria');
    const result = await service.deliverAll();
    expect(result.explicitAcks).toHaveLength(1);
    expect(await countRows('customers')).toBe(499);
    expect(await selectLatestBatch()).toMatchObject({
      status: 'COMPLETED_WITH_FAILURES',
      created: 499,
      rejected: 1,
    });
    const failures = await selectRows('SELECT * FROM batch_failures');
    expect(failures).toMatchObject([{ row_index: 317, client_ref: 'ref-317', code: 'V', faults: 'Xs' }]);
    expect((await service.get('/v1/bank/customers')).headers.get('X-Total-Count')).toBe('499');
  });

  it('is reported next to another one in its chunk', async () => {
    await service.post(sentCustomers(10));
    await setStagedField(3, 'country', 'X');
    await setStagedField(4, 'gender', 'x');
    await service.deliverAll();
    expect(await selectLatestBatch()).toMatchObject({ created: 8, rejected: 2 });
  });

  it('gets another phrase if its phrase is taken, and becomes a customer', async () => {
    const [taken] = await service.createCustomers([sentCustomer(0)], API_KEYS.other);
    await service.post(sentCustomers(50));
    await setStagedField(7, 'phrase', taken?.phrase ?? '');
    await setStagedField(8, 'phrase', taken?.phrase ?? '');
    await service.deliverAll();
    expect(await selectLatestBatch()).toMatchObject({ status: 'COMPLETED', created: 50 });
    const owners = await selectRows(
      `SELECT bank_id AS bank FROM customers WHERE phrase = '${taken?.phrase}'`,
    );
    expect(owners).toEqual([{ bank: 'bnk_accra' }]);
    const stored = await selectRows<{ id: string; phrase: string }>(
      `SELECT id, phrase FROM customers WHERE bank_id = 'bnk_lagos'`,
    );
    expect(new Set(stored.map(({ phrase }) => phrase)).size).toBe(50);
  });
});

describe('a dead letter', () => {
  it('marks the batch STALLED, keeps the payload, and logs one error', async () => {
    await service.post(sentCustomers(2));
    const result = await service.deliverDeadLetters(service.pendingPointers);
    expect(result.explicitAcks).toHaveLength(1);
    expect(await selectLatestBatch()).toMatchObject({ status: 'STALLED', created: 0 });
    expect(await countRows('batch_chunks', 'payload IS NOT NULL')).toBe(1);
    expect(service.log).toContainEqual(expect.objectContaining({ level: 'error', event: 'batch_stalled' }));
    now += 10 * RESEND_AFTER_MS;
    const before = service.pendingPointers.length;
    await service.sweep();
    expect(service.pendingPointers).toHaveLength(before);
  });

  it('does not keep a late delivery from completing the batch', async () => {
    await service.post(sentCustomers(2));
    await service.deliverDeadLetters(service.pendingPointers);
    await service.deliverAll();
    expect(await selectLatestBatch()).toMatchObject({ status: 'COMPLETED', created: 2 });
  });

  it('of an applied chunk changes nothing and logs no error', async () => {
    await service.post(sentCustomers(2));
    const pointers = [...service.pendingPointers];
    await service.deliverAll();
    await service.deliverDeadLetters(pointers);
    expect(await selectLatestBatch()).toMatchObject({ status: 'COMPLETED' });
    expect(service.log.filter(({ event }) => event === 'batch_stalled')).toEqual([]);
  });
});

describe('the sweep', () => {
  it('resends lost pointers once a minute, and none of applied chunks', async () => {
    await service.post(sentCustomers(750));
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
    expect(await selectLatestBatch()).toMatchObject({ status: 'COMPLETED' });
  });

  it('sends with its next run what it could not send', async () => {
    await service.post(sentCustomers(1));
    service.pendingPointers.splice(0);
    now += RESEND_AFTER_MS;
    const withoutQueue = new Service(() => ({ BATCH_QUEUE: brokenQueue('queue unavailable') }), {
      now: () => now,
    });
    await expect(withoutQueue.sweep()).rejects.toThrow('queue unavailable');
    now += RESEND_AFTER_MS;
    await service.sweep();
    expect(service.pendingPointers).toHaveLength(1);
  });
});

describe('between two chunks', () => {
  /** @param tookMs how long each pause takes */
  async function countPauses(chunks: number, tookMs: number): Promise<number> {
    let [time, pauses] = [0, 0];
    const sleep = () => {
      pauses += 1;
      time += tookMs;
      return Promise.resolve();
    };
    const consumer = new Service(undefined, { now: () => time, sleep });
    await consumer.deliverMessages(
      Array.from({ length: chunks }, (_, chunk) => ({
        bankId: 'bnk_lagos',
        batchId: 'bat_x',
        chunk,
        ...HOME,
      })),
    );
    return pauses;
  }

  it('the consumer pauses, so that other requests get their turn', async () => {
    expect(await countPauses(3, 1)).toBe(3);
  });

  it('the consumer pauses again while others use its pauses, but not forever', async () => {
    expect(await countPauses(3, 50)).toBe(30);
  });
});
