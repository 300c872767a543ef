/**
 * The reference cannot be wrong: its operations are exactly the routes, and here the real service sends every status and
 * every header that it names, in the shape that it describes. (support/setup.ts checks the responses of all other tests
 * against it too.)
 */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Env } from '../../src/env.ts';
import { ERRORS } from '../../src/errors.ts';
import { MAX_ID_CHARACTERS } from '../../src/http/parameters.ts';
import { BOOKMARK_HEADER } from '../../src/http/responses.ts';
import { isSpreadsheetDamage } from '../../src/lib/spreadsheet.ts';
import { ERROR_GUIDE, FAILURE_GUIDE } from '../../src/openapi/error-guide.ts';
import { templateOf } from '../../src/openapi/openapi.ts';
import { OPERATIONS } from '../../src/openapi/operations.ts';
import { API_KEYS, WEBHOOK_ID } from '../support/banks.ts';
import { brokenDatabase, d1Error, failingSessions } from '../support/faulty-bindings.ts';
import { sentCustomer } from '../support/customers.ts';
import {
  undocumentedParts,
  documentedHeaders,
  documentedStatuses,
  isCommonHeader,
  operationOf,
  reference,
} from '../support/reference.ts';
import { Meter } from '../support/meter.ts';
import { OPEN_ROUTES, ROUTES } from '../support/routes.ts';
import { Service, type KnownCustomer, type RequestOptions } from '../support/service.ts';

let service: Service;
let customer: KnownCustomer;

beforeEach(async () => {
  service = new Service();
  customer = await service.createCustomer();
});

it('describes exactly the routes of the service', () => {
  const documented = Object.values(OPERATIONS).map(
    ({ operation }) => `${operation.method} ${operation.path}`,
  );
  const routes = [...ROUTES.map(({ method, path }) => `${method} ${path}`), ...OPEN_ROUTES];
  // `/` leads to the reference, and is not in it.
  expect(documented.sort()).toEqual(routes.filter((route) => route !== 'GET /').sort());
});

it('names the scopes of each operation that the shared suite of routes names', () => {
  for (const { operation } of Object.values(OPERATIONS)) {
    const route = ROUTES.find(({ method, path }) => method === operation.method && path === operation.path);
    expect([...operation.scopes].sort()).toEqual([...(route?.scopes ?? [])].sort());
  }
});

const none = { limit: 0, seconds: 10, step: 1 };
/** A service whose D1 fails after so many calls. */
const broken = (error: Error, calls: number) =>
  new Service(({ SHARD_1 }) => ({ SHARD_1: failingSessions(SHARD_1, error, calls) }));

/** `/health` needs no API key, so fewer errors are possible. */
async function askForHealth(
  ask: (by: Service, method: string, path: string, asked: RequestOptions) => Promise<void>,
) {
  const failing = ({ DIRECTORY }: Env) => ({
    DIRECTORY: brokenDatabase(DIRECTORY, d1Error('D1 is overloaded'), () => false),
  });
  const away = new Service(failing);
  const faulty = new Service(failing, {
    log: (_, { event }) => {
      if (event === 'dependency_unavailable') throw new TypeError('an unforeseen fault');
    },
  });
  for (const [by, query] of [
    [service, ''],
    [service, '?deep=1'],
    [service, '?deep=yes'],
    [service, `?deep=${'1'.repeat(17_000)}`],
    [away, '?deep=1'],
    [faulty, '?deep=1'],
  ] as const) {
    await ask(by, 'GET', `/health${query}`, { apiKey: null });
  }
  for (let n = 0; n < 40; n += 1) await ask(service, 'GET', '/health', { apiKey: null });
}

/** Statuses that only a request with a body can have. */
const OF_BODIES = new Set(['413', '415']);

/** A request that causes each status, for any operation that has it. */
const CAUSES: Record<
  string,
  { service?: () => Service; ask: (own: RequestOptions, path: string) => RequestOptions & { path?: string } }
