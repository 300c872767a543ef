import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { redriveBatch } from '../../src/batches/process/redrive.store.ts';
import { RESULTS_KEPT_MS } from '../../src/batches/process/retention.ts';
import { deleteOldBatches } from '../../src/batches/process/retention.store.ts';
import { executeBatch } from '../../src/db/statements.ts';
import { API_KEYS } from '../support/banks.ts';
import { sentCustomer, sentCustomers } from '../support/customers.ts';
import { Service, type ServiceResponse } from '../support/service.ts';

let now: number;
let service: Service;
beforeEach(() => {
  now = Date.now();
  service = new Service(undefined, { now: () => now });
});

const next = ({ headers }: ServiceResponse) => /<([^>]+)>; rel="next"/.exec(headers.get('Link') ?? '')?.[1];
async function walk(address: string): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  for (let at: string | undefined = address; at !== undefined;) {
    const answer = await service.get(at);
    expect(answer.status).toBe(200);
    rows.push(...answer.body.data);
    at = next(answer);
  }
  return rows;
}

describe('a batch', () => {
  it('tells how far it is while it moves in, and when it was done', async () => {
    const rows = [...sentCustomers(1_200), {}];
    const accepted = await service.post(rows);
    const address = accepted.headers.get('Location') ?? '';
    const at = async () => service.get(address);
    const summary = { total: 1_201, successful: 1_200, failed: 1, duplicates: 0, invalidData: 1 };
    const start = await at();
    expect(start.body.data).toEqual({
      batchId: accepted.body.data.batchId,
      status: 'PROCESSING',
      summary,
      progress: { processed: 1, total: 1_201 },
      failuresRemoved: 0,
      createdAt: new Date(now).toISOString(),
      completedAt: null,
    });
    expect(Number(start.headers.get('Retry-After'))).toBeGreaterThan(0);
    await service.deliverMessages(service.pendingPointers.slice(0, 1));
    expect((await at()).body.data.progress).toEqual({ processed: 1_001, total: 1_201 });
    now += 5_000;
    await service.deliverAll();
    const end = await at();
    expect(end.body.data).toMatchObject({
      status: 'COMPLETED_WITH_FAILURES',
      summary,
      progress: { processed: 1_201, total: 1_201 },
      completedAt: new Date(now).toISOString(),
    });
    expect(end.headers.get('Retry-After')).toBeNull();
  });

  it('shows its losers of a race as failures', async () => {
    await service.post([sentCustomer(1)]);
    const { headers } = await service.post([sentCustomer(1), sentCustomer(2)]);
    await service.deliverAll();
    const { body } = await service.get(headers.get('Location') ?? '');
    expect(body.data.summary).toEqual({ total: 2, successful: 1, failed: 1, duplicates: 1, invalidData: 0 });
    const failures = await walk(`${headers.get('Location')}/failures`);
    expect(failures).toMatchObject([{ index: 0, clientRef: 'ref-1', code: 'EXISTING_CUSTOMER' }]);
  });

  it('lists all of its failures in input order, however many, as the answer has them', async () => {
    const rows = Array.from({ length: 130 }, (_, n) =>
      n % 3 === 0 ? sentCustomer(n) : { clientRef: `bad-${n}` },
    );
    const { body, headers } = await service.post(rows);
    const failures = await walk(`${headers.get('Location')}/failures?limit=20`);
    expect(failures.map(({ index }) => index)).toEqual(
      rows.map((_, index) => index).filter((index) => index % 3 !== 0),
    );
    expect(failures.slice(0, 50)).toEqual(body.data.failures);
    expect(body.data.failuresUrl).toBe(`${headers.get('Location')}/failures`);
  });

  it('lists the customers that it created, in input order, with their phrases', async () => {
    const [early] = await service.createCustomers([sentCustomer(3)]);
    const rows = [{}, ...sentCustomers(30)];
    const { body, headers } = await service.post(rows);
    await service.createCustomers([sentCustomer(77)]);
    const created = await walk(`${headers.get('Location')}/customers?limit=7`);
    expect(created.map(({ id }) => id)).toEqual(body.data.data.customerIds);
    expect(created.map(({ clientRef }) => clientRef)).toEqual(
      Array.from({ length: 30 }, (_, n) => `ref-${n}`).filter((ref) => ref !== 'ref-3'),
    );
    expect(created[0]).toMatchObject({ index: 1, clientRef: 'ref-0' });
    const { body: found } = await service.get(`/v1/bank/customer?phrase=${String(created[5]?.['phrase'])}`);
    expect(found.data.id).toBe(created[5]?.['id']);
    expect(created.map(({ id }) => id)).not.toContain(early?.id);
  });
});

