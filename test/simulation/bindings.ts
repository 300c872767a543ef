/** The Worker's bindings: each call waits for the scheduler, and then goes to the real D1 or the modelled queue or cache. */
import type { FailureLimits } from '../../src/batches/failures.store.ts';
import type { ChunkPointer } from '../../src/batches/batch-queue.ts';
import type { ValueStore } from '../../src/customers/data-centre-cache.ts';
import type { EndpointPointer } from '../../src/events/webhook-queue.ts';
import type { Env } from '../../src/env.ts';
import { connectionLost, d1Error, interceptCalls } from '../support/faulty-bindings.ts';
import { unlimitedBindings } from '../support/service.ts';
import type { LateWrites } from './late-writes.ts';
import type { MoveSteps } from './move-steps.ts';
import type { Random } from './random.ts';
import type { QueueModel } from './queue-model.ts';
import type { CallOutcome, Scheduler } from './scheduler.ts';
import type { TenantWatch } from './tenant-watch.ts';

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

/** What looks at every call to D1. */
export interface Observers {
  steps: MoveSteps;
  tenants: TenantWatch;
  lateWrites: LateWrites;
  count: (fault: string) => void;
}

export function scheduledBindings(
  real: Cloudflare.Env,
  limits: FailureLimits,
  scheduler: Scheduler,
  queue: QueueModel<ChunkPointer>,
  webhookQueue: QueueModel<EndpointPointer>,
  random: Random,
  observers: Observers,
): Env {
  const scheduled = (db: D1Database) => scheduledDatabase(db, scheduler, random, observers);
  return {
    ...real,
    ...unlimitedBindings,
    MAX_STORED_FAILURES: limits.stored,
    MAX_FAILURES_PER_DAY: limits.perDay,
    DIRECTORY: scheduled(real.DIRECTORY),
    SHARD_1: withReplica(scheduled(real.SHARD_1), random),
    SHARD_2: withReplica(scheduled(real.SHARD_2), random),
    BATCH_QUEUE: scheduledQueue(scheduler, queue, random),
    WEBHOOK_QUEUE: scheduledQueue(scheduler, webhookQueue, random),
  };
}

/** How often a copy that fails does so because the target has no room. */
const TARGET_FULL = 0.5;
const databaseFull = () => d1Error('Exceeded maximum DB size.');

function scheduledDatabase(
  db: D1Database,
  scheduler: Scheduler,
  random: Random,
  { steps, tenants, lateWrites, count }: Observers,
): D1Database {
  return interceptCalls(db, (work, sql, values) => {
    const watched = async () => {
      const result = await work();
      await tenants.watch(sql);
      return result;
    };
    const isStep = steps.record(scheduler.current, sql, watched);
    const isCopy = isStep && sql.startsWith('INSERT') && sql.includes('json_each');
    const isChange = sql.startsWith('INSERT INTO guard');
    return scheduler.park(isChange ? 'd1 change' : 'd1', (outcome) => {
      if (isChange && outcome === 'before') lateWrites.add(values, work);
      const isFull = outcome === 'before' && isCopy && random.happens(TARGET_FULL);
      if (isFull) count('target full');
      return applyOutcome(outcome, isFull ? databaseFull : connectionLost, watched);
    });
  }) as D1Database;
}

/** Of any shard. The replica never lags behind for a customer of the bank that asks. */
const BOOKMARK = `00000000-00000000-00000000-${'0'.repeat(32)}`;

/** How often the nearest replica answers instead of the primary, and how often a payee has not reached it yet. */
const FROM_REPLICA = 0.5;
const NOT_ARRIVED = 0.3;

/** Adds sessions to a D1. Those that a replica may answer are sometimes answered by one that lags behind. */
function withReplica(db: D1Database, random: Random): D1Database {
  const ofPrimary = new WeakMap<object, D1PreparedStatement>();
  const fromReplica = (statement: D1PreparedStatement): D1PreparedStatement => {
    const wrapped = {
      bind: (...values: unknown[]) => fromReplica(statement.bind(...values)),
      all: async () => {
        const result = await statement.all();
        if (!random.happens(FROM_REPLICA)) return result;
        result.meta.served_by_primary = false;
        const [row] = result.results;
        if (row !== undefined && 'misses' in row && random.happens(NOT_ARRIVED)) row['phrase'] = null;
        return result;
      },
    } as unknown as D1PreparedStatement;
    ofPrimary.set(wrapped, statement);
    return wrapped;
  };
  const calls = {
    prepare: (sql: string) => db.prepare(sql),
    batch: (statements: D1PreparedStatement[]) => db.batch(statements),
  };
  return {
    ...calls,
    withSession: (since?: string) => {
      if (since !== 'first-unconstrained') return { ...calls, getBookmark: () => BOOKMARK };
      return {
        getBookmark: () => BOOKMARK,
        prepare: (sql: string) => fromReplica(db.prepare(sql)),
        batch: (statements: D1PreparedStatement[]) =>
          db.batch(statements.map((statement) => ofPrimary.get(statement) ?? statement)),
      };
    },
  } as unknown as D1Database;
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

/**
 * The cache of one data centre. It never lets go of a value, which is worse than the platform promises: only the service
 * itself keeps an old one from being shown.
 */
export function scheduledCache(scheduler: Scheduler): ValueStore {
  const values = new Map<string, string>();
  return {
    get: (key) =>
      scheduler.park('cache get', async (outcome) => {
        if (outcome === 'garbage') return JSON.parse('{"id":');
        if (outcome === 'foreign') return { readAt: scheduler.now, value: foreignValue(key) };
        return applyOutcome(outcome, failure('cache.match failed'), async () =>
          JSON.parse(values.get(key) ?? 'null'),
        );
      }),
    put: (key, text) =>
      scheduler.park('cache put', (outcome) =>
        applyOutcome(outcome, failure('cache.put failed'), async () => void values.set(key, text)),
      ),
    delete: (key) =>
      scheduler.park('cache put', (outcome) =>
        applyOutcome(outcome, failure('cache.delete failed'), async () => void values.delete(key)),
      ),
  };
}

function scheduledQueue<Body>(scheduler: Scheduler, queue: QueueModel<Body>, random: Random): Queue<Body> {
  return {
    sendBatch: (messages: { body: Body; delaySeconds?: number }[]) =>
      scheduler.park('queue', (outcome) =>
        applyOutcome(outcome === 'partly' ? 'after' : outcome, failure('Queue send failed'), async () => {
          const bodies = messages.map(({ body }) => body);
          const notBefore = scheduler.now + (messages[0]?.delaySeconds ?? 0) * 1_000;
          queue.send(outcome === 'partly' ? bodies.filter(() => random.happens(0.5)) : bodies, notBefore);
        }),
      ),
  } as unknown as Queue<Body>;
}
