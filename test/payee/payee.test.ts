/** The payer's question: what it reveals of another bank's customer, what it does not, and what asking costs. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { API_KEY_CACHE_MS, hashApiKey, MAX_UNCHECKED_MS } from '../../src/api-keys/api-keys.service.ts';
import { BANK_SCOPES, SCOPES } from '../../src/api-keys/scopes.ts';
import type { ValueStore } from '../../src/customers/data-centre-cache.ts';
import { LIMITS } from '../../src/limits.ts';
import { ACCRA, API_KEYS, LAGOS } from '../support/banks.ts';
import { brokenDatabase, d1Error } from '../support/faulty-bindings.ts';
import { sentCustomer } from '../support/customers.ts';
import { phraseStore, storedText } from '../support/phrase-store.ts';
import { Meter } from '../support/meter.ts';
import { Service, type ServiceResponse, type TestBindings } from '../support/service.ts';

const NOON = Date.UTC(2026, 10, 25, 12);
const UNKNOWN = 'zoo-zoo-zoo-zoo';
const PICTURE = 'https://pictures.example.org/ada.png';

let now: number;
let meter: Meter;
let service: Service;
let phrase: string;
let id: string;

beforeEach(async () => {
  [now, meter] = [NOON, new Meter()];
  service = isolate();
  const [row] = await service.createCustomers([sentCustomer(1)]);
  ({ phrase = '', id = '' } = row ?? {});
  // Its API key is cached, so that calls can be compared.
  await service.get('/v1/bank/customers', API_KEYS.network);
  meter.reset();
});

function isolate(rewire: ConstructorParameters<typeof Service>[0] = () => ({})): Service {
  const runtime = { now: () => now, sleep: () => Promise.resolve() };
  return new Service(
    (bindings) => meter.bindings({ ...bindings, ...rewire(bindings) } as TestBindings),
    runtime,
  );
}

const payeeOf = (name: string, key: string = API_KEYS.network, by = service): Promise<ServiceResponse> =>
  by.get(`/v1/network/payee?phrase=${encodeURIComponent(name)}`, key);
const change = (update: object) => service.updateCustomer(id, update);
const erase = () => service.eraseCustomer(id);
const cached = async (name = phrase) =>
  ((await phraseStore.get(`payee:${name}`)) as { value: object } | null)?.value ?? null;

/** Everything that a client sees, without what differs between any two responses. */
function seen({ status, headers, text }: ServiceResponse) {
  const visible = [...headers].filter(([name]) => !['x-request-id', 'ratelimit'].includes(name));
  return { status, visible, text: text.replace(headers.get('X-Request-Id') ?? '', '') };
}

describe('a customer of another bank', () => {
  it('shows five fields, from D1 and from the cache alike', async () => {
    await change({ displayPicture: PICTURE, state: 'Lagos' });
    await phraseStore.delete(`payee:${phrase}`);
    for (const cache of ['MISS', 'HIT']) {
      const { status, headers, body } = await payeeOf(` ${phrase.toUpperCase().replaceAll('-', ' ')} `);
      expect([status, headers.get('X-Cache')]).toEqual([200, cache]);
      expect(body).toEqual({
        statusCode: 200,
        success: true,
        message: 'Payee retrieved successfully',
        data: {
          phrase,
          accountName: 'Adaobi Okafor 1',
          displayPicture: PICTURE,
          bankId: LAGOS,
          country: 'NG',
        },
      });
      // Neither the revision nor the state of the other bank's data shows.
      expect([...headers.keys()].filter((name) => /etag|bookmark/.test(name))).toEqual([]);
    }
  });

  it('shows no more to an API key with every scope, and no more by the routes of its own bank', async () => {
    const { body } = await payeeOf(phrase, API_KEYS.other);
    expect(Object.keys(body.data)).toEqual(['phrase', 'accountName', 'displayPicture', 'bankId', 'country']);
    expect((await service.get(`/v1/bank/customer?phrase=${phrase}`, API_KEYS.other)).status).toBe(404);
  });

  it('can be asked for by phrase only', async () => {
    for (const query of [`id=${id}`, 'email=adaobi.1@example.com', `phrase=${phrase}&id=${id}`, '']) {
      expect((await service.get(`/v1/network/payee?${query}`, API_KEYS.network)).status).toBe(400);
    }
    expect((await service.get(`/v1/network/payee?phrase=${phrase}&phrase=a`, API_KEYS.network)).status).toBe(
      400,
    );
  });
});

describe('the scope network:resolve', () => {
  it('opens payees only, and no other scope opens them', async () => {
    const scopesOf = (scopes: string) =>
      env.DIRECTORY.prepare('UPDATE api_keys SET scopes = ? WHERE hash = ?').bind(scopes, hash).run();
    const hash = await hashApiKey(API_KEYS.other);
    for (const scopes of [BANK_SCOPES.join(' '), 'network', 'network:resolver', 'network:resolve:x']) {
      await scopesOf(scopes);
      expect([scopes, (await payeeOf(phrase, API_KEYS.other, isolate())).status]).toEqual([scopes, 403]);
    }
    expect(SCOPES).toEqual([...BANK_SCOPES, 'network:resolve']);
    for (const path of ['customers', `customer?phrase=${phrase}`, 'customers/batches', 'audit']) {
      expect((await service.get(`/v1/bank/${path}`, API_KEYS.network)).status).toBe(403);
    }
  });
});