describe('the list of batches', () => {
  it('is newest first, by status, page by page, of this bank alone', async () => {
    const made: string[] = [];
    for (let n = 0; n < 7; n += 1) {
      now += 10;
      made.push((await service.post([sentCustomer(n)])).body.data.batchId);
      if (n % 2 === 0) await service.deliverAll();
      else service.pendingPointers.splice(0);
    }
    await service.post([sentCustomer(1)], API_KEYS.other);
    const ids = (rows: Record<string, unknown>[]) => rows.map(({ batchId }) => batchId);
    expect(ids(await walk('/v1/bank/customers/batches?limit=2'))).toEqual(made.toReversed());
    expect(ids(await walk('/v1/bank/customers/batches?limit=2&status=PROCESSING'))).toEqual([
      made[5],
      made[3],
      made[1],
    ]);
    expect((await service.get('/v1/bank/customers/batches?status=DONE')).status).toBe(400);
  });
});

describe('another bank, and nobody', () => {
  it.each(['', '/failures', '/customers'])('get the same 404 of a batch%s', async (what) => {
    const { headers } = await service.post([sentCustomer(1), {}]);
    const foreign = await service.get(`${headers.get('Location')}${what}`, API_KEYS.other);
    const nobody = await service.get(`/v1/bank/customers/batches/bat_nobody${what}`, API_KEYS.other);
    expect([foreign.status, foreign.body.code]).toEqual([404, 'BATCH_NOT_FOUND']);
    expect(foreign.text.replace(/req_\w+/, '')).toBe(nobody.text.replace(/req_\w+/, ''));
    for (const id of ['%00', "'--", 'x'.repeat(2_000)]) {
      const answer = await service.get(`/v1/bank/customers/batches/${id}${what}`, API_KEYS.other);
      expect(answer.status).toBe(404);
    }
  });

  it('can not use a cursor of another batch, another list or another bank', async () => {
    const rows = Array.from({ length: 30 }, () => ({}));
    const one = (await service.post([...rows, sentCustomer(1)])).headers.get('Location');
    const two = (await service.post([...rows, sentCustomer(2)])).headers.get('Location');
    const cursor = new URL(
      next(await service.get(`${one}/failures?limit=5`)) ?? '',
      'http://x',
    ).searchParams.get('cursor');
    expect((await service.get(`${one}/failures?cursor=${cursor}`)).status).toBe(200);
    for (const address of [
      `${two}/failures`,
      `${one}/customers`,
      '/v1/bank/customers/batches',
      '/v1/bank/customers',
    ]) {
      expect((await service.get(`${address}?cursor=${cursor}`)).status).toBe(400);
    }
  });
});

describe('a stalled batch', () => {
  it('is brought back by a redrive, and goes in with the next sweep', async () => {
    const { body, headers } = await service.post(sentCustomers(1_100));
    const [first, ...others] = service.pendingPointers.splice(0);
    await service.deliverMessages(others);
    await service.deliverDeadLetters([first]);
    const status = async () => (await service.get(headers.get('Location') ?? '')).body.data.status;
    expect(await status()).toBe('STALLED');
    const [, redriven] = await executeBatch(env.DB, redriveBatch(body.data.batchId, now));
    expect(redriven).toEqual([{ id: body.data.batchId }]);
    expect(await status()).toBe('PROCESSING');
    await service.sweep();
    await service.deliverAll();
    expect(await status()).toBe('COMPLETED');
  });
});

