/** What an API key opens while D1 can't check whether it is still valid. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Env } from '../../src/env.ts';
import type { RatePolicies } from '../../src/rate-limits/rate-limits.ts';
import { hashApiKey, API_KEY_CACHE_MS, MAX_UNCHECKED_MS } from '../../src/api-keys/api-keys.service.ts';
import { API_KEYS, LAGOS } from '../support/banks.ts';
import { connectionLost, Deadlines, hangingDatabase, interceptCalls } from '../support/faulty-bindings.ts';
import { phraseStore, storedText } from '../support/phrase-store.ts';
import { ROUTES } from '../support/routes.ts';
import { textWithoutRequestId } from '../support/responses.ts';
import { Service, type KnownCustomer, type ServiceResponse } from '../support/service.ts';

const CHECKED_AT = Date.UTC(2026, 10, 25, 12);
let now: number;
let checks: 'work' | 'hang' | 'throw';
/** Number of checks of an API key in D1. */
let checkCount: number;
let service: Service;
let ada: KnownCustomer;

beforeEach(async () => {
  [now, checks, checkCount] = [CHECKED_AT, 'work', 0];
  service = createIsolate();
  ada = await service.createCustomer();
  // Now the API key is checked and the phrase is cached.
  await lookUp();
});

/** Returns an isolate whose D1 fails the checks of API keys alone. */
function createIsolate(policies: Partial<RatePolicies> = {}): Service {
  const deadlines = new Deadlines();
  const hangs = (_: number, sql: string) => {
    if (!sql.includes('api_keys')) return false;
    checkCount += 1;
    if (checks === 'throw') throw connectionLost();
    return checks === 'hang';
  };
  const runtime = { now: () => now, timer: deadlines.timer };
  return new Service(
    ({ DIRECTORY }) => ({ DIRECTORY: hangingDatabase(DIRECTORY, deadlines, hangs) }),
    runtime,
    policies,
  );
}

const lookUp = (query = `phrase=${ada.phrase}`, key: string = API_KEYS.standard, headers = {}) =>
  service.get(`/v1/bank/customer?${query}`, key, headers);
/** As another API key's lookup would: the phrase is cached longer than this API key is remembered. */
async function cacheAnew(): Promise<void> {
  const key = `phrase:${LAGOS}:${ada.phrase}`;
  const { value } = (await phraseStore.get(key)) as { value: unknown };
  await phraseStore.put(key, storedText(value, now));
}
const setKeyTime = async (apiKey: string, column: 'revoked_at' | 'expires_at', at: number) =>
  env.DIRECTORY.prepare(`UPDATE api_keys SET ${column} = ? WHERE hash = ?`)
    .bind(at, await hashApiKey(apiKey))
    .run();

describe.each(['hang', 'throw'] as const)('while checks of API keys %s', (failure) => {
  const failAfter = (ms: number) => {
    now = CHECKED_AT + ms;
    checks = failure;
  };

  it('a cached phrase is found until five minutes after the last check, and not later', async () => {
    for (const after of [API_KEY_CACHE_MS, MAX_UNCHECKED_MS - 1]) {
      failAfter(after);
      const response = await lookUp();
      expect([response.status, response.headers.get('X-Cache'), response.body.data?.id]).toEqual([
        200,
        'HIT',
        ada.id,
      ]);
    }
    failAfter(MAX_UNCHECKED_MS);
    await cacheAnew();
    expect((await lookUp()).status).toBe(503);
  });

  it.each([
    ['a phrase that is not cached', 'phrase=zoo-zoo-zoo-zoo'],
    ['a phrase that cannot exist', 'phrase=no-such-thing-here'],
    ['an id', 'id=ID'],
    ['an email', 'email=adaobi.0@example.com'],
    ['a phrase with an id', 'phrase=PHRASE&id=ID'],
  ])('a lookup by %s returns 503', async (_, query) => {
    failAfter(API_KEY_CACHE_MS);
    const response = await lookUp(query.replace('ID', ada.id).replace('PHRASE', ada.phrase));
    expect([response.status, response.headers.get('Retry-After')]).toEqual([503, '5']);
  });

  it('a lookup returns 503 if it asks for a fresh response or its API key sees Extended fields', async () => {
    await lookUp(undefined, API_KEYS.full);
    failAfter(API_KEY_CACHE_MS);
    expect((await lookUp(undefined, API_KEYS.standard, { 'Cache-Control': 'no-cache' })).status).toBe(503);
    expect((await lookUp(undefined, API_KEYS.full)).status).toBe(503);
  });

  it.each(ROUTES)('$method $path returns 503', async (route) => {
    failAfter(API_KEY_CACHE_MS);
    const { path, body } = route.request(ada);
    expect((await service.request(route.method, path, { body })).status).toBe(503);
  });

  it('an API key that this isolate has never checked opens nothing', async () => {
    failAfter(0);
    service = createIsolate();
    expect((await lookUp()).status).toBe(503);
  });

  it('an API key that D1 has refused since opens nothing', async () => {
    await setKeyTime(API_KEYS.standard, 'revoked_at', 1);
    now = CHECKED_AT + API_KEY_CACHE_MS;
    expect((await lookUp(`id=${ada.id}`)).status).toBe(401);
    checks = failure;
    expect((await lookUp()).status).toBe(503);
  });

  it('an expired API key opens nothing', async () => {
    const expiresAt = CHECKED_AT + API_KEY_CACHE_MS + 1_000;
    await setKeyTime(API_KEYS.standard, 'expires_at', expiresAt);
    now = CHECKED_AT + API_KEY_CACHE_MS;
    expect((await lookUp()).status).toBe(200);
    now = expiresAt;
    checks = failure;
    expect((await lookUp()).status).toBe(503);
  });

  it('one request in five seconds tries a check, and no other waits', async () => {
    failAfter(API_KEY_CACHE_MS);
    await lookUp();
    checkCount = 0;
    for (let n = 0; n < 3; n += 1) expect((await lookUp()).status).toBe(200);
    expect(checkCount).toBe(0);
    now += 5_000;
    const responses = await Promise.all([lookUp(), lookUp(), lookUp()]);
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(checkCount).toBe(1);

    now += 5_000;
    checks = 'work';
    await lookUp();
    expect((await lookUp(`id=${ada.id}`)).status).toBe(200);
  });
});