describe('a phrase that is nobody’s', () => {
  it('gets the same 404 and costs the same calls, whether it is unknown, erased or no phrase', async () => {
    const ask = async (name: string) => {
      meter.reset();
      const answer = seen(await payeeOf(name));
      return { ...answer, calls: meter.calls };
    };
    const unknown = await ask(UNKNOWN);
    expect(unknown).toMatchObject({ status: 404, calls: { d1Calls: 2, cacheReads: 1, cacheWrites: 0 } });
    await payeeOf(phrase);
    await erase();
    const malformed = [
      '',
      ' ',
      'a',
      '-',
      'river-stone',
      'x'.repeat(4_000),
      '\u0000',
      "' OR 1=1 --",
      '٠',
      'ﬀ',
    ];
    for (const name of [phrase, ...malformed]) expect(await ask(name)).toEqual(unknown);
  });

  it('counts for the limit on misses of the API key, like any other', async () => {
    const one = { limit: 1, seconds: 10, step: 1 };
    const limited = new Service(undefined, { now: () => now }, { misses: one, payees: { ...one, limit: 9 } });
    const { headers } = await payeeOf(UNKNOWN, API_KEYS.network, limited);
    expect(headers.get('RateLimit')).toBe('"payees";r=8;t=10, "misses";r=0;t=10');
    expect((await payeeOf(phrase, API_KEYS.network, limited)).status).toBe(429);
  });
});

describe('the cache', () => {
  const value = () => ({ phrase, accountName: 'X', displayPicture: null, bankId: ACCRA, country: 'NG' });
  const put = (text: string) => phraseStore.put(`payee:${phrase}`, text);

  it.each([
    ['another phrase’s value', () => ({ ...value(), phrase: UNKNOWN })],
    ['a value with more fields', () => ({ ...value(), email: 'a@example.com' })],
    ['a value with fewer fields', () => ({ phrase })],
    [
      'a value of its own bank’s lookups',
      () => ({ revision: id, customer: { ...value(), id, gender: null } }),
    ],
    ['no object', () => 'payee'],
  ])('is not believed if it holds %s', async (_, made) => {
    await put(storedText(made(), now));
    expect((await payeeOf(phrase)).body.data).toMatchObject({
      bankId: LAGOS,
      accountName: 'Adaobi Okafor 1',
    });
  });

  it('is not believed if it holds garbage, and not needed if it fails', async () => {
    await put('{"phrase":');
    expect((await payeeOf(phrase)).body.data.bankId).toBe(LAGOS);
    const fails = () => Promise.reject(new Error('the cache is down'));
    const away = isolate(() => ({ PHRASE_CACHE: { get: fails, put: fails, delete: fails } }));
    expect((await payeeOf(phrase, API_KEYS.network, away)).body.data.bankId).toBe(LAGOS);
  });

  it('holds only payees that were asked for and found', async () => {
    await service.get(`/v1/bank/customer?phrase=${phrase}`, API_KEYS.standard);
    await payeeOf(UNKNOWN);
    expect([await cached(), await cached(UNKNOWN)]).toEqual([null, null]);
    await payeeOf(phrase);
    expect(await cached()).toMatchObject({ phrase, bankId: LAGOS });
  });

  it('is written by an update of what it shows, and emptied by an erasure', async () => {
    await payeeOf(phrase);
    for (const update of [
      { accountName: 'Adaobi Eze' },
      { displayPicture: PICTURE },
      { displayPicture: null },
    ]) {
      await change(update);
      expect(await cached()).toMatchObject(update);
      const { headers, body } = await payeeOf(phrase);
      expect([headers.get('X-Cache'), body.data]).toEqual(['HIT', expect.objectContaining(update)]);
    }
    await erase();
    expect(await cached()).toBeNull();
    expect((await payeeOf(phrase)).status).toBe(404);
  });

  it('does not keep what a fill reads before an update, or an erasure, and writes after it', async () => {
    for (const overtake of [() => change({ accountName: 'Adaobi Eze' }), erase]) {
      await phraseStore.delete(`payee:${phrase}`);
      let filled = false;
      const PHRASE_CACHE: ValueStore = {
        get: (key) => phraseStore.get(key),
        put: async (...args) => {
          if (!filled) {
            filled = true;
            await overtake();
          }
          return phraseStore.put(...args);
        },
        delete: (key) => phraseStore.delete(key),
      };
      service = isolate(() => ({ PHRASE_CACHE }));
      await payeeOf(phrase);
      expect(await cached()).toBeNull();
    }
  });
});

