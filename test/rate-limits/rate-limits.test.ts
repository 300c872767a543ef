/** Limits of an API key on its requests, and the tighter limit on its misses. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import wranglerToml from '../../wrangler.toml?raw';
import { redriveBank } from '../../src/batches/process/redrive.store.ts';
import { executeBatch } from '../../src/db/statements.ts';
import type { Env } from '../../src/env.ts';
import { RATE_POLICIES, type RatePolicies } from '../../src/rate-limits/rate-limits.ts';
import rateLimits from '../../src/rate-limits/rate-limits.json';
import { API_KEYS, LAGOS } from '../support/banks.ts';
import { interceptTransactions } from '../support/faulty-bindings.ts';
import { sentCustomer, sentCustomers } from '../support/customers.ts';
import { Meter } from '../support/meter.ts';
import { Service } from '../support/service.ts';

const few = { limit: 3, seconds: 10, step: 1 };
const NOW = Date.UTC(2026, 10, 22, 12, 0, 4);
let now: number;
let id: string;
let phrase: string;

beforeEach(async () => {
  now = NOW;
  const [row] = await new Service().createCustomers([sentCustomer(1)]);
  ({ id = '', phrase = '' } = row ?? {});
});

function limited(policies: Partial<RatePolicies>, bindings: Partial<Env> = {}): Service {
  return new Service(() => bindings, { now: () => now }, policies);
}
const hit = (service: Service, key: string = API_KEYS.full) => service.get(`/v1/bank/customer?id=${id}`, key);
const statuses = async (count: number, ask: () => Promise<{ status: number }>) => {
  const found: number[] = [];
  for (let n = 0; n < count; n += 1) found.push((await ask()).status);
  return found;
};

describe('an API key that has used up its lookups', () => {
  it('gets a 429 that says how long to wait, and is admitted again after that', async () => {
    const service = limited({ lookups: few });
    expect(await statuses(4, () => hit(service))).toEqual([200, 200, 200, 429]);
    const answer = await hit(service);
    expect(answer.body).toMatchObject({
      statusCode: 429,
      success: false,
      message: 'Rate limit exceeded',
      code: 'RATE_LIMITED',
      retryAfter: 6,
      errors: [{ field: 'Authorization', message: expect.stringContaining('lookups') }],
    });
    expect(answer.headers.get('Retry-After')).toBe('6');
    now += 6_000;
    expect((await hit(service)).status).toBe(200);
  });

  it('does not limit other API keys, or other classes', async () => {
    const service = limited({ lookups: few });
    await statuses(4, () => hit(service));
    expect((await hit(service, API_KEYS.standard)).status).toBe(200);
    expect((await service.post(sentCustomers(1))).status).toBe(201);
  });

  it('can read in every response what its limits are, and what is left', async () => {
    const service = limited({ lookups: few, misses: { ...few, limit: 2, seconds: 60 } });
    const { headers } = await hit(service);
    expect(headers.get('RateLimit-Policy')).toBe('"lookups";q=3;w=10, "misses";q=2;w=60');
    expect(headers.get('RateLimit')).toBe('"lookups";r=2;t=6, "misses";r=2;t=56');
    expect((await hit(service)).headers.get('RateLimit')).toContain('"lookups";r=1;t=6');
  });

  it('gets the 429 for an operation that its scopes do not allow, too', async () => {
    const service = limited({ lookups: few });
    const forbidden = () => hit(service, API_KEYS.writer);
    expect(await statuses(4, forbidden)).toEqual([403, 403, 403, 429]);
    expect((await forbidden()).headers.get('Retry-After')).toBe('6');
  });

  it('causes no more calls of D1', async () => {
    const meter = new Meter();
    const service = limited({ lookups: few }, { SHARD_1: meter.database(env.SHARD_1) });
    await statuses(3, () => hit(service));
    meter.reset();
    expect((await hit(service)).status).toBe(429);
    expect(meter.d1Calls).toBe(0);
  });
});

describe('misses', () => {
  type Ask = (service: Service) => Promise<{ status: number }>;
  const guesses: [string, Ask, number][] = [
    ['a phrase', (service) => service.get('/v1/bank/customer?phrase=zoo-zoo-zoo-zoo'), 1],
    [
      'a phrase at the edge',
      (service) => service.get('/v1/bank/customer?phrase=zoo-zoo-zoo-zoo', API_KEYS.standard),
      1,
    ],
    ['an impossible phrase', (service) => service.get('/v1/bank/customer?phrase=no-such-thing-here'), 1],
    ['an email', (service) => service.get('/v1/bank/customer?email=nobody@example.com'), 1],
    ['an email with an id', (service) => service.get(`/v1/bank/customer?email=a@b.co&id=${id}`), 1],
    ['phrases in a filter', (service) => service.get('/v1/bank/customers?phrases=zoo-zoo-zoo-zoo,a,b'), 3],
    ['phrases and ids', (service) => service.get(`/v1/bank/customers?phrases=a,b&ids=${id}`), 2],
  ];

  it.each(guesses)('by %s are counted', async (_, ask, misses) => {
    const service = limited({ misses: { ...few, limit: misses } });
    expect((await ask(service)).status).toBeLessThan(405);
    expect((await ask(service)).status).toBe(429);
  });

  // A bank may look for the ids of a 201 before their chunks are applied.
  const unguessable: [string, Ask][] = [
    ['an id', (service) => service.get('/v1/bank/customer?id=cus_nobody')],
    ['ids in a filter', (service) => service.get('/v1/bank/customers?ids=a,b,c,d')],
    [
      'an update',
      (service) =>
        service.request('PATCH', '/v1/bank/customer', { body: { id: 'x', update: { state: 'y' } } }),
    ],
    ['an erasure', (service) => service.request('DELETE', '/v1/bank/customer?id=x')],
  ];

  it.each(unguessable)('by %s are not counted, because nobody can guess an id', async (_, ask) => {
    const service = limited({ misses: few });
    expect(await statuses(5, () => ask(service))).not.toContain(429);
  });

  const WORDS = ['zoo', 'zone', 'zero', 'youth', 'young', 'you', 'yellow', 'year', 'yard', 'wrong'];
  /** Possible phrases that no customer has. */
  const unknown = (count: number, first = 0) =>
    Array.from({ length: count }, (_, n) => {
      const digits = String(first + n).padStart(4, '0');
      return digits
        .split('')
        .map((digit) => WORDS[Number(digit)])
        .join('-');
    });
  const fifty = { misses: { limit: 50, seconds: 10, step: 1 } };
  const filter = (service: Service, phrases: string[]) =>
    service.get(`/v1/bank/customers?phrases=${phrases.join()}&limit=100`);
  /** How many names these responses reveal as unknown. */
  const told = (answers: { status: number }[], names: number) =>
    answers.filter(({ status }) => status < 429).length * names;

  it('are counted in the headers of the very answer that tells them, refused or not', async () => {
    const service = limited({ lookups: { ...few, limit: 9 }, misses: { ...few, limit: 5 } });
    const left = ({ headers }: { headers: Headers }) => headers.get('RateLimit');
    const miss = () => service.get('/v1/bank/customer?email=nobody@example.com');
    expect(left(await miss())).toBe('"lookups";r=8;t=6, "misses";r=4;t=6');
    expect(left(await hit(service))).toBe('"lookups";r=7;t=6, "misses";r=4;t=6');
    expect(left(await filter(service, unknown(2)))).toBe('"lookups";r=6;t=6, "misses";r=2;t=6');
    const refused = await filter(service, unknown(3, 10));
    expect([refused.status, left(refused)]).toEqual([429, '"lookups";r=5;t=6, "misses";r=0;t=6']);
    const closed = await hit(service);
    expect([closed.status, left(closed)]).toEqual([429, '"lookups";r=5;t=6, "misses";r=0;t=6']);
  });

  it('are counted in the headers of the window in which they are told', async () => {
    const SHARD_1 = interceptTransactions(env.SHARD_1, async (_, work) => {
      now += 6_000;
      return work();
    });
    const service = limited({ lookups: few, misses: fifty.misses }, { SHARD_1 });
    const { headers } = await filter(service, unknown(2));
    expect(headers.get('RateLimit')).toBe('"lookups";r=3;t=10, "misses";r=48;t=10');
  });

  it('are revealed at most fifty times per window, however many a filter names', async () => {
    const service = limited(fifty);
    expect((await filter(service, unknown(49))).status).toBe(200);
    const refused = await filter(service, unknown(100, 100));
    expect(refused.body).toMatchObject({
      code: 'RATE_LIMITED',
      retryAfter: 6,
      errors: [{ field: 'phrases', message: expect.stringContaining('at most 50 at a time') }],
    });
    // It has used up the rest: the next guess is refused before D1 is asked.
    expect((await service.get('/v1/bank/customer?email=nobody@example.com')).status).toBe(429);
    now += 6_000;
    expect((await filter(service, unknown(51, 200))).status).toBe(429);
    now += 10_000;
    expect((await filter(service, unknown(50, 300))).status).toBe(200);
  });

  it('are revealed at most fifty times per window, however many requests run at once', async () => {
    const service = limited(fifty);
    for (const names of [100, 10, 7, 1]) {
      now += 10_000;
      const requests = Array.from({ length: 60 }, (_, n) => filter(service, unknown(names, n * names)));
      const answers = await Promise.all(requests);
      expect(told(answers, names)).toBeLessThanOrEqual(50);
      if (names < 50) expect(told(answers, names)).toBeGreaterThan(50 - names);
    }
  });

  it('count in the window in which they are revealed', async () => {
    let begun = 0;
    let goOn = () => {};
    const edge = new Promise<void>((resolve) => (goOn = resolve));
    const SHARD_1 = interceptTransactions(env.SHARD_1, async (_, work) => {
      begun += 1;
      await edge;
      return work();
    });
    const service = limited(fifty, { SHARD_1 });
    const early = Array.from({ length: 4 }, (_, n) => filter(service, unknown(49, n * 49)));
    await vi.waitUntil(() => begun === 4);
    now += 6_000;
    goOn();
    expect(told(await Promise.all(early), 49)).toBe(49);
    expect((await hit(service)).status).toBe(429);
  });

  it('do not limit a filter of a hundred known phrases as long as one miss is left', async () => {
    const own = (await new Service().createCustomers(sentCustomers(110).slice(10))).map((row) => row.phrase);
    const service = limited(fifty);
    expect((await filter(service, unknown(49))).status).toBe(200);
    for (let n = 0; n < 3; n += 1) {
      const answer = await filter(service, own);
      expect([answer.status, answer.headers.get('X-Total-Count')]).toEqual([200, '100']);
    }
  });

  it('hold back hits too once they are used up, even of requests that began before', async () => {
    let goOn = () => {};
    const held = new Promise<void>((resolve) => (goOn = resolve));
    let begun = 0;
    const SHARD_1 = interceptTransactions(env.SHARD_1, async (_, work) => {
      begun += 1;
      if (begun === 1) await held;
      return work();
    });
    const service = limited(fifty, { SHARD_1 });
    const early = filter(service, [phrase]);
    await vi.waitUntil(() => begun === 1);
    expect((await filter(service, unknown(50))).status).toBe(200);
    goOn();
    expect((await early).status).toBe(429);
  });

  it('are limited to 500 names in flight, and those of a stopped request count until its window ends', async () => {
    let begun = 0;
    const never = new Promise<never>(() => {});
    const SHARD_1 = interceptTransactions(env.SHARD_1, (_, work) => ((begun += 1) <= 5 ? never : work()));
    const service = limited({ misses: { limit: 1_000, seconds: 10, step: 1 } }, { SHARD_1 });
    for (let n = 0; n < 5; n += 1) void filter(service, unknown(100, n * 100));
    await vi.waitUntil(() => begun === 5);
    const refused = await filter(service, [phrase]);
    expect([refused.status, refused.body.retryAfter, refused.body.errors[0].message]).toEqual([
      429,
      1,
      expect.stringContaining('500 phrases and emails in flight'),
    ]);
    expect((await hit(service)).status).toBe(200);
    now += 6_000;
    expect((await filter(service, [phrase])).status).toBe(200);
  });

  it('are not caused by hits, which are limited only as lookups', async () => {
    const service = limited({ misses: few });
    expect(await statuses(10, () => hit(service))).toEqual(Array(10).fill(200));
    for (let n = 0; n < 10; n += 1) await service.get(`/v1/bank/customers?phrases=${phrase}&ids=${id}`);
    expect((await hit(service)).status).toBe(200);
  });

  it('refuse hits too once they are used up, so that a 429 reveals nothing', async () => {
    const service = limited({ misses: few });
    await statuses(3, () => service.get('/v1/bank/customer?email=nobody@example.com'));
    expect((await hit(service)).status).toBe(429);
    expect((await service.get(`/v1/bank/customers?phrases=${phrase}`)).status).toBe(429);
  });
});

