/** `/health`: for monitors, without an API key, at a bounded cost. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { brokenDatabase, d1Error, onEveryDatabase } from '../support/faulty-bindings.ts';
import { Meter } from '../support/meter.ts';
import { phraseStore } from '../support/phrase-store.ts';
import { Service, type Rewired } from '../support/service.ts';

const DATABASES = ['directory', 'SHARD_1', 'SHARD_2'];

let now: number;
let meter: Meter;

beforeEach(() => {
  now = Date.UTC(2026, 10, 22, 12, 0, 0);
  meter = new Meter();
  hanging = 0;
});

const databaseError = d1Error('Network connection lost at secret-host');
const throws = () => Promise.reject(new Error('unavailable at secret-host'));
/** Calls that hang. */
let hanging: number;
const hangs = () => {
  hanging += 1;
  return new Promise<never>(() => {});
};

/** Deadlines that pass when only hanging calls are left, so that a slow machine changes nothing. */
function deadlines() {
  const pending = new Set<() => void>();
  const endHangingCalls = () => {
    if (hanging > 0 && pending.size === hanging) for (const callback of pending) callback();
    else if (pending.size > 0) setTimeout(endHangingCalls, 5);
  };
  return (_: number, callback: () => void) => {
    pending.add(callback);
    setTimeout(endHangingCalls, 5);
    return () => void pending.delete(callback);
  };
}

/** Returns a service on the real D1, cache and queue, except for the bindings that a test replaces. */
function serviceWith(bindings: Rewired = {}): Service {
  return new Service(
    () => ({
      ...onEveryDatabase(env, (db) => meter.database(db)),
      BATCH_QUEUE: env.BATCH_QUEUE,
      ...bindings,
    }),
    {
      now: () => now,
      timer: deadlines(),
    },
  );
}

function getHealth(service: Service, path = '/health?deep=1', ip = '192.0.2.1') {
  return service.get(path, null, { 'CF-Connecting-IP': ip });
}

