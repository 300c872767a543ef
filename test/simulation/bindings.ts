/** The Worker's bindings, each call of which parks on the stage. Behind them are the real D1 and the real KV. */
import type { FailureLimits } from '../../src/batches/failures.store.ts';
import type { ChunkPointer } from '../../src/batches/batch-queue.ts';
import type { Env } from '../../src/env.ts';
import { aroundCalls, d1Error, withSessions } from '../support/broken.ts';
import { unlimited } from '../support/service.ts';
import type { Chance } from './chance.ts';
import type { QueueModel } from './queue-model.ts';
import type { Fate, Stage } from './stage.ts';

/** As D1 throws it: its own words, and the network's as the cause. */
const lost = () => d1Error('Network connection lost.');
const failure = (words: string) => () => new Error(words);

/** Runs a call as fate has it: not at all, or in vain. */
async function suffer<Result>(fate: Fate, error: () => Error, work: () => Promise<Result>): Promise<Result> {
  if (fate === 'before') throw error();
  const result = await work();
  if (fate === 'after') throw error();
  return result;
}

export function parkedBindings(
  real: Env,
  limits: FailureLimits,
  stage: Stage,
  queue: QueueModel,
  chance: Chance,
): Env {
  return {
    ...real,
    ...unlimited,
    MAX_STORED_FAILURES: limits.stored,
    MAX_FAILURES_PER_DAY: limits.perDay,
    DB: withSessions(parkedDatabase(real.DB, stage)),
    PHRASE_CACHE: parkedCache(real.PHRASE_CACHE, stage),
    BATCH_QUEUE: parkedQueue(stage, queue, chance),
  };
}

function parkedDatabase(db: D1Database, stage: Stage): D1Database {
  return aroundCalls(db, (work) => stage.park('d1', (fate) => suffer(fate, lost, work))) as D1Database;
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

function parkedCache(kv: KVNamespace, stage: Stage): KVNamespace {
  return {
    get: (key: string, type: 'json') =>
      stage.park('kv get', async (fate) => {
        if (fate === 'garbage') return JSON.parse('{"id":');
        if (fate === 'foreign') return foreignValue(key);
        return suffer(fate, failure('KV GET failed: 500'), () => kv.get(key, type));
      }),
    put: (...args: Parameters<KVNamespace['put']>) =>
      stage.park('kv put', (fate) => suffer(fate, failure('KV PUT failed: 429'), () => kv.put(...args))),
    delete: (key: string) =>
      stage.park('kv put', (fate) => suffer(fate, failure('KV DELETE failed: 500'), () => kv.delete(key))),
  } as unknown as KVNamespace;
}

function parkedQueue(stage: Stage, queue: QueueModel, chance: Chance): Queue<ChunkPointer> {
  return {
    sendBatch: (messages: { body: ChunkPointer }[]) =>
      stage.park('queue', (fate) =>
        suffer(fate === 'partly' ? 'after' : fate, failure('Queue send failed'), async () => {
          const bodies = messages.map(({ body }) => body);
          queue.send(fate === 'partly' ? bodies.filter(() => chance.of(0.5)) : bodies);
        }),
      ),
  } as unknown as Queue<ChunkPointer>;
}