> = {
  400: { ask: (own, path) => (own.body === undefined ? { path: `${path}&nonsense=1` } : { body: {} }) },
  401: { ask: (own) => ({ ...own, apiKey: null }) },
  403: { ask: (own) => ({ ...own, apiKey: API_KEYS.unscoped }) },
  413: { ask: () => ({ body: `{"x":"${'x'.repeat(11 * 1024 * 1024)}"}` }) },
  414: { ask: (own, path) => ({ ...own, path: `${path}&x=${'x'.repeat(20_000)}` }) },
  415: { ask: (own) => ({ ...own, headers: { 'Content-Type': 'text/plain' } }) },
  429: {
    service: () => new Service(undefined, {}, { lookups: none, payees: none, changes: none, batches: none }),
    ask: (own) => own,
  },
};

it('documents exactly the statuses and headers that the service sends, for every operation', async () => {
  const [statuses, headerNames] = [new Set<string>(), new Set<string>()];
  const ask = async (by: Service, method: string, path: string, asked: RequestOptions) => {
    const { status, headers } = await by.request(method, path, asked);
    const response = `${operationOf(method, path)} ${status}`;
    statuses.add(response);
    for (const name of headers.keys()) if (!isCommonHeader(name)) headerNames.add(`${response} ${name}`);
  };
  const { headers: seen } = await service.get('/v1/bank/audit');
  const returned = { [BOOKMARK_HEADER]: seen.get(BOOKMARK_HEADER) ?? '' };
  for (const route of ROUTES) {
    const { method, path: pattern } = route;
    const { path, body } = route.request(customer);
    const own = body === undefined ? {} : { body };
    const withQuery = path.includes('?') ? path : `${path}?`;
    for (const [status, { service: made, ask: change }] of Object.entries(CAUSES)) {
      if (body === undefined && OF_BODIES.has(status)) continue;
      const { path: changed, ...asked } = change(own, withQuery);
      await ask(made?.() ?? service, method, changed ?? path, asked);
    }
    // What a call finds may be cached after it, so those without any come first.
    for (const calls of [0, 1]) {
      for (const error of [new TypeError('an unforeseen fault'), d1Error('D1 is overloaded')])
        await ask(broken(error, calls), method, path, { ...own, headers: returned });
    }
    if (pattern.includes(':')) await ask(service, method, pattern.replace(/:\w+/, 'none'), own);
    if (method !== 'DELETE') await ask(service, method, path, own);
  }

  const customers = [sentCustomer(1), sentCustomer(2)];
  const post = (asked: RequestOptions) => ask(service, 'POST', '/v1/bank/customers', asked);
  await ask(service, 'POST', '/v1/bank/customers?dryRun=true', { body: { customers } });
  await post({ body: { customers: [sentCustomer()] } });
  const keyed = (key: string, sent: unknown[]) =>
    post({ body: { customers: sent }, headers: { 'Idempotency-Key': key } });
  await Promise.all([keyed('twice-at-once', customers), keyed('twice-at-once', customers)]);
  await keyed('twice-at-once', [sentCustomer(3)]);
  // The second request of each is answered with the first response: a 201, a 400 and a 409.
  for (const [key, sent] of Object.entries({ new: sentCustomer(4), invalid: {}, existing: sentCustomer() })) {
    for (let n = 0; n < 2; n += 1) await keyed(key, [sent]);
  }
  const { body: inProcess } = await service.post([sentCustomer(5), {}]);
  for (const results of ['', '/failures', '/customers']) {
    await ask(service, 'GET', `/v1/bank/customers/batches/${inProcess.data.batchId}${results}`, {});
  }
  const full = new Service(() => ({ MAX_OPEN_BATCHES: 0 }));
  await ask(full, 'POST', '/v1/bank/customers', { body: { customers } });

  const one = `/v1/bank/customer?id=${customer.id}`;
  const { headers: read } = await service.get(one);
  await ask(service, 'GET', one, { headers: { 'If-None-Match': read.get('ETag') ?? '' } });
  await ask(service, 'GET', '/v1/bank/customer?id=cus_none', {});
  await ask(service, 'GET', '/v1/network/payee?phrase=zoo-zoo-zoo-zoo', {});
  // Only the result of D1 shows that this was one miss too many.
  const oneMiss = () => new Service(undefined, {}, { misses: { ...none, limit: 1 } });
  const guessing = oneMiss();
  const guess = () => ask(guessing, 'GET', '/v1/bank/customer?email=nobody@example.com', {});
  await Promise.all([guess(), guess()]);
  await ask(
    oneMiss(),
    'GET',
    '/v1/bank/customers?phrases=river-stone-ocean-able,river-stone-ocean-about',
    {},
  );
  await service.env.SHARD_1.batch([
    service.env.SHARD_1.prepare(`UPDATE tenants SET event_sequence = 9 WHERE bank_id = 'bnk_lagos'`),
    service.env.SHARD_1.prepare('DELETE FROM events'),
  ]);
  const webhook = { url: 'https://hooks.example.net/', types: ['batch.completed'] };
  const { body: made } = await service.request('POST', '/v1/bank/webhooks', { body: webhook });
  for (const after of ['evt_bnk_lagos_3', 'evt_bnk_lagos_99']) {
    await ask(service, 'GET', `/v1/bank/events?after=${after}`, {});
    await ask(service, 'POST', `/v1/bank/webhooks/${made.data.id}/enable?after=${after}`, {});
  }
  for (let n = 0; n < 20; n += 1) await ask(service, 'POST', '/v1/bank/webhooks', { body: webhook });
  for (let n = 0; n < 2; n += 1) await ask(service, 'DELETE', `/v1/bank/webhooks/${made.data.id}`, {});
  const stale = { 'If-Match': '"another"' };
  const update = { id: customer.id, update: { state: 'Ogun' } };
  await ask(service, 'PATCH', '/v1/bank/customer', { body: update, headers: stale });
  await ask(service, 'PATCH', '/v1/bank/customer', { body: { ...update, id: 'cus_none' } });
  const unreadable = { id: customer.id, update: { phone: '0000' } };
  await ask(service, 'PATCH', '/v1/bank/customer', { body: unreadable });
  await ask(service, 'DELETE', one, { headers: stale });
  await ask(service, 'DELETE', one, {});
  await ask(service, 'DELETE', one, {});
  await askForHealth(ask);

  expect([...statuses].sort()).toEqual(documentedStatuses().sort());
  expect([...headerNames].sort()).toEqual(documentedHeaders().sort());
});

