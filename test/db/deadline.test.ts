/** A D1 that hangs: every call has a deadline, after which its request, message or sweep ends. */
import { beforeEach, describe, expect, it } from 'vitest';
import { READ_DEADLINE_MS, WRITE_DEADLINE_MS } from '../../src/db/statements.ts';
import { RESEND_AFTER_MS } from '../../src/batches/batch-queue.ts';
import { systemRuntime } from '../../src/runtime.ts';
import { Deadlines, hangingDatabase, onEveryDatabase } from '../support/faulty-bindings.ts';
import { sentCustomer } from '../support/customers.ts';
import { ROUTES } from '../support/routes.ts';
import { Service, type KnownCustomer } from '../support/service.ts';

let deadlines: Deadlines;
let customer: KnownCustomer;

beforeEach(async () => {
  deadlines = new Deadlines();
  customer = await new Service().createCustomer();
});

/** Counts the calls of all databases together. */
function numbered(hangs: (number: number, sql: string) => boolean) {
  let number = 0;
  return (db: D1Database) =>
    hangingDatabase(db, deadlines, (_, sql) => {
      number += 1;
      return hangs(number, sql);
    });
}

/** @param hangs whether a D1 call hangs, by its number from 1 and its SQL */
function hangingService(hangs: (number: number, sql: string) => boolean, runtime = {}): Service {
  return new Service((env) => onEveryDatabase(env, numbered(hangs)), {
    ...runtime,
    timer: deadlines.timer,
  });
}

describe.each(ROUTES)('$method $path', (route) => {
  it('returns 503 with Retry-After and logs the cause if D1 hangs', async () => {
    const { path, body } = route.request(customer);
    for (const hangs of [() => true, (_: number, sql: string) => !sql.includes('api_keys')]) {
      const service = hangingService(hangs);
      const response = await service.request(route.method, path, { body });
      expect([response.status, response.body.code]).toEqual([503, 'UNAVAILABLE']);
      expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(0);
      expect(service.log.at(-1)).toMatchObject({ cause: expect.stringMatching(/^D1_TIMEOUT: no answer/) });
    }
  });

  it('responds whichever of its D1 calls hangs, and leaves no timer behind', async () => {
    const { path, body } = route.request(customer);
    let calls = 0;
    for (let hung = 1; hung === 1 || calls >= hung; hung += 1) {
      calls = 0;
      const service = hangingService((number) => (calls = number) === hung);
      const { status, headers } = await service.request(route.method, path, { body });
      expect(status).not.toBe(500);
      const retryAfter = headers.has('Retry-After');
      expect({ hung, retryAfter }).toEqual({ hung, retryAfter: status === 503 });
      expect({ hung, pendingTimers: deadlines.pending }).toEqual({ hung, pendingTimers: 0 });
    }
  });
});

it('gives reads five seconds and writes ten', async () => {
  const set: [string, number][] = [];
  let sql = '';
  const timer = (milliseconds: number) => {
    // Other bindings have deadlines too.
    if (sql !== '') set.push([/^\w+/.exec(sql)?.[0].toUpperCase() ?? '', milliseconds]);
    sql = '';
    return () => {};
  };
  const watched = (_: number, text: string) => {
    sql = text;
    return false;
  };
  const service = new Service(
    (env) => onEveryDatabase(env, (db) => hangingDatabase(db, deadlines, watched)),
    {
      timer,
    },
  );
  for (const route of ROUTES) {
    const { path, body } = route.request(customer);
    await service.request(route.method, path, { body });
  }
  await service.deliverAll();
  await service.sweep();
  const expected = set.map(([verb]) => [verb, verb === 'SELECT' ? READ_DEADLINE_MS : WRITE_DEADLINE_MS]);
  expect(set).toEqual(expected);
  expect(new Set(set.map(([verb]) => verb))).toEqual(new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE']));
});

describe('the consumer', () => {
  it('retries a message if D1 hangs, and applies its chunk once', async () => {
    const service = new Service();
    await service.post([sentCustomer(5)]);
    for (const queue of ['customer-batches', 'customer-batches-dlq']) {
      const result = await hangingService(() => true).deliverMessages(service.pendingPointers, queue);
      expect([result.explicitAcks, result.retryMessages]).toEqual([[], [{ msgId: 'message-0' }]]);
    }
    await service.deliverAll();
    const { headers } = await service.get('/v1/bank/customers');
    expect(headers.get('X-Total-Count')).toBe('2');
  });
});

describe('the sweep', () => {
  it('ends if D1 hangs, and the next one sends', async () => {
    let now = Date.now();
    const clock = { now: () => now };
    const service = new Service(undefined, clock);
    await service.post([sentCustomer(5)]);
    now += RESEND_AFTER_MS;
    await expect(hangingService(() => true, clock).sweep()).rejects.toThrow();
    service.pendingPointers.splice(0);
    await service.sweep();
    expect(service.pendingPointers).toHaveLength(1);
  });
});

it('calls back after a timer of the system unless it was cancelled', async () => {
  const callbacks: string[] = [];
  systemRuntime.timer(0, () => callbacks.push('cancelled'))();
  await new Promise<void>((resolve) => void systemRuntime.timer(1, resolve));
  expect(callbacks).toEqual([]);
});
