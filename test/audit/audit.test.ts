/** Who changed what: written with the change or not at all, never altered, seen by its bank alone. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { ACCRA, API_KEYS, LAGOS } from '../support/banks.ts';
import { brokenDatabase, d1Error } from '../support/faulty-bindings.ts';
import { sentCustomer, sentCustomers } from '../support/customers.ts';
import { Service } from '../support/service.ts';

let service: Service;
let ada: { id: string; phrase: string; email: string };

beforeEach(async () => {
  service = new Service();
  ada = await service.createCustomer(sentCustomer(1));
});

const changes = async (query = '', key: string = API_KEYS.full) =>
  (await service.get(`/v1/bank/audit?${query}`, key)).body.data;
const change = (update: object, id = ada.id, by = service) =>
  by.request('PATCH', '/v1/bank/customer', { body: { id, update } });

it('says who, what, when and in which request, and never a value', async () => {
  const { headers } = await change({ accountName: 'Secret Name', state: 'Secret State' });
  const { body } = await service.get('/v1/bank/customers/batches');
  const [patch, post] = await changes();
  expect(patch).toEqual({
    at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    requestId: headers.get('X-Request-Id'),
    keyId: 'key_lagos_full',
    action: 'customer.updated',
    subject: ada.id,
    fields: ['accountName', 'state'],
  });
  expect(post).toMatchObject({
    action: 'batch.accepted',
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
  await service.request('POST', '/v1/bank/customers?dryRun=true', { body: { customers: [sentCustomer(5)] } });
  await service.get(`/v1/bank/customer?id=${ada.id}`);
  const keyed = { headers: { 'Idempotency-Key': 'one' }, body: { customers: [sentCustomer(6)] } };
  await service.request('POST', '/v1/bank/customers', keyed);
  await service.request('POST', '/v1/bank/customers', keyed);
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
  expect(await changes('', API_KEYS.other)).toEqual([]);
  expect(await changes(`subject=${ada.id}`, API_KEYS.other)).toEqual([]);
  expect((await service.get(next, API_KEYS.other)).status).toBe(400);
});

describe('a change without its row is impossible', () => {
  it.each([
    ['an update', () => change({ state: 'Lagos' })],
    ['an erasure', () => service.request('DELETE', `/v1/bank/customer?id=${ada.id}`)],
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
    ['an update', `UPDATE customers SET state = 'by hand'`],
    ['a second update', `UPDATE customers SET state = 'by hand', revision = 'req_that_was_not_made'`],
    [
      'an update under the revision of an earlier change',
      `UPDATE customers SET state = 'by hand', revision = (SELECT request_id FROM audit_log
         WHERE subject = customers.id ORDER BY at LIMIT 1)`,
    ],
    ['an update under the same revision', `UPDATE customers SET state = 'by hand', revision = revision`],
    ['a deletion', 'DELETE FROM customers'],
    [
      'a batch',
      `INSERT INTO batches (bank_id, id, status, total, duplicates, invalid, created_at)
       VALUES ('bnk_lagos', 'bat_by_hand', 'PROCESSING', 0, 0, 0, 0)`,
    ],
  ])('%s by hand is written down as nobody’s', async (_, statement) => {
    await change({ state: 'Lagos' });
    await change({ state: 'Ogun' });
    const before = await changes();
    await env.DB.prepare(statement).run();
    const [row, ...rest] = await changes();
    expect([row.keyId, row.action, rest]).toEqual([null, statement.split(' ')[0], before]);
  });
});

it('an update by hand is written down, though it names the row of an earlier one by hand, or none', async () => {
  const newest = '(SELECT request_id FROM audit_log WHERE subject = customers.id ORDER BY at DESC LIMIT 1)';
  await change({ state: 'Lagos' });
  const before = (await changes()).length;
  const revisions = [`'by hand'`, newest, newest, 'NULL', newest, 'NULL'];
  for (const [index, revision] of revisions.entries()) {
    await env.DB.prepare(`UPDATE customers SET state = 'by hand ${index}', revision = ${revision}`).run();
    const rows = await changes();
    expect([rows.length, rows[0].keyId, rows[0].action]).toEqual([before + index + 1, null, 'UPDATE']);
  }
  await change({ state: 'Ogun' });
  expect((await changes())[0]).toMatchObject({ keyId: 'key_lagos_full', action: 'customer.updated' });
});

describe('REPLACE, which no DELETE trigger sees, removes no customer and no batch:', () => {
  const [id = '', email = '', phrase = ''] = ['id', 'email', 'phrase'].map(
    (column) => `(SELECT ${column} FROM customers WHERE email LIKE 'adaobi.1@%')`,
  );
  /** Another person who has something of Ada's: in SQL, by column. */
  const insert = (verb: string, taken: Partial<Record<'bank_id' | 'id' | 'email' | 'phrase', string>>) => {
    const own = { bank_id: `'bnk_lagos'`, id: `'cus_x'`, email: `'x@x.org'`, phrase: `'new-new-new-new'` };
    return `${verb} INTO customers (bank_id, id, email, phrase, account_name, firstname, lastname, country,
        account_number, reference, client_ref, batch_index, created_at)
      SELECT ${Object.values({ ...own, ...taken }).join()}, 'Somebody Else', 'a', 'b', 'NG', 'c', 'd', 'e', 0, 0
      WHERE true`;
  };

  it.each([
    ['INSERT OR REPLACE with her id', insert('INSERT OR REPLACE', { id })],
    ['INSERT OR REPLACE with her email', insert('INSERT OR REPLACE', { email })],
    ['INSERT OR REPLACE with her phrase', insert('INSERT OR REPLACE', { phrase })],
    ['REPLACE with her phrase, at another bank', insert('REPLACE', { phrase, bank_id: `'bnk_accra'` })],
    ['REPLACE with all of hers', insert('REPLACE', { id, email, phrase })],
    [
      'an upsert with her email',
      `${insert('INSERT', { email })} ON CONFLICT DO UPDATE SET account_name = excluded.account_name`,
    ],
    ['UPDATE OR REPLACE of the id', `UPDATE OR REPLACE customers SET id = ${id}`],
    ['UPDATE OR REPLACE of the email', `UPDATE OR REPLACE customers SET email = ${email}`],
    ['UPDATE OR REPLACE of the phrase', `UPDATE OR REPLACE customers SET phrase = ${phrase}`],
    [
      'INSERT OR REPLACE of a batch',
      `INSERT OR REPLACE INTO batches (bank_id, id, status, total, duplicates, invalid, created_at)
       SELECT bank_id, id, 'PROCESSING', 0, 0, 0, 0 FROM batches`,
    ],
    [
      'UPDATE OR REPLACE of a batch',
      `UPDATE OR REPLACE batches SET bank_id = 'bnk_lagos', id = (SELECT max(id) FROM batches)`,
    ],
  ])('%s changes nothing', async (_, statement) => {
    await service.createCustomers([sentCustomer(2)]);
    await service.createCustomers([sentCustomer(3)], API_KEYS.other);
    const state = async () =>
      JSON.stringify(
        (
          await env.DB.batch(
            ['customers', 'batches', 'audit_log'].map((table) => env.DB.prepare(`SELECT * FROM ${table}`)),
          )
        ).map(({ results }) => results),
      );
    const before = await state();
    await env.DB.prepare(statement)
      .run()
      .catch(() => null);
    expect(await state()).toBe(before);
  });
});

describe('rows about one customer', () => {
  it('rise in the order of the changes, whatever the clocks say', async () => {
    const at = (now: number) => new Service(undefined, { now: () => now });
    for (const [now, state] of [
      [3_000, 'first'],
      [1_000, 'second'],
      [2_000, 'third'],
    ] as const)
      await change({ [state === 'second' ? 'address' : 'state']: state }, ada.id, at(now));
    const rows = await changes(`subject=${ada.id}`);
    expect(rows.map(({ fields }: { fields: string[] }) => fields)).toEqual([
      ['state'],
      ['address'],
      ['state'],
    ]);
    expect(rows.map(({ keyId }: { keyId: string }) => keyId)).not.toContain(null);
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
  expect((await service.get('/v1/bank/audit', API_KEYS.standard)).status).toBe(403);
  const away = new Service(({ DB }) => ({
    DB: brokenDatabase(DB, d1Error('Network connection lost.'), (text) => text.includes('api_keys')),
  }));
  expect((await away.get('/v1/bank/audit')).status).toBe(503);
  expect([LAGOS, ACCRA]).not.toContain(ada.id);
});