it('checks an API key for every request that arrives when a check is due, if D1 works', async () => {
  now = CHECKED_AT + API_KEY_CACHE_MS;
  const responses = await Promise.all([lookUp(), lookUp('phrase=zoo-zoo-zoo-zoo'), lookUp(`id=${ada.id}`)]);
  expect(responses.map(({ status }) => status)).toEqual([200, 404, 200]);
});

describe('a revoked API key', () => {
  beforeEach(() => setKeyTime(API_KEYS.standard, 'revoked_at', CHECKED_AT));

  it('opens a cached phrase until the check that its first request after 30 s begins, and nothing else', async () => {
    now = CHECKED_AT + API_KEY_CACHE_MS;
    expect((await lookUp()).headers.get('X-Cache')).toBe('HIT');
    expect((await lookUp()).status).toBe(401);
  });

  it.each([
    ['a phrase that is not cached', 'phrase=zoo-zoo-zoo-zoo', {}],
    ['a phrase that cannot exist', 'phrase=no-such-thing-here', {}],
    ['a phrase, asked for afresh', undefined, { 'Cache-Control': 'no-cache' }],
    ['an id', 'id=cus_none', {}],
  ])('gets the 401 of every API key after 30 s for %s', async (_, query, headers) => {
    now = CHECKED_AT + API_KEY_CACHE_MS;
    const refused = await lookUp(query, API_KEYS.standard, headers);
    const unknown = await lookUp(query, 'peere_test_nobody');
    const seen = (response: ServiceResponse) => [
      response.status,
      textWithoutRequestId(response),
      [...response.headers].filter(([name]) => name !== 'x-request-id'),
    ];
    expect(seen(refused)).toEqual(seen(unknown));
    expect(refused.status).toBe(401);
  });

  it('opens nothing five minutes after the last check, even in an isolate that was not asked since', async () => {
    now = CHECKED_AT + MAX_UNCHECKED_MS;
    await cacheAnew();
    expect((await lookUp()).status).toBe(401);
  });
});

it('does not keep a cached phrase waiting for the check of its API key', async () => {
  let answerCheck = () => {};
  const answered = new Promise<void>((resolve) => (answerCheck = resolve));
  const slow = new Service(
    ({ DIRECTORY }) => ({
      DIRECTORY: interceptCalls(DIRECTORY, async (work, sql) => {
        if (now > CHECKED_AT && sql.includes('api_keys')) await answered;
        return work();
      }) as D1Database,
    }),
    // The check is answered once the request is. If the request waited for it, this would never end.
    {
      now: () => now,
      log: (_, { event }) => (event === 'request' && now > CHECKED_AT ? answerCheck() : undefined),
    },
  );
  const ask = () => slow.get(`/v1/bank/customer?phrase=${ada.phrase}`, API_KEYS.standard);
  await ask();
  now = CHECKED_AT + API_KEY_CACHE_MS;
  const { status, headers } = await ask();
  expect([status, headers.get('X-Cache')]).toEqual([200, 'HIT']);
});

it('limits an unchecked API key like any other', async () => {
  service = createIsolate({ lookups: { limit: 2, seconds: 3_600, step: 1 } });
  await lookUp();
  now = CHECKED_AT + API_KEY_CACHE_MS;
  checks = 'hang';
  const statuses = [await lookUp(), await lookUp()].map(({ status }) => status);
  expect(statuses).toEqual([200, 429]);
  expect(service.log).toContainEqual(expect.objectContaining({ event: 'key_not_checked' }));
});

it('a revocation that D1 reports late takes effect as soon as it is reported', async () => {
  const timers = new Map<() => void, number>();
  const timer = (milliseconds: number, callback: () => void) => {
    timers.set(callback, now + milliseconds);
    return () => void timers.delete(callback);
  };
  const passTime = (milliseconds: number) => {
    now += milliseconds;
    for (const [callback, at] of timers) if (at <= now) callback();
  };
  let reportMs = 0;
  const slowly = ({ DIRECTORY }: Pick<Env, 'DIRECTORY'>) => ({
    DIRECTORY: interceptCalls(DIRECTORY, async (work, sql) => {
      const result = await work();
      if (sql.includes('api_keys')) passTime(reportMs);
      return result;
    }) as D1Database,
  });
  service = new Service(slowly, { now: () => now, timer });
  await lookUp();
  await setKeyTime(API_KEYS.standard, 'revoked_at', 1);
  [now, reportMs] = [CHECKED_AT + API_KEY_CACHE_MS, 4_000];
  expect((await lookUp()).status).toBe(200);
  expect((await lookUp()).status).toBe(401);
});