describe('GET /health', () => {
  it('says without an API key that the service is running, and makes no D1 call', async () => {
    const response = await getHealth(serviceWith(), '/health');
    expect([response.status, response.body]).toEqual([
      200,
      { statusCode: 200, success: true, message: 'The service is running', data: { checked: [] } },
    ]);
    expect(meter.d1Calls).toBe(0);
  });

  it('says that the service is running even if D1 is unavailable', async () => {
    const service = serviceWith({ DIRECTORY: brokenDatabase(env.DIRECTORY, databaseError) });
    expect((await getHealth(service, '/health')).status).toBe(200);
  });

  it('returns 405 with the allowed methods for any other', async () => {
    const response = await serviceWith().request('POST', '/health', { apiKey: null });
    expect([response.status, response.headers.get('Allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('returns 400 for any other query', async () => {
    for (const query of ['deep=yes', 'deep=1&deep=1', 'verbose=1']) {
      expect((await getHealth(serviceWith(), `/health?${query}`)).status).toBe(400);
    }
  });
});

describe('GET /health?deep=1', () => {
  it('checks the real D1, cache and queue, and sends and writes nothing', async () => {
    const before = await env.BATCH_QUEUE.metrics();
    const response = await getHealth(serviceWith());
    expect([response.status, response.body.data]).toEqual([
      200,
      { checked: [...DATABASES, 'cache', 'queue'] },
    ]);
    expect({ d1Calls: meter.d1Calls, rowsWritten: meter.rowsWritten }).toEqual({
      d1Calls: DATABASES.length,
      rowsWritten: 0,
    });
    expect((await env.BATCH_QUEUE.metrics()).backlogCount).toBe(before.backlogCount);
    expect(await phraseStore.keys()).toEqual([]);
  });

  it.each([
    ['directory', 'fails', { DIRECTORY: brokenDatabase(env.DIRECTORY, databaseError) }],
    ['SHARD_1', 'fails', { SHARD_1: brokenDatabase(env.SHARD_1, databaseError) }],
    ['SHARD_2', 'fails', { SHARD_2: brokenDatabase(env.SHARD_2, databaseError) }],
    ['cache', 'fails', { PHRASE_CACHE: { get: throws } }],
    ['cache', 'hangs', { PHRASE_CACHE: { get: hangs } }],
    ['queue', 'fails', { BATCH_QUEUE: { metrics: throws } as unknown as Queue }],
    ['queue', 'hangs', { BATCH_QUEUE: { metrics: hangs } as unknown as Queue }],
  ])('returns 503 naming the %s if it %s, without the cause', async (name, _, bindings) => {
    const service = serviceWith(bindings);
    const response = await getHealth(service);
    expect([response.status, response.body.code]).toEqual([503, 'UNAVAILABLE']);
    expect(response.body.errors).toEqual([{ field: name, message: expect.any(String) }]);
    expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(0);
    expect(response.text + JSON.stringify(service.log.map(({ cause: __, ...line }) => line))).not.toContain(
      'secret-host',
    );
    expect(service.log).toContainEqual(
      expect.objectContaining({ level: 'error', event: 'dependency_unavailable', dependency: name }),
    );
  });

  it('names every dependency that is unavailable', async () => {
    const response = await getHealth(
      serviceWith({
        DIRECTORY: brokenDatabase(env.DIRECTORY, databaseError),
        PHRASE_CACHE: { get: hangs },
        BATCH_QUEUE: { metrics: throws } as unknown as Queue,
      }),
    );
    const names = response.body.errors.map(({ field }: { field: string }) => field);
    expect(names).toEqual(['directory', 'cache', 'queue']);
  });

  it('repeats its last result for five seconds, and then checks again', async () => {
    let broken = true;
    const DIRECTORY = brokenDatabase(env.DIRECTORY, databaseError, () => !broken);
    const service = serviceWith({ DIRECTORY });
    expect((await getHealth(service)).status).toBe(503);
    broken = false;
    now += 4_999;
    expect((await getHealth(service)).status).toBe(503);
    now += 1;
    expect((await getHealth(service)).status).toBe(200);
  });

  it('costs each database at most four reads in ten seconds, however many requests arrive', async () => {
    const service = serviceWith();
    const requests = Array.from({ length: 50 }, (_, n) =>
      getHealth(service, '/health?deep=1', `192.0.2.${n}`),
    );
    const statuses = new Set((await Promise.all(requests)).map(({ status }) => status));
    expect(statuses).toEqual(new Set([200, 429]));
    expect(meter.d1Calls).toBeLessThanOrEqual(4 * DATABASES.length);
  });
});

describe('a client that requests /health too often', () => {
  const statuses = async (count: number, service: Service, ip?: string) => {
    const found = new Set<number>();
    for (let n = 0; n < count; n += 1) found.add((await getHealth(service, '/health', ip)).status);
    return [...found];
  };

  it('gets 429 with Retry-After, which other clients do not, and 200 after that time', async () => {
    const service = serviceWith();
    expect(await statuses(30, service)).toEqual([200]);
    const refused = await getHealth(service, '/health');
    expect([refused.status, refused.headers.get('Retry-After')]).toEqual([429, '10']);
    expect(await statuses(1, service, '192.0.2.2')).toEqual([200]);
    now += 10_000;
    expect(await statuses(1, service)).toEqual([200]);
  });

  it('cannot use up the memory by changing its IP address, and gets 429', async () => {
    const service = serviceWith();
    const found = new Set<number>();
    for (let n = 0; n < 1_100; n += 1)
      found.add((await getHealth(service, '/health', `2001:db8::${n}`)).status);
    expect([...found]).toEqual([200, 429]);
    expect(await statuses(1, service, '2001:db8::1')).toEqual([200]);
  });
});
