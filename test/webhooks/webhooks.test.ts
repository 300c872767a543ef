/** Webhook endpoints as their bank manages them: every field judged, every change audited, no secret shown twice. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { faultOfReceiverUrl } from '../../src/webhooks/receiver-url.ts';
import { API_KEYS, LAGOS, WEBHOOK_ID } from '../support/banks.ts';
import { dumpTables, selectRows } from '../support/database.ts';
import { faultyDatabase } from '../support/faulty-bindings.ts';
import { sentCustomer } from '../support/customers.ts';
import { Service } from '../support/service.ts';
import { createWebhook, Receivers } from './receivers.ts';

let receivers: Receivers;
let now: number;
let service: Service;

beforeEach(() => {
  receivers = new Receivers();
  now = Date.UTC(2026, 10, 25);
  service = new Service(undefined, { fetch: receivers.fetch, now: () => now });
});

const PATH = '/v1/bank/webhooks';
const post = (body: unknown) => service.request('POST', PATH, { body });
const fieldsOf = (body: { errors: { field: string }[] }) => body.errors.map(({ field }) => field).toSorted();

it('is created with a secret that is shown once, sealed in the database, and never again', async () => {
  const { status, headers, body } = await post({
    url: ' https://Hooks.Example.net:8443/a?b=c#d ',
    types: ['customer.erased', 'batch.completed', 'customer.erased'],
  });
  const { secret, ...created } = body.data;
  expect([status, headers.get('Location')]).toEqual([201, `https://api.example.com${PATH}/${created.id}`]);
  expect(created).toEqual({
    id: expect.stringMatching(/^whk_[0-9A-Z]{26}$/),
    url: 'https://hooks.example.net:8443/a?b=c',
    types: ['customer.erased', 'batch.completed'],
    status: 'ENABLED',
    createdAt: '2026-11-25T00:00:00.000Z',
    disabledAt: null,
    disabledReason: null,
    position: `evt_${LAGOS}_0`,
    lag: 0,
    lastAttemptAt: null,
    lastStatusCode: null,
    failingSince: null,
    nextAttemptAt: null,
    previousSecretUntil: null,
  });
  expect(atob(secret.replace('whsec_', ''))).toHaveLength(32);
  expect((await service.get(`${PATH}/${created.id}`)).body.data).toEqual(created);
  expect((await service.get(PATH)).body.data.at(-1)).toEqual(created);
  expect(await dumpTables('webhook_endpoints', 'audit_log')).not.toContain(secret.slice(6));
});

it('is changed, enabled and deleted, and every change is in the audit log', async () => {
  const { id } = await createWebhook(service);
  const path = `${PATH}/${id}`;
  const patch = await service.request('PATCH', path, { body: { url: 'https://hooks.example.net/b' } });
  expect(patch.body.data).toMatchObject({ url: 'https://hooks.example.net/b', types: expect.any(Array) });
  await service.request('PATCH', path, { body: { types: ['batch.stalled'] } });
  await service.request('POST', `${path}/enable?after=evt_${LAGOS}_0`);
  await service.request('POST', `${path}/rotate-secret`);
  expect((await service.request('DELETE', path)).body.data).toEqual({ id });
  expect((await service.request('DELETE', path)).status).toBe(404);
  const { body } = await service.get(`/v1/bank/audit?subject=${id}`);
  const changes = body.data.map(({ action, fields, keyId }: Record<string, unknown>) => [
    action,
    fields,
    keyId,
  ]);
  expect(changes.toReversed()).toEqual([
    ['webhook.created', ['url', 'types'], 'key_lagos_full'],
    ['webhook.updated', ['url'], 'key_lagos_full'],
    ['webhook.updated', ['types'], 'key_lagos_full'],
    ['webhook.enabled', ['status', 'position'], 'key_lagos_full'],
    ['webhook.secret_rotated', ['secret'], 'key_lagos_full'],
    ['webhook.deleted', [], 'key_lagos_full'],
  ]);
  expect(await dumpTables('audit_log')).not.toContain('hooks.example.net');
});

it('is made once if the answer of D1 was lost, and by no request whose row of the audit log cannot be written', async () => {
  const losing = new Service(({ SHARD_1 }) => ({ SHARD_1: faultyDatabase(SHARD_1, ['throws after']) }));
  await createWebhook(losing);
  const ids = async () => (await service.get(PATH)).body.data.map(({ id }: { id: string }) => id);
  expect(await ids()).toHaveLength(2);
  await env.SHARD_1.prepare('ALTER TABLE audit_log RENAME TO audit_log_renamed').run();
  expect((await post({ url: 'https://hooks.example.net/', types: ['batch.stalled'] })).status).toBe(500);
  await env.SHARD_1.prepare('ALTER TABLE audit_log_renamed RENAME TO audit_log').run();
  expect(await ids()).toHaveLength(2);
});

it('is one of 20 at most, also if many are created at once', async () => {
  const body = { url: 'https://hooks.example.net/', types: ['batch.completed'] };
  const responses = await Promise.all(Array.from({ length: 25 }, () => post(body)));
  const refused = responses.filter(({ status }) => status === 409);
  expect([refused.length, (await service.get(PATH)).body.data.length]).toEqual([6, 20]);
  expect(refused[0]?.body).toMatchObject({
    code: 'WEBHOOK_LIMIT_REACHED',
    errors: [{ field: 'url', message: expect.stringContaining('delete one') }],
  });
});

describe('bad input', () => {
  it.each([
    [{}, ['types', 'url']],
    [{ url: 1, types: 'batch.completed', secret: 'x' }, ['secret', 'types', 'url']],
    [
      { url: 'http://hooks.example.net', types: ['batch.created', 'batch.completed', 7] },
      ['types.0', 'types.2', 'url'],
    ],
    [{ url: 'https://localhost:9', types: [] }, ['types']],
    [{ url: `https://hooks.example.net/${'a'.repeat(2_100)}`, types: ['x'] }, ['types.0', 'url']],
    [[], ['body']],
    [null, ['body']],
  ])('of %j is answered with all of its faults at once', async (body, fields) => {
    const response = await post(body);
    expect([response.status, fieldsOf(response.body)]).toEqual([400, fields]);
    expect(response.text).not.toMatch(/hooks\.example\.net|batch\.created/);
  });

  it('of an update is answered likewise, and an update needs something to change', async () => {
    const patch = (body: unknown) => service.request('PATCH', `${PATH}/${WEBHOOK_ID}`, { body });
    const bad = await patch({ url: 'ftp://hooks.example.net', types: ['x'], status: 'ENABLED' });
    expect([bad.status, fieldsOf(bad.body)]).toEqual([400, ['status', 'types.0', 'url']]);
    expect((await patch({})).body.errors[0].message).toContain('at least one of url, types');
  });

  it('names the event to go on after by the same 400 for another bank’s, and refuses a body that nothing reads', async () => {
    await service.createCustomer(sentCustomer(1), API_KEYS.other);
    const enable = (query: string, body?: unknown) =>
      service.request('POST', `${PATH}/${WEBHOOK_ID}/enable${query}`, { body });
    const wrong = [`evt_${LAGOS}_1`, 'evt_bnk_accra_1', 'latest', 'x'];
    const answers = await Promise.all(wrong.map((after) => enable(`?after=${after}`)));
    for (const { status, body } of answers) {
      expect([status, body.errors]).toEqual([400, answers[0]?.body.errors]);
    }
    expect(fieldsOf((await enable('', { after: 'evt_1' })).body)).toEqual(['body']);
    // An empty body is none.
    expect((await enable('', '')).status).toBe(200);
  });

  it('about another bank’s webhook is answered like that about an unknown one', async () => {
    const { id } = await createWebhook(service, {}, API_KEYS.other);
    const before = await dumpTables('webhook_endpoints', 'audit_log');
    for (const [method, rest, body] of [
      ['GET', ''],
      ['PATCH', '', { types: ['batch.stalled'] }],
      ['DELETE', ''],
      ['POST', '/enable'],
      ['POST', '/rotate-secret'],
      ['POST', '/test'],
    ] as const) {
      const ask = async (webhookId: string) => {
        const { status, text } = await service.request(method, `${PATH}/${webhookId}${rest}`, { body });
        return [status, text.replace(/req_\w+/, '')];
      };
      expect([method, rest, await ask(id)]).toEqual([
        method,
        rest,
        await ask('whk_01K0000000000000000000000Z'),
      ]);
      expect((await ask(id))[0]).toBe(404);
    }
    expect(await dumpTables('webhook_endpoints', 'audit_log')).toBe(before);
    expect(receivers.received).toEqual([]);
  });
});

describe('the URL of a receiver', () => {
  const deployed = { production: true, publicUrl: 'https://api.example.com' };
  const local = { production: false, publicUrl: undefined };

  it.each([
    'https://hooks.example.net',
    'https://hooks.example.net:443/a',
    'https://hooks.example.net:1024',
    'https://bücher.example.net/',
    'https://a-b.example.co.uk./x',
    'https://10.0.0.1.example.net/',
  ])('may be %s', (url) => expect(faultOfReceiverUrl(url, deployed)).toBeUndefined());

  it.each([
    'http://hooks.example.net',
    'ftp://hooks.example.net',
    'hooks.example.net',
    'https://',
    'https://user@hooks.example.net',
    'https://:password@hooks.example.net',
    'https://127.0.0.1',
    'https://127.1',
    'https://2130706433',
    'https://0x7f000001',
    'https://0x7f.1',
    'https://0177.0.0.1',
    'https://0',
    'https://169.254.169.254/latest/meta-data',
    'https://１２７.０.０.１',
    'https://127.0.0.1.',
    'https://[::1]',
    'https://[::ffff:127.0.0.1]',
    'https://[::ffff:7f00:1]',
    'https://[fd00::1]',
    'https://localhost',
    'https://localhost.',
    'https://LOCALHOST:8443',
    'https://a.localhost',
    'https://printer.local',
    'https://printer.local.',
    'https://metadata.google.internal',
    'https://router.home.arpa',
    'https://intranet',
    'https://intranet.',
    'https://a..',
    'https://api.example.com/v1/bank/customers',
    'https://API.example.com.:8443',
    'https://hooks.example.net:22',
    'https://hooks.example.net:80',
    'https://hooks.example.net:1023',
    'http://localhost:3000/hooks',
    'http://127.0.0.1:3000/hooks',
  ])('may not be %s', (url) => expect(faultOfReceiverUrl(url, deployed)).toMatch(/^must /));

  it('may lead to the developer’s own machine on a local server, and nowhere else inside', () => {
    for (const url of ['http://localhost:3000/hooks', 'http://127.0.0.1:80', 'https://localhost']) {
      expect(faultOfReceiverUrl(url, local)).toBeUndefined();
    }
    for (const url of ['http://hooks.example.net', 'http://127.0.0.2', 'http://[::1]', 'ftp://localhost']) {
      expect(faultOfReceiverUrl(url, local)).toMatch(/^must /);
    }
  });

  it('is judged by the deployment, together with the other fields', async () => {
    const production = new Service(() => ({ ENVIRONMENT: 'production' }));
    const body = { url: 'http://localhost:3000', types: ['x'] };
    const refused = await production.request('POST', PATH, { apiKey: API_KEYS.live, body });
    expect(fieldsOf(refused.body)).toEqual(['types.0', 'url']);
    expect(fieldsOf((await post(body)).body)).toEqual(['types.0']);
  });

  it('is judged again before it is used, so that a local one that got into production is not', async () => {
    await createWebhook(service, { url: 'http://localhost:3000/' });
    await service.createCustomer();
    const production = new Service(() => ({ ENVIRONMENT: 'production' }), { fetch: receivers.fetch });
    production.pendingEndpoints.push(...service.pendingEndpoints);
    await production.deliverWebhooks();
    expect(receivers.received).toEqual([]);
    await service.deliverWebhooks();
  });
});

describe('a test', () => {
  const test = (id = WEBHOOK_ID) => service.request('POST', `${PATH}/${id}/test`);

  it('sends a signed ping now and says what came back, and the position stays', async () => {
    const before = (await service.get(`${PATH}/${WEBHOOK_ID}`)).body.data;
    receivers.answer = () => 418;
    const { body } = await test();
    expect(body.data).toEqual({ delivered: false, statusCode: 418, milliseconds: 0 });
    const [{ event, headers } = { event: undefined, headers: {} }] = receivers.received;
    expect(event).toMatchObject({ type: 'ping', data: { webhookId: WEBHOOK_ID } });
    expect(headers).toMatchObject({
      'webhook-id': event?.id,
      'webhook-timestamp': String(now / 1_000),
      'webhook-signature': expect.stringMatching(/^v1,[\w+/]{43}=$/),
    });
    expect((await service.get(`${PATH}/${WEBHOOK_ID}`)).body.data).toEqual(before);
  });

  it('can be made once in 10 seconds', async () => {
    expect((await test()).status).toBe(200);
    const again = await test();
    expect([again.status, again.headers.get('Retry-After')]).toEqual([429, '10']);
    now += 10_000;
    expect((await test()).status).toBe(200);
    expect(receivers.received).toHaveLength(2);
  });
});

it('signs by two secrets for a day after a rotation, also one that had been rotated before', async () => {
  const path = `${PATH}/${WEBHOOK_ID}`;
  const signatures = async () => {
    now += 10_000;
    await service.request('POST', `${path}/test`);
    return receivers.received.at(-1)?.headers['webhook-signature']?.split(' ').length;
  };
  const { body } = await service.request('POST', `${path}/rotate-secret`);
  expect(body.data).toMatchObject({
    secret: expect.stringMatching(/^whsec_/),
    previousSecretUntil: '2026-11-26T00:00:00.000Z',
  });
  expect(await signatures()).toBe(2);
  now += 24 * 3_600_000;
  expect(await signatures()).toBe(1);
  const stored = async () =>
    (await selectRows<{ secret: string; previous_secret: string }>('SELECT * FROM webhook_endpoints'))[0];
  const before = await stored();
  const losing = new Service(({ SHARD_1 }) => ({ SHARD_1: faultyDatabase(SHARD_1, ['throws after']) }));
  await losing.request('POST', `${path}/rotate-secret`);
  expect((await stored())?.previous_secret).toBe(before?.secret);
});

it('logs the receiver by its host alone', async () => {
  await createWebhook(service, { url: 'https://hooks.example.net/token-s3cret?k=s3cret' });
  receivers.answer = (request) => (request === 0 ? 500 : 204);
  await service.createCustomer();
  await service.deliverWebhooks();
  const line = service.log.find(({ event }) => event === 'webhook_attempt_failed');
  expect(line).toMatchObject({ host: 'hooks.example.net', status: 500, bank: LAGOS });
  expect(JSON.stringify(service.log)).not.toContain('s3cret');
});

it('needs the scope webhooks:manage', async () => {
  expect((await service.get(PATH, API_KEYS.standard)).status).toBe(403);
});
