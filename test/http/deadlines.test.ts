/** A cache, a queue or a rate limiter that does not answer: no request waits for it for ever, and nothing is lost. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { RESEND_AFTER_MS } from '../../src/batches/batch-queue.ts';
import type { ValueStore } from '../../src/customers/data-centre-cache.ts';
import type { Env } from '../../src/env.ts';
import { BINDING_DEADLINE_MS } from '../../src/runtime.ts';
import { API_KEYS } from '../support/banks.ts';
import { Deadlines } from '../support/faulty-bindings.ts';
import { sentCustomer } from '../support/customers.ts';
import { phraseStore } from '../support/phrase-store.ts';
import { Service } from '../support/service.ts';

let deadlines: Deadlines;
let now: number;
let ada: { id: string; phrase: string; email: string };
let hung: string[];

beforeEach(async () => {
  deadlines = new Deadlines();
  now = Date.now();
  hung = [];
  ada = await new Service().createCustomer(sentCustomer(1));
});

/** Remembers what it was called for, and never answers. */
const hang = (call: string) => () => {
  hung.push(call);
  return deadlines.hang();
};

function serviceWith(rewire: Partial<Env> & { PHRASE_CACHE?: ValueStore }): Service {
  return new Service(() => rewire, {
    now: () => now,
    timer: deadlines.timer,
    sleep: () => Promise.resolve(),
  });
}

/** The real cache, some calls of which hang. */
function cacheHanging(calls: Partial<ValueStore>): Service {
  const real: ValueStore = {
    get: (key) => phraseStore.get(key),
    put: (...args) => phraseStore.put(...args),
    delete: (key) => phraseStore.delete(key),
  };
  return serviceWith({ PHRASE_CACHE: { ...real, ...calls } });
}

const queueHanging = () => serviceWith({ BATCH_QUEUE: { sendBatch: hang('send') } as unknown as Queue });
const lookUp = (service: Service) => service.get(`/v1/bank/customer?phrase=${ada.phrase}`, API_KEYS.standard);
const erase = (service: Service) => service.request('DELETE', `/v1/bank/customer?id=${ada.id}`);
const cached = async () => (await phraseStore.keys()).length;
const stored = () => env.SHARD_1.prepare('SELECT count(*) AS n FROM customers').first('n');

describe('a queue that does not answer', () => {
  it('delays a 201 by its deadline at most, and the sweep sends what it did not take', async () => {
    const service = queueHanging();
    expect((await service.post([sentCustomer(2)])).status).toBe(201);
    expect(service.log).toContainEqual(
      expect.objectContaining({
        event: 'batch_send_failed',
        cause: `QUEUE_TIMEOUT: no answer within ${BINDING_DEADLINE_MS} ms`,
      }),
    );
    expect([hung, deadlines.pending]).toEqual([['send'], 0]);
    now += RESEND_AFTER_MS;
    const later = serviceWith({});
    await later.sweep();
    await later.deliverAll();
    expect(await stored()).toBe(2);
  });

  it('fails a sweep, and the next one sends', async () => {
    const service = queueHanging();
    await service.post([sentCustomer(2)]);
    now += RESEND_AFTER_MS;
    await expect(service.sweep()).rejects.toThrow('QUEUE_TIMEOUT');
    now += RESEND_AFTER_MS;
    const later = serviceWith({});
    await later.sweep();
    expect([later.pendingPointers.length, deadlines.pending]).toEqual([1, 0]);
  });
});

describe('a phrase cache that does not answer', () => {
  it('makes a lookup slower, not wrong, and leaves nothing waiting', async () => {
    for (const calls of [{ put: hang('put') }, { get: hang('get') }]) {
      const answer = await lookUp(cacheHanging(calls));
      expect([answer.status, answer.body.data.id]).toEqual([200, ada.id]);
    }
    expect([hung, deadlines.pending]).toEqual([['put', 'get'], 0]);
  });

  it('does not keep an update from being answered and made', async () => {
    // What other banks see is written by the same code, and at the same time.
    const put = (key: string) => (key.startsWith('payee:') ? Promise.resolve() : hang('put')());
    const service = cacheHanging({ put });
    const body = { id: ada.id, update: { accountName: 'New Name' } };
    expect((await service.request('PATCH', '/v1/bank/customer', { body })).status).toBe(200);
    expect([hung, deadlines.pending]).toEqual([['put'], 0]);
    // Nobody knows whether it was written, so it is removed.
    expect(await cached()).toBe(0);
    expect((await lookUp(new Service())).body.data.accountName).toBe('New Name');
  });

  it('does not keep an erasure from being answered and made, and is told of it twice', async () => {
    await lookUp(new Service());
    const service = cacheHanging({ delete: hang('delete') });
    expect((await erase(service)).status).toBe(200);
    expect([hung, deadlines.pending, await stored()]).toEqual([
      ['delete', 'delete', 'delete', 'delete'],
      0,
      0,
    ]);
    const failures = service.log.filter(({ event }) => event === 'phrase_cache_failed');
    expect(failures.map(({ action }) => action)).toEqual(['forget', 'forget', 'forget', 'forget']);
  });

  it('holds no erased customer when it answers the second time', async () => {
    await lookUp(new Service());
    expect(await cached()).toBe(1);
    const hangOnce = hang('delete');
    const service = cacheHanging({
      delete: (key) => (hung.length === 0 ? hangOnce() : phraseStore.delete(key)),
    });
    expect((await erase(service)).status).toBe(200);
    expect([hung, await cached()]).toEqual([['delete'], 0]);
  });
});

it('a lookup that the cache answers leaves no timer behind', async () => {
  let slept = 0;
  const service = new Service(() => ({}), {
    timer: deadlines.timer,
    sleep: () => {
      slept += 1;
      return Promise.resolve();
    },
  });
  expect((await lookUp(service)).headers.get('X-Cache')).toBe('MISS');
  expect((await lookUp(service)).headers.get('X-Cache')).toBe('HIT');
  expect([slept, deadlines.pending]).toEqual([0, 0]);
});

it('a rate limiter that does not answer keeps nobody, and leaves nothing waiting', async () => {
  const limits: Partial<Env> = { LOOKUP_LIMIT: { limit: hang('limit') } };
  const service = serviceWith(limits);
  expect((await lookUp(service)).status).toBe(200);
  expect([hung, deadlines.pending]).toEqual([['limit'], 0]);
  expect(service.log).toContainEqual(
    expect.objectContaining({ event: 'rate_limiter_failed', limiter: 'lookups' }),
  );
});