it('while D1 does not confirm the API key, only cached payees are answered', async () => {
  let isAway = false;
  const error = d1Error('Network connection lost.');
  const away = isolate(({ DIRECTORY }) => ({
    DIRECTORY: brokenDatabase(DIRECTORY, error, () => !isAway),
  }));
  expect((await payeeOf(phrase, API_KEYS.network, away)).status).toBe(200);
  isAway = true;
  const statusAfter = async (name: string, milliseconds: number) => {
    now = NOON + milliseconds;
    return (await payeeOf(name, API_KEYS.network, away)).status;
  };
  expect(await statusAfter(phrase, MAX_UNCHECKED_MS - 1)).toBe(200);
  expect(await statusAfter(UNKNOWN, API_KEY_CACHE_MS)).toBe(503);
  expect(await statusAfter('no phrase', API_KEY_CACHE_MS)).toBe(503);
  expect(await statusAfter(phrase, MAX_UNCHECKED_MS)).toBe(503);
});

describe('the daily budget of misses', () => {
  const missed = async (misses: number, day = '2026-11-25', bank = ACCRA) =>
    env.SHARD_1.prepare('INSERT OR REPLACE INTO payee_misses (bank_id, day, misses) VALUES (?, ?, ?)')
      .bind(bank, day, misses)
      .run();
  const counted = () => env.SHARD_1.prepare('SELECT bank_id, day, misses FROM payee_misses').all();

  it('counts misses, and nothing else, for the bank that asks', async () => {
    for (const name of [UNKNOWN, phrase, 'no phrase', phrase]) await payeeOf(name);
    await payeeOf(UNKNOWN, API_KEYS.other);
    expect((await counted()).results).toEqual([{ bank_id: ACCRA, day: '2026-11-25', misses: 3 }]);
  });

  it('closes hits too once it is used up, cached or not, until the UTC day ends', async () => {
    await payeeOf(phrase);
    await missed(LIMITS.maxPayeeMissesPerDay - 1);
    expect((await payeeOf(UNKNOWN)).status).toBe(404);
    expect(service.log).toContainEqual(
      expect.objectContaining({ event: 'payee_budget_used_up', bank: ACCRA }),
    );
    meter.reset();
    const refused = await payeeOf(phrase);
    expect([refused.status, refused.headers.get('Retry-After')]).toEqual([429, String(12 * 3_600)]);
    expect(seen(await payeeOf(UNKNOWN))).toEqual(seen(refused));
    expect(meter.calls).toMatchObject({ d1Calls: 0, cacheReads: 0 });
    // Another bank asks on.
    expect((await payeeOf(phrase, API_KEYS.full)).status).toBe(200);
    now += 12 * 3_600_000;
    expect((await payeeOf(UNKNOWN)).status).toBe(404);
    expect((await payeeOf(phrase)).status).toBe(200);
    expect((await counted()).results).toEqual([{ bank_id: ACCRA, day: '2026-11-26', misses: 1 }]);
  });

  it('is one for all isolates: one that does not know yet reveals nothing that is not cached', async () => {
    await missed(LIMITS.maxPayeeMissesPerDay);
    const [hit, miss] = [
      await payeeOf(phrase, API_KEYS.network, isolate()),
      await payeeOf(UNKNOWN, API_KEYS.network, isolate()),
    ];
    expect([hit.status, seen(hit)]).toEqual([429, seen(miss)]);
    expect(await cached()).toBeNull();
  });

  it('is held when many ask at once: as many misses are revealed as were left', async () => {
    await missed(LIMITS.maxPayeeMissesPerDay - 2);
    const answers = await Promise.all(Array.from({ length: 5 }, () => payeeOf(UNKNOWN)));
    expect(answers.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([
      404, 404, 429, 429, 429,
    ]);
  });

  it('does not begin anew because a clock is behind', async () => {
    await missed(7, '2026-11-26');
    await payeeOf(UNKNOWN);
    expect((await counted()).results).toEqual([{ bank_id: ACCRA, day: '2026-11-26', misses: 8 }]);
    await missed(LIMITS.maxPayeeMissesPerDay, '2026-11-26');
    for (const name of [phrase, UNKNOWN]) {
      expect((await payeeOf(name, API_KEYS.network, isolate())).status).toBe(429);
    }
  });

  it('reveals no miss that it can not count, nor anything more until that one is counted', async () => {
    const error = d1Error('database or disk is full');
    let full = true;
    const lets = (sql: string) => !full || !sql.includes('INTO payee_misses');
    const away = isolate(({ SHARD_1 }) => ({ SHARD_1: brokenDatabase(SHARD_1, error, lets) }));
    expect((await payeeOf(UNKNOWN, API_KEYS.network, away)).status).toBeGreaterThanOrEqual(500);
    expect((await payeeOf(phrase, API_KEYS.network, away)).status).toBeGreaterThanOrEqual(500);
    full = false;
    expect((await payeeOf(phrase, API_KEYS.network, away)).status).toBe(200);
    expect((await counted()).results).toEqual([{ bank_id: ACCRA, day: '2026-11-25', misses: 1 }]);
  });
});
