/** What one event needs, built once when it arrives and handed in from the door. */
import type { FailureLimits } from './batches/batch-failures.store.ts';
import { FieldKeyMemory } from './batches/field-keys.ts';
import { RunningKeys } from './batches/batches.idempotency.ts';
import { createBatchQueue, type BatchQueue } from './batches/batches.queue.ts';
import { PhraseCache, type CacheMemory } from './customers/phrase-cache.ts';
import { withDeadlines, type Database } from './db/client.ts';
import { PrimarySession, ReadSession } from './db/session.ts';
import { LIMITS, type Env } from './env.ts';
import { HealthMemory } from './health/health.service.ts';
import type { FieldKey } from './lib/field-cipher.ts';
import { KeyMemory } from './keys/keys.service.ts';
import { RATE_POLICIES, RateLimits, RateMemory, type RatePolicies } from './http/rate-limit.ts';
import type { Runtime } from './runtime.ts';

export interface Deps {
  runtime: Runtime;
  /** The primary. */
  db: PrimarySession;
  /** This request's session: for reads that the nearest replica may answer, and for writes that they should see. */
  session: ReadSession;
  /** The primary, for API keys and `/health` alone: they leave no bookmark, because no customer is read for them. */
  keyDatabase: Database;
  keyMemory: KeyMemory;
  phraseCache: PhraseCache;
  batchQueue: BatchQueue;
  runningKeys: RunningKeys;
  rateLimits: RateLimits;
  healthMemory: HealthMemory;
  /** What account numbers and references are sealed with before they are stored: of this version, or the newest. */
  fieldKey: (version?: number) => Promise<FieldKey>;
  /** Most customers of a chunk: `LIMITS.chunkRows`, and less where a simulation wants many chunks of few rows. */
  chunkRows: number;
  /** Batches of one bank that may be under way at once. */
  mostOpenBatches: number;
  /** Failures that one bank may have. */
  failureLimits: FailureLimits;
  production: boolean;
  /** Work that the answer does not wait for, and that may outlive it. It must not reject. */
  after(work: Promise<void>): void;
}

/** What a test may set otherwise. */
export interface WorkerSettings {
  /** Most customers of a chunk. */
  chunkRows: number;
  ratePolicies: RatePolicies;
}

/** What outlives an event: one of each for an isolate. */
export interface IsolateMemory {
  keys: KeyMemory;
  cache: CacheMemory;
  runningKeys: RunningKeys;
  fieldKeys: FieldKeyMemory;
  rates: RateMemory;
  health: HealthMemory;
}

export function createIsolateMemory(): IsolateMemory {
  return {
    keys: new KeyMemory(),
    cache: { updates: 0 },
    runningKeys: new RunningKeys(),
    fieldKeys: new FieldKeyMemory(),
    rates: new RateMemory(),
    health: new HealthMemory(),
  };
}

export function createDeps(
  env: Env,
  context: Pick<ExecutionContext, 'waitUntil'>,
  runtime: Runtime,
  memory: IsolateMemory,
  bookmark?: string,
  { chunkRows = LIMITS.chunkRows, ratePolicies = RATE_POLICIES }: Partial<WorkerSettings> = {},
): Deps {
  const after = (work: Promise<void>) => context.waitUntil(work);
  return {
    runtime,
    db: new PrimarySession(env.DB, runtime.timer),
    session: new ReadSession(env.DB, bookmark, runtime.timer),
    keyDatabase: withDeadlines(env.DB, runtime.timer),
    keyMemory: memory.keys,
    phraseCache: new PhraseCache(env.PHRASE_CACHE, memory.cache, runtime),
    batchQueue: createBatchQueue(env.BATCH_QUEUE, runtime.timer),
    runningKeys: memory.runningKeys,
    rateLimits: new RateLimits(env, ratePolicies, memory.rates, runtime, after),
    healthMemory: memory.health,
    mostOpenBatches: env.MOST_OPEN_BATCHES,
    failureLimits: { stored: env.MAX_STORED_FAILURES, perDay: env.MAX_FAILURES_PER_DAY },
    fieldKey: (version) => memory.fieldKeys.get(env, runtime, version),
    chunkRows,
    production: env.ENVIRONMENT !== 'local',
    after,
  };
}
