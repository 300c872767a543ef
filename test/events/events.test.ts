/** The event log: one event for each change, in its transaction, in the order of the commits, for its own bank only. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { API_KEYS, LAGOS } from '../support/banks.ts';
import { dumpTables, selectRows } from '../support/database.ts';
import { faultyDatabase } from '../support/faulty-bindings.ts';
import { sentCustomer, sentCustomers } from '../support/customers.ts';
import { Meter } from '../support/meter.ts';
import { linkTo } from '../support/responses.ts';
import { Service, type KnownCustomer, type ServiceResponse } from '../support/service.ts';

interface Event {
  id: string;
  type: string;
  createdAt: string;
  data: Record<string, unknown>;
}

let service: Service;
let ada: KnownCustomer;

beforeEach(async () => {
  service = new Service();
  ada = await service.createCustomer(sentCustomer(1));
});

const read = (query = '', apiKey: string = API_KEYS.full) => service.get(`/v1/bank/events?${query}`, apiKey);
const eventsOf = async (query = '', apiKey?: string): Promise<Event[]> =>
  (await read(query, apiKey)).body.data;
/** Events after those of `beforeEach`. */
const newEvents = async () => (await eventsOf()).slice(1);

/** Reads on until there are no more events for now, and returns where to go on. */
async function readOn(url: string): Promise<{ events: Event[]; next: string }> {
  const events: Event[] = [];
  for (let next: string | undefined = url; ;) {
    const page: ServiceResponse = await service.get(next);
    events.push(...page.body.data);
    const monitor = linkTo('monitor', page);
    if (monitor !== undefined) return { events, next: monitor };
    next = linkTo('next', page) ?? '';
  }
}