describe('the platform’s limiter', () => {
  /** A limiter that two isolates share. */
  function shared(limit: number) {
    let count = 0;
    return { limit: async () => ({ success: (count += 1) <= limit }) };
  }

  it('adds up the counts of isolates', async () => {
    const LOOKUP_LIMIT = shared(4);
    const [one, other] = [limited({}, { LOOKUP_LIMIT }), limited({}, { LOOKUP_LIMIT })];
    expect(await statuses(3, () => hit(one))).toEqual([200, 200, 200]);
    // The request that exceeds the limit is already admitted; the next one is not.
    expect(await statuses(3, () => hit(other))).toEqual([200, 200, 429]);
  });

  it('is told of every step once', async () => {
    let told = 0;
    const LOOKUP_LIMIT = { limit: async () => ({ success: (told += 1) > 0 }) };
    const service = limited({ lookups: { limit: 1_000, seconds: 10, step: 5 } }, { LOOKUP_LIMIT });
    await statuses(11, () => hit(service));
    expect(told).toBe(3);
  });

  it('refuses nobody when it fails', async () => {
    const limit = () => Promise.reject(new Error('limiter away'));
    expect((await hit(limited({}, { LOOKUP_LIMIT: { limit } }))).status).toBe(200);
  });

  it('delays nobody when it does not answer', async () => {
    const { promise: told, resolve: answer } = Promise.withResolvers<{ success: boolean }>();
    const service = limited({}, { LOOKUP_LIMIT: { limit: () => told } });
    const ended = hit(service);
    await expect.poll(() => service.log.at(-1)).toMatchObject({ event: 'request', status: 200 });
    answer({ success: true });
    await ended;
  });

  it('has the limits that the headers name, which `npm run build` copies from wrangler.toml', () => {
    const set = wranglerToml.matchAll(
      /name = "(\w+_LIMIT)"\nnamespace_id = "\d+"\nsimple = \{ limit = (\d+), period = (\d+) \}/g,
    );
    expect(rateLimits).toEqual(
      Object.fromEntries(
        [...set].map(([, name, limit, period]) => [name, { limit: Number(limit), period: Number(period) }]),
      ),
    );
    expect(
      Object.values(RATE_POLICIES).map(({ limit, seconds, step }) => ({
        limit: limit / step,
        period: seconds,
      })),
    ).toEqual(Object.values(rateLimits));
    const { lookups, misses } = RATE_POLICIES;
    // Pix, which answers the same question, charges a miss as much as 20 hits.
    expect(lookups.limit / lookups.seconds).toBeGreaterThanOrEqual((20 * misses.limit) / misses.seconds);
  });

  it('is bound, and refuses', async () => {
    const results: boolean[] = [];
    // More than twice the limit of a window, in case one ends in the middle.
    for (let n = 0; n < 2 * RATE_POLICIES.misses.limit + 2; n += 1)
      results.push((await env.MISS_LIMIT.limit({ key: 'somebody' })).success);
    expect(results).toContain(false);
  });
});