describe('each of its examples is true', () => {
  it.each(Object.entries(OPERATIONS).filter(([, { body }]) => body !== undefined))(
    'the service accepts the body of %s',
    async (_, { operation, body }) => {
      const path = operation.path.replace(':webhookId', WEBHOOK_ID);
      const own = 'id' in (body as object) ? { id: customer.id } : {};
      const { status } = await service.request(operation.method, path, {
        body: { ...(body as object), ...own },
      });
      expect([200, 201]).toContain(status);
    },
  );

  it('every component has one example', () => {
    const schemas = Object.values(reference.components.schemas);
    expect(schemas.length).toBeGreaterThan(10);
    for (const schema of schemas) expect(schema['examples']).toHaveLength(1);
  });

  it('the example of every response has the shape and the status of that response', () => {
    const shown = Object.entries(OPERATIONS).flatMap(([id, { operation }]) => {
      const { responses } =
        reference.paths[templateOf(operation.path)]?.[operation.method.toLowerCase()] ?? {};
      return Object.entries(responses as Record<string, Shown>).flatMap(([status, { content }]) => {
        const { example, examples = {} } = content?.['application/json'] ?? {};
        const all = [example, ...Object.values(examples).map(({ value }) => value)];
        return all.filter((one) => one !== undefined).map((one) => ({ id, status: Number(status), one }));
      });
    });
    expect(shown.length).toBeGreaterThan(80);
    const noHeaders = new Headers();
    for (const { id, status, one } of shown) {
      expect(undocumentedParts(id, status, noHeaders, JSON.stringify(one))).toEqual([]);
      if (!Array.isArray(one)) expect([id, one.statusCode]).toEqual([id, status]);
    }
  });
});