describe('after 30 days', () => {
  const count = async (table: string) => env.DB.prepare(`SELECT count(*) AS n FROM ${table}`).first('n');
  const backlogs = () => service.log.filter(({ event }) => event === 'removal_backlog');

  /** Completed batches and Idempotency-Keys, as many as a test likes, made by the database. */
  async function makeOld(batches: number, failuresOfEach: number, keys: number): Promise<void> {
    const numbers = (most: number) =>
      `(WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${most}) SELECT n FROM n)`;
    const day31 = now - RESULTS_KEPT_MS - 86_400_000;
    await env.DB.batch([
      env.DB.prepare(
        `INSERT INTO audit_log SELECT 'bnk_lagos', n, 'req_' || n, 'key', 'POST', 'bat_' || n, '[]' FROM ${numbers(batches)}`,
      ),
      env.DB.prepare(
        `INSERT INTO batches (bank_id, id, status, total, duplicates, invalid, created_at, completed_at)
         SELECT 'bnk_lagos', 'bat_' || n, 'COMPLETED_WITH_FAILURES', ${failuresOfEach}, 0, ${failuresOfEach}, ${day31}, ${day31}
         FROM ${numbers(batches)}`,
      ),
      env.DB.prepare(
        `INSERT INTO batch_failures (bank_id, batch_id, row_index, client_ref, code, faults)
         SELECT 'bnk_lagos', 'bat_' || batch.n, row.n, NULL, 'I', 'Er'
         FROM ${numbers(batches)} AS batch CROSS JOIN ${numbers(Math.max(failuresOfEach, 1))} AS row
         WHERE ${failuresOfEach} > 0`,
      ),
      env.DB.prepare(
        `UPDATE banks SET failure_count = (SELECT count(*) FROM batch_failures WHERE bank_id = banks.id)`,
      ),
      env.DB.prepare(
        `INSERT INTO idempotency_keys
         SELECT 'bnk_lagos', 'POST', 'key-' || n, 'f', '{}', ${day31} FROM ${numbers(keys)} WHERE ${keys} > 0`,
      ),
    ]);
  }

  it.each([
    [50, 2, 50],
    [1_300, 0, 0],
    [1, 1, 2_500],
    [12, 3_000, 0],
  ])('one sweep leaves nothing of %i batches with %i failures each and %i keys', async (...old) => {
    await makeOld(...old);
    await service.sweep();
    expect([await count('batches'), await count('batch_failures'), await count('idempotency_keys')]).toEqual([
      0, 0, 0,
    ]);
    expect(await env.DB.prepare(`SELECT sum(failure_count) AS n FROM banks`).first('n')).toBe(0);
    expect(backlogs()).toEqual([]);
  });

  it('a transaction of the sweep removes failures of 10,000 rows and of one batch more at the most', async () => {
    await makeOld(12, 3_000, 0);
    const { batches } = await executeBatch(env.DB, deleteOldBatches(now, { batches: 500, failures: 10_000 }));
    expect(batches).toHaveLength(4);
    expect([await count('batches'), await count('batch_failures')]).toEqual([8, 24_000]);
    expect(await env.DB.prepare(`SELECT sum(failure_count) AS n FROM banks`).first('n')).toBe(24_000);
  });

  it('a sweep that runs out of time says what it leaves to the next one', async () => {
    await makeOld(600, 0, 1_200);
    let slow = false;
    service = new Service(undefined, {
      // Each look at the clock is ten seconds later.
      now: () => (slow ? (now += 10_000) : now),
    });
    slow = true;
    await service.sweep();
    slow = false;
    expect(backlogs()).toEqual([
      expect.objectContaining({
        level: 'warn',
        batches: await count('batches'),
        keys: await count('idempotency_keys'),
      }),
    ]);
    expect(await count('batches')).toBeGreaterThan(0);
    await service.sweep();
    expect([await count('batches'), await count('idempotency_keys')]).toEqual([0, 0]);
    expect(backlogs()).toHaveLength(1);
  });

  it('the sweep removes what a batch left, and leaves its customers', async () => {
    for (let n = 0; n < 3; n += 1) await service.post([sentCustomer(n), {}]);
    await service.deliverAll();
    const { headers } = await service.post([sentCustomer(7)]);
    now += RESULTS_KEPT_MS - 1;
    await service.sweep();
    expect(await count('batches')).toBe(4);
    now += 1;
    await service.sweep();
    expect(await count('batches')).toBe(1);
    expect([await count('batch_failures'), await count('batch_chunks')]).toEqual([0, 1]);
    expect(await count('customers')).toBe(3);
    expect((await service.get(headers.get('Location') ?? '')).body.data.status).toBe('PROCESSING');
  });
});
