/** A D1 that does not answer: every call has a deadline, and whoever waits for it is told. */
import { beforeEach, describe, expect, it } from 'vitest';
import { READ_DEADLINE_MS, WRITE_DEADLINE_MS } from '../../src/db/statements.ts';
import { RESEND_AFTER_MS } from '../../src/batches/batch-queue.ts';
import { systemRuntime } from '../../src/runtime.ts';
import { Deadlines, hangingDatabase } from '../support/faulty-bindings.ts';
import { sentCustomer } from '../support/customers.ts';
import { ROUTES } from '../support/routes.ts';
import { Service, type KnownCustomer } from '../support/service.ts';

let deadlines: Deadlines;
let customer: KnownCustomer;

beforeEach(async () => {
  deadlines = new Deadlines();
  customer = await new Service().createCustomer();
});

/** @param hangs which of its D1 calls, from 1 */
function hanging(hangs: (number: number, sql: string) => boolean, runtime = {}): Service {
  return new Service(({ DB }) => ({ DB: hangingDatabase(DB, deadlines, hangs) }), {
    ...runtime,
    timer: deadlines.timer,
  });
}

describe.each(ROUTES)('$method $path', (route) => {
  it('answers 503 with Retry-After, and says in the log why', async () => {
    const { path, body } = route.request(customer);
    for (const hangs of [() => true, (_: number, sql: string) => !sql.includes('api_keys')]) {
      const service = hanging(hangs);
      const answer = await service.request(route.method, path, { body });
      expect([answer.status, answer.body.code]).toEqual([503, 'UNAVAILABLE']);
      expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThan(0);
      expect(service.log.at(-1)).toMatchObject({ cause: expect.stringMatching(/^D1_TIMEOUT: no answer/) });
    }
  });

  it('answers whichever of its calls hangs, and leaves no timer behind', async () => {
    const { path, body } = route.request(customer);
    let calls = 0;
    for (let hung = 1; hung === 1 || calls >= hung; hung += 1) {
      calls = 0;
      const service = hanging((number) => (calls = number) === hung);
      const { status, headers } = await service.request(route.method, path, { body });
      expect(status).not.toBe(500);
      expect(headers.has('Retry-After')).toBe(status === 503);
      expect(deadlines.pending).toBe(0);
    }
  });
});

it('a read has five seconds, a write ten', async () => {
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
  const service = new Service(({ DB }) => ({ DB: hangingDatabase(DB, deadlines, watched) }), { timer });
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
  it('tries again later what D1 does not answer, and it goes in once', async () => {
    const service = new Service();
    await service.post([sentCustomer(5)]);
    for (const queue of ['customer-batches', 'customer-batches-dlq']) {
      const result = await hanging(() => true).deliverMessages(service.pendingPointers, queue);
      expect([result.explicitAcks, result.retryMessages]).toEqual([[], [{ msgId: 'message-0' }]]);
    }
    await service.deliverAll();
    const { headers } = await service.get('/v1/bank/customers');
    expect(headers.get('X-Total-Count')).toBe('2');
  });
});

describe('the sweep', () => {
  it('ends although D1 does not answer, and the next one sends', async () => {
    let now = Date.now();
    const clock = { now: () => now };
    const service = new Service(undefined, clock);
    await service.post([sentCustomer(5)]);
    now += RESEND_AFTER_MS;
    await expect(hanging(() => true, clock).sweep()).rejects.toThrow();
    service.pendingPointers.splice(0);
    await service.sweep();
    expect(service.pendingPointers).toHaveLength(1);
  });
});

it('the system’s timer calls back, and one that was cancelled does not', async () => {
  let cancelled = true;
  systemRuntime.timer(0, () => (cancelled = false))();
  await new Promise<void>((resolve) => void systemRuntime.timer(1, resolve));
  expect(cancelled).toBe(true);
});
