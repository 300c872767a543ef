/** The audit log: written in the transaction of the change, never altered, visible to its own bank only. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { ACCRA, API_KEYS, LAGOS } from '../support/banks.ts';
import { dumpTables } from '../support/database.ts';
import { brokenDatabase, connectionLost } from '../support/faulty-bindings.ts';
import { sentCustomer, sentCustomers } from '../support/customers.ts';
import { linkTo } from '../support/responses.ts';
import { Service, type KnownCustomer } from '../support/service.ts';

let service: Service;
let ada: KnownCustomer;

beforeEach(async () => {
  service = new Service();
  ada = await service.createCustomer(sentCustomer(1));
});

const readLog = async (query = '', apiKey: string = API_KEYS.full) =>
  (await service.get(`/v1/bank/audit?${query}`, apiKey)).body.data;
const update = (fields: object, id = ada.id) => service.updateCustomer(id, fields);

it('records who changed which fields, when and in which request, and never a value', async () => {
  const { headers } = await update({ accountName: 'Secret Name', state: 'Secret State' });
  const { body } = await service.get('/v1/bank/customers/batches');
  const [patch, post] = await readLog();
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
  const rows = await env.SHARD_1.prepare('SELECT * FROM audit_log').all();
  expect(JSON.stringify(rows.results)).not.toMatch(/Secret|adaobi/i);
});

it('has no row of a request that changed nothing', async () => {
  const before = await readLog();
  await update({ accountName: '' });
  await update({ state: 'x' }, 'cus_unknown');
  await service.dryRun([sentCustomer(5)]);
  await service.get(`/v1/bank/customer?id=${ada.id}`);
  for (let n = 0; n < 2; n += 1) await service.postWithIdempotencyKey('one', [sentCustomer(6)]);
  expect(await readLog()).toHaveLength(before.length + 1);
});

it('is read page by page in either direction, by subject too, and by its own bank only', async () => {
  for (let n = 0; n < 5; n += 1) await update({ state: `${n}` });
  const all = await readLog();
  expect(all).toHaveLength(6);
  const first = await service.get('/v1/bank/audit?limit=4');
  const next = linkTo('next', first) ?? '';
  const second = await service.get(next);
  expect([...first.body.data, ...second.body.data]).toEqual(all);
  const previous = linkTo('prev', second) ?? '';
  expect((await service.get(previous)).body.data).toEqual(first.body.data);
  expect(await readLog(`subject=${ada.id}`)).toHaveLength(5);
  expect(await readLog('', API_KEYS.other)).toEqual([]);
  expect(await readLog(`subject=${ada.id}`, API_KEYS.other)).toEqual([]);
  expect((await service.get(next, API_KEYS.other)).status).toBe(400);
});

describe('a change', () => {
  it.each([
    ['an update', () => update({ state: 'Lagos' })],
    ['an erasure', () => service.eraseCustomer(ada.id)],
    ['a batch', () => service.post(sentCustomers(1))],
  ])('is not made if its row cannot be written: %s', async (_, attempt) => {
    const state = () => dumpTables('customers', 'batches', 'batch_chunks', 'retired_phrases');
    const before = await state();
    await env.SHARD_1.prepare('ALTER TABLE audit_log RENAME TO audit_log_renamed').run();
    expect((await attempt()).status).toBeGreaterThanOrEqual(500);
    await env.SHARD_1.prepare('ALTER TABLE audit_log_renamed RENAME TO audit_log').run();
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
  ])('that was made by hand has a row without an API key: %s', async (_, statement) => {
    await update({ state: 'Lagos' });
    await update({ state: 'Ogun' });
    const before = await readLog();
    await env.SHARD_1.prepare(statement).run();
    const [row, ...rest] = await readLog();
    expect([row.keyId, row.action, rest]).toEqual([null, statement.split(' ')[0], before]);
  });
});

it('records every update by hand, even with the revision of an earlier one or none', async () => {
  const newest = '(SELECT request_id FROM audit_log WHERE subject = customers.id ORDER BY at DESC LIMIT 1)';
  await update({ state: 'Lagos' });
  const before = (await readLog()).length;
  const revisions = [`'by hand'`, newest, newest, 'NULL', newest, 'NULL'];
  for (const [index, revision] of revisions.entries()) {
    await env.SHARD_1.prepare(
      `UPDATE customers SET state = 'by hand ${index}', revision = ${revision}`,
    ).run();
    const rows = await readLog();
    expect([rows.length, rows[0].keyId, rows[0].action]).toEqual([before + index + 1, null, 'UPDATE']);
  }
  await update({ state: 'Ogun' });
  expect((await readLog())[0]).toMatchObject({ keyId: 'key_lagos_full', action: 'customer.updated' });
});

describe('a REPLACE, which fires no DELETE trigger', () => {
  const [id = '', email = '', phrase = ''] = ['id', 'email', 'phrase'].map(
    (column) => `(SELECT ${column} FROM customers WHERE email LIKE 'adaobi.1@%')`,
  );
  /** Returns SQL that inserts another customer with some of Ada's values, given by column. */
  const insert = (verb: string, taken: Partial<Record<'bank_id' | 'id' | 'email' | 'phrase', string>>) => {
    const own = { bank_id: `'bnk_lagos'`, id: `'cus_x'`, email: `'x@x.org'`, phrase: `'new-new-new-new'` };
    return `${verb} INTO customers (bank_id, id, email, phrase, account_name, firstname, lastname, country,
        sealed_fields, client_ref, batch_index, created_at)
      SELECT ${Object.values({ ...own, ...taken }).join()}, 'Somebody Else', 'a', 'b', 'NG', 'c', 'd', 0, 0
      WHERE true`;
  };

  it.each([
    ['INSERT OR REPLACE with her id', insert('INSERT OR REPLACE', { id })],
    ['INSERT OR REPLACE with her email', insert('INSERT OR REPLACE', { email })],
    ['INSERT OR REPLACE with her phrase', insert('INSERT OR REPLACE', { phrase })],
    ['REPLACE with her phrase at another bank', insert('REPLACE', { phrase, bank_id: `'bnk_accra'` })],
    ['REPLACE with all of her values', insert('REPLACE', { id, email, phrase })],
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
  ])('changes nothing: %s', async (_, statement) => {
    await service.createCustomers([sentCustomer(2)]);
    await service.createCustomers([sentCustomer(3)], API_KEYS.other);
    const state = () => dumpTables('customers', 'batches', 'audit_log');
    const before = await state();
    await env.SHARD_1.prepare(statement)
      .run()
      .catch(() => null);
    expect(await state()).toBe(before);
  });
});

describe('the rows of one customer', () => {
  it('are in the order of the changes, whatever the clocks of isolates say', async () => {
    const at = (now: number) => new Service(undefined, { now: () => now });
    for (const [now, state] of [
      [3_000, 'first'],
      [1_000, 'second'],
      [2_000, 'third'],
    ] as const)
      await at(now).updateCustomer(ada.id, { [state === 'second' ? 'address' : 'state']: state });
    const rows = await readLog(`subject=${ada.id}`);
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
])('refuses by a trigger: %s', async (statement) => {
  await update({ state: 'Lagos' });
  const before = await readLog();
  await env.SHARD_1.prepare(statement)
    .run()
    .catch(() => null);
  expect(await readLog()).toEqual(before);
});

it('is not readable with another scope or while D1 is unavailable', async () => {
  expect((await service.get('/v1/bank/audit', API_KEYS.standard)).status).toBe(403);
  const withoutDatabase = new Service(({ SHARD_1 }) => ({
    SHARD_1: brokenDatabase(SHARD_1, connectionLost(), (text) => text.includes('api_keys')),
  }));
  expect((await withoutDatabase.get('/v1/bank/audit')).status).toBe(503);
  expect([LAGOS, ACCRA]).not.toContain(ada.id);
});
