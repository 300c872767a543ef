import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { redriveBatch } from '../../src/batches/process/redrive.store.ts';
import { RESULTS_KEPT_MS } from '../../src/batches/process/retention.ts';
import { deleteOldBatches } from '../../src/batches/process/retention.store.ts';
import { executeBatch } from '../../src/db/statements.ts';
import { API_KEYS } from '../support/banks.ts';
import { sentCustomer, sentCustomers } from '../support/customers.ts';
import { countRows } from '../support/database.ts';
import { linkTo, textWithoutRequestId } from '../support/responses.ts';
import { Service } from '../support/service.ts';

let now: number;
let service: Service;
beforeEach(() => {
  now = Date.now();
  service = new Service(undefined, { now: () => now });
});

/** Returns the rows of all pages. */
async function readAllPages(url: string): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  for (let page: string | undefined = url; page !== undefined;) {
    const response = await service.get(page);
    expect(response.status).toBe(200);
    rows.push(...response.body.data);
    page = linkTo('next', response);
  }
  return rows;
}

describe('a batch', () => {
  it('reports its progress while chunks are applied, and when it was completed', async () => {
    const rows = [...sentCustomers(600), {}];
    const accepted = await service.post(rows);
    const url = accepted.headers.get('Location') ?? '';
    const read = async () => service.get(url);
    const summary = { total: 601, successful: 600, failed: 1, duplicates: 0, invalidData: 1 };
    const start = await read();
    expect(start.body.data).toEqual({
      batchId: accepted.body.data.batchId,
      status: 'PROCESSING',
      summary,
      progress: { processed: 1, total: 601 },
      failuresRemoved: 0,
      createdAt: new Date(now).toISOString(),
      completedAt: null,
    });
    expect(Number(start.headers.get('Retry-After'))).toBeGreaterThan(0);
    await service.deliverMessages(service.pendingPointers.slice(0, 1));
    expect((await read()).body.data.progress).toEqual({ processed: 501, total: 601 });
    now += 5_000;
    await service.deliverAll();
    const end = await read();
    expect(end.body.data).toMatchObject({
      status: 'COMPLETED_WITH_FAILURES',
      summary,
      progress: { processed: 601, total: 601 },
      completedAt: new Date(now).toISOString(),
    });
    expect(end.headers.get('Retry-After')).toBeNull();
  });

  it('reports rows as failures whose email another batch created first', async () => {
    await service.post([sentCustomer(1)]);
    const { headers } = await service.post([sentCustomer(1), sentCustomer(2)]);
    await service.deliverAll();
    const { body } = await service.get(headers.get('Location') ?? '');
    expect(body.data.summary).toEqual({ total: 2, successful: 1, failed: 1, duplicates: 1, invalidData: 0 });
    const failures = await readAllPages(`${headers.get('Location')}/failures`);
    expect(failures).toMatchObject([{ index: 0, clientRef: 'ref-1', code: 'EXISTING_CUSTOMER' }]);
  });

  it('lists all of its failures in input order, as the response to the upload had them', async () => {
    const rows = Array.from({ length: 130 }, (_, n) =>
      n % 3 === 0 ? sentCustomer(n) : { clientRef: `bad-${n}` },
    );
    const { body, headers } = await service.post(rows);
    const failures = await readAllPages(`${headers.get('Location')}/failures?limit=20`);
    expect(failures.map(({ index }) => index)).toEqual(
      rows.map((_, index) => index).filter((index) => index % 3 !== 0),
    );
    expect(failures.slice(0, 50)).toEqual(body.data.failures);
    expect(body.data.failuresUrl).toBe(`${headers.get('Location')}/failures`);
  });

  it('lists the customers that it created in input order, with their phrases', async () => {
    const [early] = await service.createCustomers([sentCustomer(3)]);
    const rows = [{}, ...sentCustomers(30)];
    const { body, headers } = await service.post(rows);
    await service.createCustomers([sentCustomer(77)]);
    const created = await readAllPages(`${headers.get('Location')}/customers?limit=7`);
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
  it('has the bank’s own batches only, newest first, in pages, and filters by status', async () => {
    const batchIds: string[] = [];
    for (let n = 0; n < 7; n += 1) {
      now += 10;
      batchIds.push((await service.post([sentCustomer(n)])).body.data.batchId);
      if (n % 2 === 0) await service.deliverAll();
      else service.pendingPointers.splice(0);
    }
    await service.post([sentCustomer(1)], API_KEYS.other);
    const ids = (rows: Record<string, unknown>[]) => rows.map(({ batchId }) => batchId);
    expect(ids(await readAllPages('/v1/bank/customers/batches?limit=2'))).toEqual(batchIds.toReversed());
    expect(ids(await readAllPages('/v1/bank/customers/batches?limit=2&status=PROCESSING'))).toEqual([
      batchIds[5],
      batchIds[3],
      batchIds[1],
    ]);
    expect((await service.get('/v1/bank/customers/batches?status=DONE')).status).toBe(400);
  });
});

describe('another bank', () => {
  it.each(['', '/failures', '/customers'])(
    'gets the 404 of an unknown batch from a batch%s',
    async (list) => {
      const { headers } = await service.post([sentCustomer(1), {}]);
      const foreign = await service.get(`${headers.get('Location')}${list}`, API_KEYS.other);
      const unknown = await service.get(`/v1/bank/customers/batches/bat_unknown${list}`, API_KEYS.other);
      expect([foreign.status, foreign.body.code]).toEqual([404, 'BATCH_NOT_FOUND']);
      expect(textWithoutRequestId(foreign)).toBe(textWithoutRequestId(unknown));
      for (const id of ['%00', "'--", 'x'.repeat(2_000)]) {
        const response = await service.get(`/v1/bank/customers/batches/${id}${list}`, API_KEYS.other);
        expect(response.status).toBe(404);
      }
    },
  );
});

it('returns 400 for a cursor of another batch or list', async () => {
  const rows = Array.from({ length: 30 }, () => ({}));
  const one = (await service.post([...rows, sentCustomer(1)])).headers.get('Location');
  const two = (await service.post([...rows, sentCustomer(2)])).headers.get('Location');
  const cursor = new URL(
    linkTo('next', await service.get(`${one}/failures?limit=5`)) ?? '',
    'http://x',
  ).searchParams.get('cursor');
  expect((await service.get(`${one}/failures?cursor=${cursor}`)).status).toBe(200);
  for (const list of [
    `${two}/failures`,
    `${one}/customers`,
    '/v1/bank/customers/batches',
    '/v1/bank/customers',
  ]) {
    expect((await service.get(`${list}?cursor=${cursor}`)).status).toBe(400);
  }
});

describe('a stalled batch', () => {
  it('is sent again by the sweep after a redrive, and completes', async () => {
    const { body, headers } = await service.post(sentCustomers(1_100));
    const [first, ...others] = service.pendingPointers.splice(0);
    await service.deliverMessages(others);
    await service.deliverDeadLetters([first]);
    const status = async () => (await service.get(headers.get('Location') ?? '')).body.data.status;
    expect(await status()).toBe('STALLED');
    const [, redriven] = await executeBatch(env.SHARD_1, redriveBatch(body.data.batchId, now));
    expect(redriven).toEqual([{ id: body.data.batchId }]);
    expect(await status()).toBe('PROCESSING');
    await service.sweep();
    await service.deliverAll();
    expect(await status()).toBe('COMPLETED');
  });
});

describe('the sweep, after 30 days', () => {
  const backlogs = () => service.log.filter(({ event }) => event === 'removal_backlog');

  /** Inserts completed batches and Idempotency-Keys that are 31 days old. */
  async function insertOldRows(batches: number, failuresOfEach: number, keys: number): Promise<void> {
    const numbers = (max: number) =>
      `(WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${max}) SELECT n FROM n)`;
    const day31 = now - RESULTS_KEPT_MS - 86_400_000;
    await env.SHARD_1.batch([
      env.SHARD_1.prepare(
        `INSERT INTO audit_log SELECT 'bnk_lagos', n, 'req_' || n, 'key', 'POST', 'bat_' || n, '[]' FROM ${numbers(batches)}`,
      ),
      env.SHARD_1.prepare(
        `INSERT INTO batches (bank_id, id, status, total, duplicates, invalid, created_at, completed_at)
         SELECT 'bnk_lagos', 'bat_' || n, 'COMPLETED_WITH_FAILURES', ${failuresOfEach}, 0, ${failuresOfEach}, ${day31}, ${day31}
         FROM ${numbers(batches)}`,
      ),
      env.SHARD_1.prepare(
        `INSERT INTO batch_failures (bank_id, batch_id, row_index, client_ref, code, faults)
         SELECT 'bnk_lagos', 'bat_' || batch.n, row.n, NULL, 'I', 'Er'
         FROM ${numbers(batches)} AS batch CROSS JOIN ${numbers(Math.max(failuresOfEach, 1))} AS row
         WHERE ${failuresOfEach} > 0`,
      ),
      env.SHARD_1.prepare(
        `UPDATE tenants SET failure_count = (SELECT count(*) FROM batch_failures WHERE bank_id = tenants.bank_id)`,
      ),
      env.SHARD_1.prepare(
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
  ])('removes %i batches with %i failures each and %i Idempotency-Keys in one run', async (...old) => {
    await insertOldRows(...old);
    await service.sweep();
    expect([
      await countRows('batches'),
      await countRows('batch_failures'),
      await countRows('idempotency_keys'),
    ]).toEqual([0, 0, 0]);
    expect(await env.SHARD_1.prepare(`SELECT sum(failure_count) AS n FROM tenants`).first('n')).toBe(0);
    expect(backlogs()).toEqual([]);
  });

  it('removes in a transaction 10,000 failures and at most one batch more', async () => {
    await insertOldRows(12, 3_000, 0);
    const { batches } = await executeBatch(
      env.SHARD_1,
      deleteOldBatches(now, { batches: 500, failures: 10_000 }),
    );
    expect(batches).toHaveLength(4);
    expect([await countRows('batches'), await countRows('batch_failures')]).toEqual([8, 24_000]);
    expect(await env.SHARD_1.prepare(`SELECT sum(failure_count) AS n FROM tenants`).first('n')).toBe(24_000);
  });

  it('logs what it leaves to the next run when it runs out of time', async () => {
    await insertOldRows(600, 0, 1_200);
    let isSlow = false;
    service = new Service(undefined, {
      // The clock advances ten seconds each time it is read.
      now: () => (isSlow ? (now += 10_000) : now),
    });
    isSlow = true;
    await service.sweep();
    isSlow = false;
    expect(backlogs()).toEqual([
      expect.objectContaining({
        level: 'warn',
        batches: await countRows('batches'),
        keys: await countRows('idempotency_keys'),
      }),
    ]);
    expect(await countRows('batches')).toBeGreaterThan(0);
    await service.sweep();
    expect([await countRows('batches'), await countRows('idempotency_keys')]).toEqual([0, 0]);
    expect(backlogs()).toHaveLength(1);
  });

  it('removes a batch with its failures and chunks, and keeps its customers', async () => {
    for (let n = 0; n < 3; n += 1) await service.post([sentCustomer(n), {}]);
    await service.deliverAll();
    const { headers } = await service.post([sentCustomer(7)]);
    now += RESULTS_KEPT_MS - 1;
    await service.sweep();
    expect(await countRows('batches')).toBe(4);
    now += 1;
    await service.sweep();
    expect(await countRows('batches')).toBe(1);
    expect([await countRows('batch_failures'), await countRows('batch_chunks')]).toEqual([0, 1]);
    expect(await countRows('customers')).toBe(3);
    expect((await service.get(headers.get('Location') ?? '')).body.data.status).toBe('PROCESSING');
  });
});
