/**
 * The reference can't be wrong: every operation that it names is a route and the other way round, and every status
 * that it names was given here, by the real service, in the shape that it says. (What any other test is answered is
 * held to it as well: support/setup.ts.)
 */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Env } from '../../src/env.ts';
import { ERRORS } from '../../src/errors.ts';
import { BOOKMARK_HEADER } from '../../src/http/envelope.ts';
import { isSpreadsheetDamage } from '../../src/lib/spreadsheet.ts';
import { ERROR_GUIDE, FAILURE_GUIDE } from '../../src/reference/error-guide.ts';
import { OPERATIONS } from '../../src/reference/operations.ts';
import { KEYS } from '../support/banks.ts';
import { brokenDatabase, d1Error, failingSessions } from '../support/broken.ts';
import { sentCustomer } from '../support/customers.ts';
import { documentedAnswers, operationOf, reference } from '../support/documented.ts';
import { OPEN_ROUTES, ROUTES, type Known } from '../support/routes.ts';
import { Service, type Ask } from '../support/service.ts';

let service: Service;
let customer: Known;

beforeEach(async () => {
  service = new Service();
  const [row] = await service.haveCustomers([sentCustomer()]);
  const { body } = await service.get('/v1/bank/customers/batches');
  if (row !== undefined) customer = { ...row, batchId: body.data[0].batchId };
});

it('its operations are the routes of the service, no more and no fewer', () => {
  const documented = Object.values(OPERATIONS).map(
    ({ operation }) => `${operation.method} ${operation.path}`,
  );
  const routes = [...ROUTES.map(({ method, path }) => `${method} ${path}`), ...OPEN_ROUTES];
  // `/` is what one meets before the reference.
  expect(documented.sort()).toEqual(routes.filter((route) => route !== 'GET /').sort());
});

it('says of each operation which scopes open it, as the shared suite of routes has them', () => {
  for (const { operation } of Object.values(OPERATIONS)) {
    const route = ROUTES.find(({ method, path }) => method === operation.method && path === operation.path);
    expect([...operation.scopes].sort()).toEqual([...(route?.scopes ?? [])].sort());
  }
});

const none = { limit: 0, seconds: 10, step: 1 };
/** Fails after so many calls. */
const broken = (error: Error, calls: number) =>
  new Service(({ DB }) => ({ DB: failingSessions(DB, error, calls) }));

/** `/health` asks for no API key, so less can go wrong. */
async function askForHealth(ask: (by: Service, method: string, path: string, asked: Ask) => Promise<void>) {
  const failing = ({ DB }: Env) => ({ DB: brokenDatabase(DB, d1Error('D1 is overloaded'), () => false) });
  const away = new Service(failing);
  const faulty = new Service(failing, {
    log: (_, { event }) => {
      if (event === 'dependency_unavailable') throw new TypeError('nobody foresaw this');
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
    await ask(by, 'GET', `/health${query}`, { key: null });
  }
  for (let n = 0; n < 40; n += 1) await ask(service, 'GET', '/health', { key: null });
}

/** Statuses that only a body can bring about. */
const OF_BODIES = new Set(['413', '415']);

/** What brings each status about, for any operation that has it. */
const CAUSES: Record<
  string,
  { service?: () => Service; ask: (own: Ask, path: string) => Ask & { path?: string } }
> = {
  400: { ask: (own, path) => (own.body === undefined ? { path: `${path}&nonsense=1` } : { body: {} }) },
  401: { ask: (own) => ({ ...own, key: null }) },
  403: { ask: (own) => ({ ...own, key: KEYS.powerless }) },
  413: { ask: () => ({ body: `{"x":"${'x'.repeat(11 * 1024 * 1024)}"}` }) },
  414: { ask: (own, path) => ({ ...own, path: `${path}&x=${'x'.repeat(20_000)}` }) },
  415: { ask: (own) => ({ ...own, headers: { 'Content-Type': 'text/plain' } }) },
  429: {
    service: () => new Service(undefined, {}, { lookups: none, changes: none, batches: none }),
    ask: (own) => own,
  },
};

it('every status of every operation is given by the service, with a bookmark if the reference names one', async () => {
  const [given, bookmarked] = [new Set<string>(), new Set<string>()];
  const ask = async (by: Service, method: string, path: string, asked: Ask) => {
    const { status, headers } = await by.ask(method, path, asked);
    given.add(`${operationOf(method, path)} ${status}`);
    if (headers.has(BOOKMARK_HEADER)) bookmarked.add(`${operationOf(method, path)} ${status}`);
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
    for (const error of [new TypeError('nobody foresaw this'), d1Error('D1 is overloaded')]) {
      for (const calls of [0, 1])
        await ask(broken(error, calls), method, path, { ...own, headers: returned });
    }
    if (pattern.includes(':batchId'))
      await ask(service, method, path.replace(customer.batchId, 'bat_none'), own);
    if (method !== 'DELETE') await ask(service, method, path, own);
  }

  const customers = [sentCustomer(1), sentCustomer(2)];
  const post = (asked: Ask) => ask(service, 'POST', '/v1/bank/customers', asked);
  await ask(service, 'POST', '/v1/bank/customers?dryRun=true', { body: { customers } });
  await post({ body: { customers: [sentCustomer()] } });
  const headers = { 'Idempotency-Key': 'once' };
  await post({ body: { customers }, headers });
  await post({ body: { customers: [sentCustomer(3)] }, headers });
  await post({ body: { customers: [{}] } });
  const full = new Service(() => ({ MOST_OPEN_BATCHES: 0 }));
  await ask(full, 'POST', '/v1/bank/customers', { body: { customers } });

  const one = `/v1/bank/customer?id=${customer.id}`;
  const { headers: read } = await service.get(one);
  await ask(service, 'GET', one, { headers: { 'If-None-Match': read.get('ETag') ?? '' } });
  await ask(service, 'GET', '/v1/bank/customer?id=cus_none', {});
  // Whether it was a miss too many is known once D1 has been asked.
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

  expect([...given].sort()).toEqual(documentedAnswers().sort());
  expect([...bookmarked].sort()).toEqual(documentedAnswers(BOOKMARK_HEADER).sort());
});

describe('its examples are true', () => {
  it.each(Object.entries(OPERATIONS).filter(([, { body }]) => body !== undefined))(
    'the body of %s is taken',
    async (_, { operation, body }) => {
      const { status } = await service.ask(operation.method, operation.path, {
        body: { ...(body as object), ...(operation.method === 'PATCH' ? { id: customer.id } : {}) },
      });
      expect([200, 201]).toContain(status);
    },
  );

  it('the examples of answers are in the shapes that they are examples of', () => {
    const examples = Object.entries(reference.components.schemas);
    expect(examples.length).toBeGreaterThan(10);
    for (const [, schema] of examples) expect(schema['examples']).toHaveLength(1);
  });
});

it('every code has a cause and a cure', () => {
  expect(Object.keys(ERROR_GUIDE).sort()).toEqual(Object.keys(ERRORS).sort());
});

it('VALIDATION_ERROR names the damage that spreadsheets do, by examples that are refused for it', () => {
  const { cause } = FAILURE_GUIDE.VALIDATION_ERROR;
  const examples = [...cause.matchAll(/`([^`]+)`/g)].map(([, example = '']) => example);
  expect([cause.includes('spreadsheet'), examples.length]).toEqual([true, 2]);
  for (const example of examples) expect(isSpreadsheetDamage(example)).toBe(true);
});
