/** `/health`: for monitors, without an API key, and of no use to anybody who wants to make work. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Env } from '../../src/env.ts';
import { brokenDatabase, d1Error } from '../support/faulty-bindings.ts';
import { Meter } from '../support/meter.ts';
import { Service } from '../support/service.ts';

let now: number;
let meter: Meter;

beforeEach(() => {
  now = Date.UTC(2026, 10, 22, 12, 0, 0);
  meter = new Meter();
  stalled = 0;
});

const away = d1Error('Network connection lost at secret-host');
const failing = () => Promise.reject(new Error('away at secret-host'));
let stalled: number;
const never = () => {
  stalled += 1;
  return new Promise<never>(() => {});
};

/** Deadlines end only what stalls, however slow the machine is: when nothing else is waited for any more. */
function deadlines() {
  const pending = new Set<() => void>();
  const endStalled = () => {
    if (stalled > 0 && pending.size === stalled) for (const callback of pending) callback();
    else if (pending.size > 0) setTimeout(endStalled, 5);
  };
  return (_: number, callback: () => void) => {
    pending.add(callback);
    setTimeout(endStalled, 5);
    return () => void pending.delete(callback);
  };
}

/** On the real D1, KV and queue, but for what `rewire` breaks. */
function serviceWith(rewire: Partial<Env> = {}): Service {
  return new Service(() => ({ DB: meter.database(env.DB), BATCH_QUEUE: env.BATCH_QUEUE, ...rewire }), {
    now: () => now,
    timer: deadlines(),
  });
}

function ask(service: Service, path = '/health?deep=1', address = '192.0.2.1') {
  return service.get(path, null, { 'CF-Connecting-IP': address });
}

describe('GET /health', () => {
  it('says without an API key that the Worker runs, and asks D1 nothing', async () => {
    const answer = await ask(serviceWith(), '/health');
    expect([answer.status, answer.body]).toEqual([
      200,
      { statusCode: 200, success: true, message: 'The service is running', data: { checked: [] } },
    ]);
    expect(meter.d1Calls).toBe(0);
  });

  it('says that the Worker runs even when everything else is away', async () => {
    const service = serviceWith({ DB: brokenDatabase(env.DB, away, () => false) });
    expect((await ask(service, '/health')).status).toBe(200);
  });

  it('answers other methods with 405 and those that it has', async () => {
    const answer = await serviceWith().request('POST', '/health', { apiKey: null });
    expect([answer.status, answer.headers.get('Allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('refuses any other question with a 400', async () => {
    for (const query of ['deep=yes', 'deep=1&deep=1', 'verbose=1']) {
      expect((await ask(serviceWith(), `/health?${query}`)).status).toBe(400);
    }
  });
});

describe('GET /health?deep=1', () => {
  it('asks the real D1, KV and queue, sends nothing and writes nothing', async () => {
    const before = await env.BATCH_QUEUE.metrics();
    const answer = await ask(serviceWith());
    expect([answer.status, answer.body.data]).toEqual([200, { checked: ['database', 'cache', 'queue'] }]);
    expect([meter.d1Calls, meter.rowsWritten]).toEqual([1, 0]);
    expect((await env.BATCH_QUEUE.metrics()).backlogCount).toBe(before.backlogCount);
    expect((await env.PHRASE_CACHE.list()).keys).toEqual([]);
  });

  it.each([
    ['database', 'fails', { DB: brokenDatabase(env.DB, away, () => false) }],
    ['cache', 'fails', { PHRASE_CACHE: { get: failing } as unknown as KVNamespace }],
    ['cache', 'never answers', { PHRASE_CACHE: { get: never } as unknown as KVNamespace }],
    ['queue', 'fails', { BATCH_QUEUE: { metrics: failing } as unknown as Queue }],
    ['queue', 'never answers', { BATCH_QUEUE: { metrics: never } as unknown as Queue }],
  ])('answers 503 and names the %s when it %s, and tells nobody why', async (name, _, rewire) => {
    const service = serviceWith(rewire);
    const answer = await ask(service);
    expect([answer.status, answer.body.code]).toEqual([503, 'UNAVAILABLE']);
    expect(answer.body.errors).toEqual([{ field: name, message: expect.any(String) }]);
    expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThan(0);
    expect(answer.text + JSON.stringify(service.log.map(({ cause: __, ...line }) => line))).not.toContain(
      'secret-host',
    );
    expect(service.log).toContainEqual(
      expect.objectContaining({ level: 'error', event: 'dependency_unavailable', dependency: name }),
    );
  });

  it('names everything that is away at once', async () => {
    const answer = await ask(
      serviceWith({
        DB: brokenDatabase(env.DB, away, () => false),
        PHRASE_CACHE: { get: never } as unknown as KVNamespace,
        BATCH_QUEUE: { metrics: failing } as unknown as Queue,
      }),
    );
    const names = answer.body.errors.map(({ field }: { field: string }) => field);
    expect(names).toEqual(['database', 'cache', 'queue']);
  });

  it('asks again only after five seconds, and then tells what is so then', async () => {
    let broken = true;
    const DB = brokenDatabase(env.DB, away, () => !broken);
    const service = serviceWith({ DB });
    expect((await ask(service)).status).toBe(503);
    broken = false;
    now += 4_999;
    expect((await ask(service)).status).toBe(503);
    now += 1;
    expect((await ask(service)).status).toBe(200);
  });

  it('costs D1 at most four reads in ten seconds, however many ask at once', async () => {
    const service = serviceWith();
    const asked = Array.from({ length: 50 }, (_, n) => ask(service, '/health?deep=1', `192.0.2.${n}`));
    const statuses = new Set((await Promise.all(asked)).map(({ status }) => status));
    expect(statuses).toEqual(new Set([200, 429]));
    expect(meter.d1Calls).toBeLessThanOrEqual(4);
  });
});

describe('a client that asks for /health too often', () => {
  const statuses = async (count: number, service: Service, address?: string) => {
    const found = new Set<number>();
    for (let n = 0; n < count; n += 1) found.add((await ask(service, '/health', address)).status);
    return [...found];
  };

  it('is told to wait, alone, and let in again then', async () => {
    const service = serviceWith();
    expect(await statuses(30, service)).toEqual([200]);
    const refused = await ask(service, '/health');
    expect([refused.status, refused.headers.get('Retry-After')]).toEqual([429, '10']);
    expect(await statuses(1, service, '192.0.2.2')).toEqual([200]);
    now += 10_000;
    expect(await statuses(1, service)).toEqual([200]);
  });

  it('finds no more room by changing its address without end', async () => {
    const service = serviceWith();
    const found = new Set<number>();
    for (let n = 0; n < 1_100; n += 1) found.add((await ask(service, '/health', `2001:db8::${n}`)).status);
    expect([...found]).toEqual([200, 429]);
    expect(await statuses(1, service, '2001:db8::1')).toEqual([200]);
  });
});