describe('an event', () => {
  it('says that a batch was completed, with its counts', async () => {
    expect(await eventsOf()).toEqual([
      {
        id: `evt_${LAGOS}_1`,
        type: 'batch.completed',
        createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        data: { batchId: ada.batchId, status: 'COMPLETED', total: 1, successful: 1, failed: 0 },
      },
    ]);
  });

  it('comes once for a batch with failures, with its last chunk and not before', async () => {
    const rows = [...sentCustomers(1_001).map((row, n) => ({ ...row, email: `n${n}@x.org` })), {}];
    const { body } = await service.post(rows);
    const pointers = service.pendingPointers.splice(0);
    expect(pointers.length).toBeGreaterThan(2);
    await service.deliverMessages([...pointers.slice(1), ...pointers.slice(1)]);
    expect(await newEvents()).toEqual([]);
    await service.deliverMessages([...pointers, ...pointers]);
    const { batchId } = body.data;
    const data = { batchId, status: 'COMPLETED_WITH_FAILURES', total: 1_002, successful: 1_001, failed: 1 };
    expect(await newEvents()).toMatchObject([{ type: 'batch.completed', data }]);
  });

  it('comes with the acceptance of a batch without an accepted row', async () => {
    const { body } = await service.post([{}, sentCustomer(1)]);
    const data = {
      batchId: body.data.batchId,
      status: 'COMPLETED_WITH_FAILURES',
      total: 2,
      successful: 0,
      failed: 2,
    };
    expect(await newEvents()).toMatchObject([{ type: 'batch.completed', data }]);
  });

  it('says once that a batch is stalled, and again after a redrive that fails', async () => {
    const { body } = await service.post(
      sentCustomers(600).map((row, n) => ({ ...row, email: `n${n}@x.org` })),
    );
    const pointers = service.pendingPointers.splice(0);
    await service.deliverMessages(pointers.slice(1));
    await service.deliverDeadLetters(pointers.slice(0, 1));
    await service.deliverDeadLetters(pointers);
    const { batchId } = body.data;
    const stalled = { type: 'batch.stalled', data: { batchId, total: 600, processed: 100 } };
    expect(await newEvents()).toMatchObject([stalled]);
    await env.SHARD_1.batch([
      env.SHARD_1.prepare(`UPDATE batch_chunks SET next_send_at = 0 WHERE done_at IS NULL`),
      env.SHARD_1.prepare(`UPDATE batches SET status = 'PROCESSING' WHERE status = 'STALLED'`),
    ]);
    await service.deliverDeadLetters(pointers.slice(0, 1));
    await service.deliverMessages(pointers.slice(0, 1));
    expect(await newEvents()).toMatchObject([stalled, stalled, { type: 'batch.completed' }]);
  });

  it('says which fields of a customer were updated, and its new ETag, but no value', async () => {
    const { headers } = await service.updateCustomer(ada.id, { state: 'Ogun', accountName: 'Secret Name' });
    const revision = headers.get('ETag')?.replaceAll('"', '');
    const [event] = await newEvents();
    expect(event).toMatchObject({
      type: 'customer.updated',
      data: { customerId: ada.id, revision, fields: ['accountName', 'state'] },
    });
    expect(await dumpTables('events')).not.toMatch(/Ogun|Secret|adaobi/i);
  });

  it('comes for no update that repeats what is stored, fails, or is run again because its answer was lost', async () => {
    await service.updateCustomer(ada.id, { state: 'Ogun', address: null });
    await service.updateCustomer(ada.id, { state: 'Ogun' });
    await service.updateCustomer(ada.id, { state: 'Ogun', address: null });
    await service.updateCustomer('cus_unknown', { state: 'Kano' });
    await service.request('PATCH', '/v1/bank/customer', {
      headers: { 'If-Match': '"another"' },
      body: { id: ada.id, update: { state: 'Kano' } },
    });
    const losing = new Service(({ SHARD_1 }) => ({ SHARD_1: faultyDatabase(SHARD_1, ['throws after']) }));
    expect((await losing.updateCustomer(ada.id, { state: 'Lagos' })).status).toBe(200);
    const fields = (await newEvents()).map(({ data }) => data['fields']);
    expect(fields).toEqual([['address', 'state'], ['state']]);
  });

  it('says that a customer was erased, once, and also one that is still in process', async () => {
    const { body } = await service.post([sentCustomer(2)]);
    const [staged] = body.data.data.customerIds;
    for (const id of [ada.id, ada.id, staged, staged]) await service.eraseCustomer(id);
    const erased = (customerId: string) => ({ type: 'customer.erased', data: { customerId } });
    expect(await newEvents()).toMatchObject([erased(ada.id), erased(staged)]);
  });

  it.each([
    ['an update', () => service.updateCustomer(ada.id, { state: 'Ogun' })],
    ['an erasure', () => service.eraseCustomer(ada.id)],
    ['a batch', () => service.post([{}])],
  ])('that cannot be written keeps its change from being made: %s', async (_, attempt) => {
    const state = () => dumpTables('customers', 'batches', 'audit_log', 'retired_phrases', 'tenants');
    const before = await state();
    await env.SHARD_1.prepare('ALTER TABLE events RENAME TO events_renamed').run();
    expect((await attempt()).status).toBeGreaterThanOrEqual(500);
    await env.SHARD_1.prepare('ALTER TABLE events_renamed RENAME TO events').run();
    expect(await state()).toBe(before);
  });

  it('costs two rows written, and an update that is none costs none', async () => {
    const meter = new Meter();
    const metered = new Service((bindings) => meter.bindings(bindings));
    const rowsWritten = async (state: string) => {
      await metered.updateCustomer(ada.id, { state });
      const written = meter.rowsWritten;
      meter.reset();
      return written;
    };
    await rowsWritten('Ogun');
    const [repeated, changed] = [await rowsWritten('Ogun'), await rowsWritten('Kano')];
    expect(changed - repeated).toBe(2);
  });

  it('is never older than the one in front of it, whatever the clocks say', async () => {
    const at = (now: number) => new Service(undefined, { now: () => now });
    for (const [now, state] of [
      [3e12, 'a'],
      [1e12, 'b'],
      [2e12, 'c'],
    ] as const)
      await at(now).updateCustomer(ada.id, { state });
    const times = (await newEvents()).map(({ createdAt }) => Date.parse(createdAt));
    expect(times).toEqual([3e12, 3e12, 3e12]);
  });
});

