/** What an API key opens while D1 can't say whether it is still valid. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import type { RatePolicies } from '../../src/rate-limits/rate-limits.ts';
import { hashApiKey, API_KEY_CACHE_MS, MAX_UNCHECKED_MS } from '../../src/api-keys/api-keys.service.ts';
import { API_KEYS } from '../support/banks.ts';
import { d1Error, Deadlines, hangingDatabase } from '../support/faulty-bindings.ts';
import { ROUTES } from '../support/routes.ts';
import { Service, type KnownCustomer } from '../support/service.ts';

const CHECKED_AT = Date.UTC(2026, 10, 25, 12);
let now: number;
let away: 'no' | 'hangs' | 'throws';
/** Checks of a key. */
let asked: number;
let service: Service;
let ada: KnownCustomer;

beforeEach(async () => {
  [now, away, asked] = [CHECKED_AT, 'no', 0];
  service = isolate();
  ada = await service.createCustomer();
  // The key is checked, and the phrase at the edge.
  await look();
});

/** One of which D1 does not answer whose a key is, and answers everything else: it is back, or away for some. */
function isolate(policies: Partial<RatePolicies> = {}): Service {
  const deadlines = new Deadlines();
  const hangs = (_: number, sql: string) => {
    if (!sql.includes('api_keys')) return false;
    asked += 1;
    if (away === 'throws') throw d1Error('Network connection lost.');
    return away === 'hangs';
  };
  const runtime = { now: () => now, timer: deadlines.timer };
  return new Service(({ DB }) => ({ DB: hangingDatabase(DB, deadlines, hangs) }), runtime, policies);
}

const look = (query = `phrase=${ada.phrase}`, key: string = API_KEYS.standard, headers = {}) =>
  service.get(`/v1/bank/customer?${query}`, key, headers);
const close = async (key: string, column: 'revoked_at' | 'expires_at', at: number) =>
  env.DB.prepare(`UPDATE api_keys SET ${column} = ? WHERE hash = ?`)
    .bind(at, await hashApiKey(key))
    .run();

describe.each(['hangs', 'throws'] as const)('while the check of a key %s', (how) => {
  const goAway = (after: number) => {
    now = CHECKED_AT + after;
    away = how;
  };

  it('a cached phrase is answered until five minutes after the last check, and not later', async () => {
    for (const after of [API_KEY_CACHE_MS, MAX_UNCHECKED_MS - 1]) {
      goAway(after);
      const answer = await look();
      expect([answer.status, answer.headers.get('X-Cache'), answer.body.data?.id]).toEqual([
        200,
        'HIT',
        ada.id,
      ]);
    }
    goAway(MAX_UNCHECKED_MS);
    expect((await look()).status).toBe(503);
  });

  it.each([
    ['a phrase that is not cached', 'phrase=zoo-zoo-zoo-zoo'],
    ['a phrase that can not be', 'phrase=no-such-thing-here'],
    ['an id', 'id=ID'],
    ['an email', 'email=adaobi.0@example.com'],
    ['a phrase with an id', 'phrase=PHRASE&id=ID'],
  ])('%s is a 503', async (_, query) => {
    goAway(API_KEY_CACHE_MS);
    const answer = await look(query.replace('ID', ada.id).replace('PHRASE', ada.phrase));
    expect([answer.status, answer.headers.get('Retry-After')]).toEqual([503, '5']);
  });

  it('a fresh answer, and one for a key that sees Extended fields, is a 503', async () => {
    await look(undefined, API_KEYS.full);
    goAway(API_KEY_CACHE_MS);
    expect((await look(undefined, API_KEYS.standard, { 'Cache-Control': 'no-cache' })).status).toBe(503);
    expect((await look(undefined, API_KEYS.full)).status).toBe(503);
  });

  it.each(ROUTES)('$method $path is a 503', async (route) => {
    goAway(API_KEY_CACHE_MS);
    const { path, body } = route.request(ada);
    expect((await service.request(route.method, path, { body })).status).toBe(503);
  });

  it('a key that was never checked by this isolate opens nothing', async () => {
    goAway(0);
    service = isolate();
    expect((await look()).status).toBe(503);
  });

  it('a key that D1 has refused since opens nothing', async () => {
    await close(API_KEYS.standard, 'revoked_at', 1);
    now = CHECKED_AT + API_KEY_CACHE_MS;
    expect((await look()).status).toBe(401);
    away = how;
    expect((await look()).status).toBe(503);
  });

  it('a key that has expired opens nothing', async () => {
    const expiresAt = CHECKED_AT + API_KEY_CACHE_MS + 1_000;
    await close(API_KEYS.standard, 'expires_at', expiresAt);
    now = CHECKED_AT + API_KEY_CACHE_MS;
    expect((await look()).status).toBe(200);
    now = expiresAt;
    away = how;
    expect((await look()).status).toBe(503);
  });

  it('one request in five seconds asks whether it is back, and no other waits', async () => {
    goAway(API_KEY_CACHE_MS);
    await look();
    asked = 0;
    for (let n = 0; n < 3; n += 1) expect((await look()).status).toBe(200);
    expect(asked).toBe(0);
    now += 5_000;
    const answers = await Promise.all([look(), look(), look()]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(asked).toBe(1);

    now += 5_000;
    away = 'no';
    await look();
    expect((await look(`id=${ada.id}`)).status).toBe(200);
  });
});

it('a healthy D1 is asked by all who come when a check is due', async () => {
  now = CHECKED_AT + API_KEY_CACHE_MS;
  const answers = await Promise.all([look(), look('phrase=zoo-zoo-zoo-zoo'), look(`id=${ada.id}`)]);
  expect(answers.map(({ status }) => status)).toEqual([200, 404, 200]);
});

it('an unchecked key is limited like any other', async () => {
  service = isolate({ lookups: { limit: 2, seconds: 3_600, step: 1 } });
  await look();
  now = CHECKED_AT + API_KEY_CACHE_MS;
  away = 'hangs';
  const statuses = [await look(), await look()].map(({ status }) => status);
  expect(statuses).toEqual([200, 429]);
  expect(service.log).toContainEqual(expect.objectContaining({ event: 'key_not_checked' }));
});