describe('open batches', () => {
  it('are limited per bank, but a retry of an accepted one still gets its response', async () => {
    const service = limited({}, { MAX_OPEN_BATCHES: 2 });
    const send = (number: number) =>
      service.request('POST', '/v1/bank/customers', {
        headers: { 'Idempotency-Key': `key-${number}` },
        body: { customers: [sentCustomer(10 + number)] },
      });
    expect(await statuses(2, () => send(now++ % 2))).toEqual([201, 201]);
    const refused = await send(7);
    expect([refused.status, refused.body.retryAfter, refused.body.errors[0].field]).toEqual([
      429,
      10,
      'customers',
    ]);
    expect((await send(0)).headers.get('Idempotent-Replayed')).toBe('true');
    expect((await service.post([sentCustomer(20)], API_KEYS.other)).status).toBe(201);
    await service.deliverAll();
    expect((await send(7)).status).toBe(201);
  });

  it('are bounded however many are sent at once, and a retry among them is answered', async () => {
    const sent = 12;
    let begun = 0;
    const { promise: all, resolve: goOn } = Promise.withResolvers<void>();
    // Each has counted the others before any of them is stored.
    const SHARD_1 = interceptTransactions(env.SHARD_1, async (number, work) => {
      const result = await work();
      begun += 1;
      if (begun === sent) goOn();
      if (number <= sent) await all;
      return result;
    });
    const service = limited({}, { SHARD_1, MAX_OPEN_BATCHES: 3 });
    const send = (by: Service, number: number) =>
      by.request('POST', '/v1/bank/customers', {
        headers: { 'Idempotency-Key': `key-${number}` },
        body: { customers: [sentCustomer(30 + number)] },
      });
    const answers = await Promise.all(Array.from({ length: sent }, (_, number) => send(service, number)));
    const refused = answers.filter(({ status }) => status === 429);
    expect([answers.filter(({ status }) => status === 201).length, refused.length]).toEqual([3, 9]);
    for (const { body } of refused) {
      expect([body.retryAfter, body.errors]).toEqual([
        10,
        [
          {
            field: 'customers',
            message: '3 batches of your bank are being processed; wait for some of them',
          },
        ],
      ]);
    }
    const accepted = answers.findIndex(({ status }) => status === 201);
    expect((await send(service, accepted)).headers.get('Idempotent-Replayed')).toBe('true');
    const stored = await env.SHARD_1.prepare(
      `SELECT count(*) AS n FROM batches WHERE status = 'PROCESSING'`,
    ).first('n');
    expect(stored).toBe(3);
  });

  it('that were accepted elsewhere meanwhile are replayed, and not refused, under the same Idempotency-Key', async () => {
    const other = new Service();
    const send = (by: Service) =>
      by.request('POST', '/v1/bank/customers', {
        headers: { 'Idempotency-Key': 'the-same' },
        body: { customers: [sentCustomer(30)] },
      });
    const SHARD_1 = interceptTransactions(env.SHARD_1, async (number, work) => {
      const result = await work();
      if (number === 1) await send(other);
      return result;
    });
    const answer = await send(limited({}, { SHARD_1, MAX_OPEN_BATCHES: 1 }));
    expect([answer.status, answer.headers.get('Idempotent-Replayed')]).toEqual([201, 'true']);
  });

  it('that are stalled are counted separately in the error, because waiting does not end them', async () => {
    const service = limited({}, { MAX_OPEN_BATCHES: 2 });
    for (const number of [11, 12]) await service.post([sentCustomer(number)]);
    const refused = async () => {
      const { status, body } = await service.post([sentCustomer(13)]);
      return [status, body.retryAfter, body.errors[0].message];
    };
    expect(await refused()).toEqual([
      429,
      10,
      '2 batches of your bank are being processed; wait for some of them',
    ]);
    const stalled = /ask the operator of the service to redrive the stalled ones$/;
    await service.deliverDeadLetters(service.pendingPointers.splice(0, 1));
    expect(await refused()).toEqual([
      429,
      10,
      expect.stringMatching(/^1 .* being processed and 1 are STALLED/),
    ]);
    await service.deliverDeadLetters(service.pendingPointers.splice(0, 1));
    expect(await refused()).toEqual([
      429,
      600,
      expect.stringMatching(/^0 .* being processed and 2 are STALLED/),
    ]);
    expect((await refused())[2]).toMatch(stalled);
    // An operator redrives this bank's stalled batches, and none of another bank.
    const nobodys = await executeBatch(env.SHARD_1, redriveBank('bnk_none', now));
    expect(nobodys.at(-1)).toEqual([]);
    const redriven = await executeBatch(env.SHARD_1, redriveBank(LAGOS, now));
    expect(redriven.at(-1)).toHaveLength(2);
    await service.sweep();
    await service.deliverAll();
    expect((await service.post([sentCustomer(13)])).status).toBe(201);
  });
});