describe('a reader of the log', () => {
  it('who stops and goes on misses nothing and sees nothing twice, while events are written', async () => {
    const seen: Event[] = [];
    let url = '/v1/bank/events?limit=2';
    for (let round = 0; round < 4; round += 1) {
      await Promise.all(
        Array.from({ length: 3 }, (_, n) => service.updateCustomer(ada.id, { state: `${round} ${n}` })),
      );
      const { events, next } = await readOn(url);
      seen.push(...events);
      url = next;
    }
    expect(seen.map(({ id }) => id)).toEqual(Array.from({ length: 13 }, (_, n) => `evt_${LAGOS}_${n + 1}`));
    expect(await eventsOf(`after=${seen[4]?.id}&limit=3`)).toEqual(seen.slice(5, 8));
    expect(await eventsOf()).toEqual(seen);
  });

  it('who wants one type gets all events of it, over any number of others', async () => {
    await service.eraseCustomer(ada.id);
    const inserted = sql(
      `WITH RECURSIVE n (i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
       INSERT INTO events SELECT '${LAGOS}', i, 'batch.stalled', '{"batchId":"b","total":1,"processed":0}', 0 FROM n`,
    );
    await env.SHARD_1.batch([
      inserted,
      sql(`UPDATE tenants SET event_sequence = 2500 WHERE bank_id = '${LAGOS}'`),
    ]);
    await service.createCustomer(sentCustomer(2));
    const meter = new Meter();
    service = new Service((bindings) => meter.bindings(bindings));
    const { events, next } = await readOn('/v1/bank/events?type=batch.completed');
    expect(events.map(({ id }) => id)).toEqual([`evt_${LAGOS}_1`, `evt_${LAGOS}_2501`]);
    expect((await readOn(next)).events).toEqual([]);
    meter.reset();
    await read(`type=customer.erased&after=evt_${LAGOS}_2`);
    expect(meter.rowsRead).toBeLessThanOrEqual(1_004);
  });

  it('who wants only what comes next begins at the end', async () => {
    const { events, next } = await readOn('/v1/bank/events?after=latest');
    expect([events, next]).toEqual([[], `/v1/bank/events?after=evt_${LAGOS}_1`]);
    await service.eraseCustomer(ada.id);
    expect((await readOn(next)).events).toMatchObject([{ type: 'customer.erased' }]);
  });

  it('who is too late is told of the gap and of the oldest event, and who is not reads on', async () => {
    for (const state of ['a', 'b', 'c']) await service.updateCustomer(ada.id, { state });
    await sql('DELETE FROM events WHERE sequence <= 2').run();
    const late = await read(`after=evt_${LAGOS}_1`);
    expect([late.status, late.body.code]).toEqual([410, 'EVENTS_EXPIRED']);
    expect(late.body.errors[0]).toMatchObject({
      field: 'after',
      message: expect.stringContaining(`the oldest is evt_${LAGOS}_3`),
    });
    expect((await eventsOf(`after=evt_${LAGOS}_2`)).map(({ id }) => id)).toEqual([
      `evt_${LAGOS}_3`,
      `evt_${LAGOS}_4`,
    ]);
    await sql('DELETE FROM events').run();
    expect((await read(`after=evt_${LAGOS}_3`)).body.errors[0].message).toContain('none is kept');
    expect((await readOn('/v1/bank/events')).next).toContain(`after=evt_${LAGOS}_4`);
    expect((await read(`after=evt_${LAGOS}_4`)).status).toBe(200);
  });

  it('sees no other bank’s events, and gets the same 400 for their ids and for ids of no event', async () => {
    await service.createCustomer(sentCustomer(1), API_KEYS.other);
    expect(await eventsOf()).toHaveLength(1);
    const { id } = (await eventsOf('', API_KEYS.other))[0] ?? { id: '' };
    const own = `evt_${LAGOS}_`;
    const wrong = [id, `${own}2`, `${own}01`, `${own}1e3`, `${own}-1`, `${own}1.5`, own, 'evt_1', 'bat_1'];
    const answers = await Promise.all(wrong.map((after) => read(`after=${after}`)));
    for (const { status, body } of answers) {
      expect([status, body.errors]).toEqual([400, answers[0]?.body.errors]);
    }
    const cursor = await read('cursor=abc&type=customer.created&limit=1001');
    expect(cursor.body.errors.map(({ field }: { field: string }) => field).toSorted()).toEqual([
      'cursor',
      'limit',
      'type',
    ]);
  });

  it('needs the scope events:read', async () => {
    expect((await read('', API_KEYS.standard)).status).toBe(403);
    expect(await selectRows('SELECT * FROM events')).toHaveLength(1);
  });
});

function sql(text: string): D1PreparedStatement {
  return env.SHARD_1.prepare(text);
}