interface Shown {
  content?: Record<string, { example?: Example; examples?: Record<string, { value: Example }> }>;
}
type Example = { statusCode: number } | unknown[];

it('names a cause and a fix for every error code', () => {
  expect(Object.keys(ERROR_GUIDE).sort()).toEqual(Object.keys(ERRORS).sort());
});

describe('a path parameter', () => {
  const ofPaths = Object.values(reference.paths)
    .flatMap((methods) => Object.values(methods))
    .flatMap((operation) => (operation['parameters'] ?? []) as { in: string; name: string }[])
    .filter((parameter) => parameter.in === 'path');

  it('is described by its own operation, with its own example', () => {
    expect(ofPaths.length).toBe(3 + 6);
    for (const parameter of ofPaths) {
      const kind = parameter.name === 'batchId' ? 'batch' : 'webhook';
      expect(parameter).toMatchObject({
        name: `${kind}Id`,
        required: true,
        description: expect.stringContaining(kind),
        example: expect.stringMatching(/^(bat|whk)_/),
      });
    }
  });

  it('that no batch can have is answered like one that no batch has, without a call of D1', async () => {
    const meter = new Meter();
    const metered = new Service((bindings) => meter.bindings(bindings));
    const read = async (batchId: string) => {
      const { status, text, headers } = await metered.get(`/v1/bank/customers/batches/${batchId}`);
      return [status, text.replace(headers.get('X-Request-Id') ?? '', '')];
    };
    const unknown = await read('bat_none');
    expect(unknown[0]).toBe(404);
    meter.reset();
    expect(await read('b'.repeat(MAX_ID_CHARACTERS + 1))).toEqual(unknown);
    expect(meter.d1Calls).toBe(0);
  });
});

it.each(ROUTES)(
  'reads the bookmark of a request to $method $path if the reference says so, and otherwise asks without one',
  async (route) => {
    const opened: unknown[] = [];
    const watched = new Service(({ SHARD_1 }) => ({
      SHARD_1: {
        prepare: (sql: string) => SHARD_1.prepare(sql),
        batch: (statements: D1PreparedStatement[]) => SHARD_1.batch(statements),
        withSession: (since?: string) => {
          opened.push(since);
          return SHARD_1.withSession(since);
        },
      } as unknown as D1Database,
    }));
    const bookmark = (await service.get('/v1/bank/audit')).headers.get(BOOKMARK_HEADER) ?? '';
    const { path, body } = route.request(customer);
    await watched.request(route.method, path, { headers: { [BOOKMARK_HEADER]: bookmark }, body });
    const { parameters = [] } = reference.paths[templateOf(route.path)]?.[route.method.toLowerCase()] ?? {};
    const documented = JSON.stringify(parameters).includes(`parameters/${BOOKMARK_HEADER}"`);
    expect(opened.includes(bookmark.replace('SHARD_1:', ''))).toBe(documented);
    // A payee may be another bank's, so its first read has no bookmark either, and a replica may answer it.
    const isPayee = route.path.startsWith('/v1/network/');
    const allowed = isPayee ? ['first-primary', 'first-unconstrained'] : ['first-primary'];
    if (!documented) expect(opened.filter((since) => !allowed.includes(String(since)))).toEqual([]);
  },
);

it('names the damage that spreadsheets do by examples that are refused for it', () => {
  const { cause } = FAILURE_GUIDE.VALIDATION_ERROR;
  const examples = [...cause.matchAll(/`([^`]+)`/g)].map(([, example = '']) => example);
  expect([cause.includes('spreadsheet'), examples.length]).toEqual([true, 2]);
  for (const example of examples) expect(isSpreadsheetDamage(example)).toBe(true);
});
