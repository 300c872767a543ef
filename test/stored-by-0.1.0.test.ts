/** What version 0.1.0 stored in D1 and the queue is still read or safely ignored. */
import { env } from 'cloudflare:workers';
import { beforeEach, expect, it } from 'vitest';
import { BATCH_FIELDS } from '../src/customers/fields.ts';
import { matchesFingerprint } from '../src/batches/accept/fingerprint.ts';
import { hmacHex, importFieldKey } from '../src/crypto/field-cipher.ts';
import { systemRuntime } from '../src/runtime.ts';
import stored from './fixtures/stored-by-0.1.0.json';
import { LAGOS } from './support/banks.ts';
import { Service } from './support/service.ts';

/** Within the 72 hours for which an Idempotency-Key is remembered. */
const now = stored.batch.created_at + 3_600_000;
const insert = (table: string, row: Record<string, string | number | null>) => {
  const names = Object.keys(row);
  const text = `INSERT INTO ${table} (${names.join()}) VALUES (${names.map(() => '?').join()})`;
  return env.SHARD_1.prepare(text).bind(...Object.values(row));
};
/** A message of 0.1.0 did not name the shard: only one that does is read. */
const message = { ...stored.message, shard: 'SHARD_1', moveNumber: 0 };
let service: Service;

beforeEach(async () => {
  service = new Service(undefined, { now: () => now });
  await env.DIRECTORY.prepare('UPDATE banks SET cursor_key = ? WHERE id = ?')
    .bind(stored.cursorKey, LAGOS)
    .run();
  await env.SHARD_1.batch([
    ...stored.auditLog.map((row) => insert('audit_log', row)),
    insert('batches', stored.batch),
    insert('batch_chunks', stored.chunk),
    insert('idempotency_keys', stored.idempotencyKey),
  ]);
});

const replay = (customers: unknown[] = stored.request.customers) =>
  service.postWithIdempotencyKey(stored.idempotencyKey.idempotency_key, customers);

it('applies a waiting chunk from its queue message', async () => {
  await service.deliverMessages([message]);
  const { data } = (await service.get(`/v1/bank/customers/batches/${stored.batch.id}`)).body;
  expect(data).toMatchObject({ summary: { total: 3, successful: 2 }, progress: { processed: 3 } });
  const [, phrase = ''] = stored.cached.key.split(`${LAGOS}:`);
  const found = await service.get(`/v1/bank/customer?phrase=${phrase}`);
  expect(found.body.data).toMatchObject({ accountName: 'Adaobi Okafor 2', phone: '+2348031234567' });
});

it('replays the first response to a retry', async () => {
  const replayed = await replay();
  expect(replayed.headers.get('Idempotent-Replayed')).toBe('true');
  expect(replayed.body).toEqual(stored.response);
});

it('refuses another body under the same Idempotency-Key', async () => {
  expect((await replay(stored.request.customers.slice(1))).status).toBe(422);
});

it('continues a list from a cursor', async () => {
  await service.deliverMessages([message]);
  const { status, body } = await service.get(`/v1/bank/customers?limit=1&cursor=${stored.cursor}`);
  expect([status, body.map(({ email }: { email: string }) => email)]).toEqual([
    200,
    ['adaobi.1@example.com'],
  ]);
});

it('shows earlier rows of the audit log unchanged', async () => {
  const { body } = await service.get('/v1/bank/audit');
  expect(body.data.map(({ action }: { action: string }) => action)).toEqual([
    'PATCH /v1/bank/customer',
    'POST /v1/bank/customers',
  ]);
});

it('recognises an earlier row of the audit log as the erasure of a customer', async () => {
  await service.deliverMessages([message]);
  const { id } = (await service.get('/v1/bank/customers?limit=1')).body[0];
  const erasure = {
    ...stored.auditLog[0],
    at: now,
    request_id: 'req_erased',
    action: 'DELETE /v1/bank/customer',
  };
  await env.SHARD_1.batch([
    insert('audit_log', { ...erasure, subject: id }),
    env.SHARD_1.prepare('DELETE FROM customers WHERE id = ?').bind(id),
  ]);
  const { body } = await service.get(`/v1/bank/audit?subject=${id}`);
  expect(body.data.map(({ action }: { action: string }) => action)).not.toContain('DELETE');
});

it('matches a body with a fingerprint that was made before a field was added', async () => {
  const fieldKey = await importFieldKey(1, btoa('a'.repeat(32)));
  const known = BATCH_FIELDS.slice(0, 2);
  expect(known).toEqual(['clientRef', 'email']);
  const rows = [{ clientRef: 'ref-1', email: 'ada@example.com', accountName: 'not known then' }];
  const recorded = `v2.2.${await hmacHex(fieldKey, JSON.stringify([['clientRef', 'ref-1', 'email', 'ada@example.com']]))}`;
  const matches = (sent: unknown[]) =>
    matchesFingerprint(systemRuntime, recorded, sent, async () => fieldKey);
  expect({
    sameBody: await matches(rows),
    otherNewField: await matches([{ ...rows[0], accountName: 'another' }]),
    otherEmail: await matches([{ ...rows[0], email: 'bea@example.com' }]),
  }).toEqual({ sameBody: true, otherNewField: true, otherEmail: false });
});
