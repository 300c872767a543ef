/** Who changed what: written with the change or not at all, never altered, seen by its bank alone. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { ACCRA, KEYS, LAGOS } from '../support/banks.ts';
import { brokenDatabase, d1Error } from '../support/broken.ts';
import { sentCustomer, sentCustomers } from '../support/customers.ts';
import { Service } from '../support/service.ts';

let service: Service;
let ada: { id: string; phrase: string; email: string };

beforeEach(async () => {
  service = new Service();
  [ada = ada] = await service.haveCustomers([sentCustomer(1)]);
});

const changes = async (query = '', key: string = KEYS.full) =>
  (await service.get(`/v1/bank/audit?${query}`, key)).body.data;
const change = (update: object, id = ada.id, by = service) =>
  by.ask('PATCH', '/v1/bank/customer', { body: { id, update } });

it('says who, what, when and in which request, and never a value', async () => {
  const { headers } = await change({ accountName: 'Secret Name', state: 'Secret State' });
  const { body } = await service.get('/v1/bank/customers/batches');
  const [patch, post] = await changes();
  expect(patch).toEqual({
    at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    requestId: headers.get('X-Request-Id'),
    keyId: 'key_lagos_full',
    action: 'PATCH /v1/bank/customer',
    subject: ada.id,
    fields: ['accountName', 'state'],
  });
  expect(post).toMatchObject({
    action: 'POST /v1/bank/customers',
    subject: body.data[0].batchId,
    fields: [],
  });
  const rows = await env.DB.prepare('SELECT * FROM audit_log').all();
  expect(JSON.stringify(rows.results)).not.toMatch(/Secret|adaobi/i);
});

it('holds nothing of requests that changed nothing', async () => {
  const before = await changes();
  await change({ accountName: '' });
  await change({ state: 'x' }, 'cus_nobody');
  await service.ask('POST', '/v1/bank/customers?dryRun=true', { body: { customers: [sentCustomer(5)] } });
  await service.get(`/v1/bank/customer?id=${ada.id}`);
  const keyed = { headers: { 'Idempotency-Key': 'one' }, body: { customers: [sentCustomer(6)] } };
  await service.ask('POST', '/v1/bank/customers', keyed);
  await service.ask('POST', '/v1/bank/customers', keyed);
  expect(await changes()).toHaveLength(before.length + 1);
});

it('is read by cursor in either direction, by subject too, and only by its own bank', async () => {
  for (let n = 0; n < 5; n += 1) await change({ state: `${n}` });
  const all = await changes();
  expect(all).toHaveLength(6);
  const first = await service.get('/v1/bank/audit?limit=4');
  const next = /<([^>]+)>; rel="next"/.exec(first.headers.get('Link') ?? '')?.[1] ?? '';
  const second = await service.get(next);
  expect([...first.body.data, ...second.body.data]).toEqual(all);
  const previous = /<([^>]+)>; rel="prev"/.exec(second.headers.get('Link') ?? '')?.[1] ?? '';
  expect((await service.get(previous)).body.data).toEqual(first.body.data);
  expect(await changes(`subject=${ada.id}`)).toHaveLength(5);
  expect(await changes('', KEYS.other)).toEqual([]);
  expect(await changes(`subject=${ada.id}`, KEYS.other)).toEqual([]);
  expect((await service.get(next, KEYS.other)).status).toBe(400);
});

describe('a change without its row is impossible', () => {
  it.each([
    ['an update', () => change({ state: 'Lagos' })],
    ['an erasure', () => service.ask('DELETE', `/v1/bank/customer?id=${ada.id}`)],
    ['a batch', () => service.post(sentCustomers(1))],
  ])('%s is not made when its row can not be written', async (_, attempt) => {
    const state = async () => {
      const counted = ['customers', 'batches', 'batch_chunks', 'retired_phrases'].map((table) =>
        env.DB.prepare(`SELECT * FROM ${table}`),
      );
      return JSON.stringify((await env.DB.batch(counted)).map(({ results }) => results));
    };
    const before = await state();
    await env.DB.prepare('ALTER TABLE audit_log RENAME TO audit_log_away').run();
    expect((await attempt()).status).toBeGreaterThanOrEqual(500);
    await env.DB.prepare('ALTER TABLE audit_log_away RENAME TO audit_log').run();
    expect(await state()).toBe(before);
  });

  it.each([
    ['update', `UPDATE customers SET state = 'by hand'`],
    ['second update', `UPDATE customers SET state = 'by hand', revision = 'req_that_was_not_made'`],
    ['deletion', 'DELETE FROM customers'],
    [
      'batch',
      `INSERT INTO batches (bank_id, id, status, total, duplicates, invalid, created_at)
       VALUES ('bnk_lagos', 'bat_by_hand', 'PROCESSING', 0, 0, 0, 0)`,
    ],
  ])('a %s by hand is written down as nobody’s', async (_, statement) => {
    await change({ state: 'Lagos' });
    const before = await changes();
    await env.DB.prepare(statement).run();
    const [row, ...rest] = await changes();
    expect([row.keyId, row.action, rest]).toEqual([null, statement.split(' ')[0], before]);
  });
});

it.each([
  [`UPDATE audit_log SET key_id = 'somebody else'`],
  ['DELETE FROM audit_log'],
  [
    `INSERT OR REPLACE INTO audit_log SELECT bank_id, at, request_id, 'x', action, subject, fields FROM audit_log`,
  ],
])('refuses %s', async (statement) => {
  await change({ state: 'Lagos' });
  const before = await changes();
  await env.DB.prepare(statement)
    .run()
    .catch(() => null);
  expect(await changes()).toEqual(before);
});

it('can not be read with any other scope, nor while D1 is away', async () => {
  expect((await service.get('/v1/bank/audit', KEYS.standard)).status).toBe(403);
  const away = new Service(({ DB }) => ({
    DB: brokenDatabase(DB, d1Error('Network connection lost.'), (text) => text.includes('api_keys')),
  }));
  expect((await away.get('/v1/bank/audit')).status).toBe(503);
  expect([LAGOS, ACCRA]).not.toContain(ada.id);
});
