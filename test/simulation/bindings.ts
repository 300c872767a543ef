/** The Worker's bindings: each call waits for the scheduler, and then goes to the real D1 or KV or the modelled queue. */
import type { FailureLimits } from '../../src/batches/failures.store.ts';
import type { ChunkPointer } from '../../src/batches/batch-queue.ts';
import type { Env } from '../../src/env.ts';
import { connectionLost, interceptCalls, withSessions } from '../support/faulty-bindings.ts';
import { unlimitedBindings } from '../support/service.ts';
import type { Random } from './random.ts';
import type { QueueModel } from './queue-model.ts';
import type { CallOutcome, Scheduler } from './scheduler.ts';

const failure = (message: string) => () => new Error(message);

/** Makes the call, unless it fails before, and loses its response if it fails after. */
async function applyOutcome<Result>(
  outcome: CallOutcome,
  error: () => Error,
  work: () => Promise<Result>,
): Promise<Result> {
  if (outcome === 'before') throw error();
  const result = await work();
  if (outcome === 'after') throw error();
  return result;
}

export function scheduledBindings(
  real: Env,
  limits: FailureLimits,
  scheduler: Scheduler,
  queue: QueueModel,
  random: Random,
): Env {
  return {
    ...real,
    ...unlimitedBindings,
    MAX_STORED_FAILURES: limits.stored,
    MAX_FAILURES_PER_DAY: limits.perDay,
    DB: withSessions(scheduledDatabase(real.DB, scheduler)),
    PHRASE_CACHE: scheduledCache(real.PHRASE_CACHE, scheduler),
    BATCH_QUEUE: scheduledQueue(scheduler, queue, random),
  };
}

function scheduledDatabase(db: D1Database, scheduler: Scheduler): D1Database {
  return interceptCalls(db, (work) =>
    scheduler.park('d1', (outcome) => applyOutcome(outcome, connectionLost, work)),
  ) as D1Database;
}

/** A value of the right shape that belongs to another bank. */
const foreignValue = (key: string) => (key.startsWith('payee:') ? foreignPayee : foreignCustomer(key));

/** A payee names its phrase and no bank that could be compared, so this is another phrase's. */
const foreignPayee = {
  phrase: 'zoo-zoo-zoo-zoo',
  accountName: 'Somebody Else',
  displayPicture: null,
  bankId: 'bnk_foreign',
  country: 'NG',
};

const foreignCustomer = (key: string) => ({
  revision: 'cus_foreign',
  customer: {
    id: 'cus_foreign',
    accountName: 'Somebody Else',
    gender: null,
    displayPicture: null,
    bankId: 'bnk_foreign',
    phrase: key.split(':')[2],
    country: 'NG',
  },
});

/** Values expire by the scheduler's clock, because KV's own cannot be moved. */
function scheduledCache(kv: KVNamespace, scheduler: Scheduler): KVNamespace {
  const expiries = new Map<string, number>();
  return {
    get: (key: string, type: 'json') =>
      scheduler.park('kv get', async (outcome) => {
        if (outcome === 'garbage') return JSON.parse('{"id":');
        if (outcome === 'foreign') return foreignValue(key);
        const value = await applyOutcome(outcome, failure('KV GET failed: 500'), () => kv.get(key, type));
        return scheduler.now < (expiries.get(key) ?? 0) ? value : null;
      }),
    put: (key: string, value: string, { expirationTtl = Infinity }: KVNamespacePutOptions = {}) =>
      scheduler.park('kv put', (outcome) =>
        applyOutcome(outcome, failure('KV PUT failed: 429'), async () => {
          await kv.put(key, value);
          expiries.set(key, scheduler.now + expirationTtl * 1_000);
        }),
      ),
    delete: (key: string) =>
      scheduler.park('kv put', (outcome) =>
        applyOutcome(outcome, failure('KV DELETE failed: 500'), () => kv.delete(key)),
      ),
  } as unknown as KVNamespace;
}

function scheduledQueue(scheduler: Scheduler, queue: QueueModel, random: Random): Queue<ChunkPointer> {
  return {
    sendBatch: (messages: { body: ChunkPointer }[]) =>
      scheduler.park('queue', (outcome) =>
        applyOutcome(outcome === 'partly' ? 'after' : outcome, failure('Queue send failed'), async () => {
          const bodies = messages.map(({ body }) => body);
          queue.send(outcome === 'partly' ? bodies.filter(() => random.happens(0.5)) : bodies);
        }),
      ),
  } as unknown as Queue<ChunkPointer>;
}
