/** The Worker's bindings, each call of which parks on the stage. Behind them are the real D1 and the real KV. */
import type { FailureLimits } from '../../src/batches/failures.store.ts';
import type { ChunkPointer } from '../../src/batches/batch-queue.ts';
import type { Env } from '../../src/env.ts';
import { interceptCalls, d1Error, withSessions } from '../support/faulty-bindings.ts';
import { unlimitedBindings } from '../support/service.ts';
import type { Random } from './random.ts';
import type { QueueModel } from './queue-model.ts';
import type { CallOutcome, Scheduler } from './scheduler.ts';

/** As D1 throws it: its own words, and the network's as the cause. */
const lost = () => d1Error('Network connection lost.');
const failure = (words: string) => () => new Error(words);

/** Runs a call as outcome has it: not at all, or in vain. */
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

export function parkedBindings(
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
    DB: withSessions(parkedDatabase(real.DB, scheduler)),
    PHRASE_CACHE: parkedCache(real.PHRASE_CACHE, scheduler),
    BATCH_QUEUE: parkedQueue(scheduler, queue, random),
  };
}

function parkedDatabase(db: D1Database, scheduler: Scheduler): D1Database {
  return interceptCalls(db, (work) =>
    scheduler.park('d1', (outcome) => applyOutcome(outcome, lost, work)),
  ) as D1Database;
}

/** A value of the right shape, of a bank that does not exist. */
const foreignValue = (key: string) => ({
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

function parkedCache(kv: KVNamespace, scheduler: Scheduler): KVNamespace {
  return {
    get: (key: string, type: 'json') =>
      scheduler.park('kv get', async (outcome) => {
        if (outcome === 'garbage') return JSON.parse('{"id":');
        if (outcome === 'foreign') return foreignValue(key);
        return applyOutcome(outcome, failure('KV GET failed: 500'), () => kv.get(key, type));
      }),
    put: (...args: Parameters<KVNamespace['put']>) =>
      scheduler.park('kv put', (outcome) =>
        applyOutcome(outcome, failure('KV PUT failed: 429'), () => kv.put(...args)),
      ),
    delete: (key: string) =>
      scheduler.park('kv put', (outcome) =>
        applyOutcome(outcome, failure('KV DELETE failed: 500'), () => kv.delete(key)),
      ),
  } as unknown as KVNamespace;
}

function parkedQueue(scheduler: Scheduler, queue: QueueModel, random: Random): Queue<ChunkPointer> {
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
