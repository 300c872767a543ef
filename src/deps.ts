/** What one event needs, built once when it arrives and handed in from the door. */
import type { FailureLimits } from './batches/failures.store.ts';
import { FieldKeyring } from './crypto/field-keyring.ts';
import { InFlightRequests } from './batches/accept/idempotency.ts';
import { createBatchQueue, type BatchQueue } from './batches/batch-queue.ts';
import { PhraseCache, type CacheMemory } from './customers/phrase-cache.ts';
import { withDeadlines, type Database } from './db/statements.ts';
import { PrimarySession, ReadSession } from './db/session.ts';
import type { Env } from './env.ts';
import { LIMITS } from './limits.ts';
import { HealthMemory } from './health/health.service.ts';
import type { FieldKey } from './crypto/field-cipher.ts';
import { ApiKeyCache } from './api-keys/api-keys.service.ts';
import { RATE_POLICIES, RateLimits, RateWindows, type RatePolicies } from './rate-limits/rate-limits.ts';
import type { Runtime } from './runtime.ts';

export interface Deps {
  runtime: Runtime;
  /** The primary. */
  db: PrimarySession;
  /** This request's session: for reads that the nearest replica may answer, and for writes that they should see. */
  session: ReadSession;
  /** The primary, for API keys and `/health` alone: they leave no bookmark, because no customer is read for them. */
  apiKeyDatabase: Database;
  apiKeyCache: ApiKeyCache;
  phraseCache: PhraseCache;
  batchQueue: BatchQueue;
  inFlightRequests: InFlightRequests;
  rateLimits: RateLimits;
  healthMemory: HealthMemory;
  /** What account numbers and references are sealed with before they are stored: of this version, or the newest. */
  fieldKey: (version?: number) => Promise<FieldKey>;
  /** Most customers of a chunk: `LIMITS.chunkRows`, and less where a simulation wants many chunks of few rows. */
  chunkRows: number;
  /** Batches of one bank that may be under way at once. */
  maxOpenBatches: number;
  /** Failures that one bank may have. */
  failureLimits: FailureLimits;
  production: boolean;
  /** Work that the answer does not wait for, and that may outlive it. It must not reject. */
  runAfterResponse(work: Promise<void>): void;
}

/** What a test may set otherwise. */
export interface WorkerSettings {
  /** Most customers of a chunk. */
  chunkRows: number;
  ratePolicies: RatePolicies;
}

/** What outlives an event: one of each for an isolate. */
export interface IsolateMemory {
  apiKeys: ApiKeyCache;
  cache: CacheMemory;
  inFlightRequests: InFlightRequests;
  fieldKeyring: FieldKeyring;
  rateWindows: RateWindows;
  health: HealthMemory;
}

export function createIsolateMemory(): IsolateMemory {
  return {
    apiKeys: new ApiKeyCache(),
    cache: { updates: 0 },
    inFlightRequests: new InFlightRequests(),
    fieldKeyring: new FieldKeyring(),
    rateWindows: new RateWindows(),
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
  const runAfterResponse = (work: Promise<void>) => context.waitUntil(work);
  return {
    runtime,
    db: new PrimarySession(env.DB, runtime.timer),
    session: new ReadSession(env.DB, bookmark, runtime.timer),
    apiKeyDatabase: withDeadlines(env.DB, runtime.timer),
    apiKeyCache: memory.apiKeys,
    phraseCache: new PhraseCache(env.PHRASE_CACHE, memory.cache, runtime),
    batchQueue: createBatchQueue(env.BATCH_QUEUE),
    inFlightRequests: memory.inFlightRequests,
    rateLimits: new RateLimits(env, ratePolicies, memory.rateWindows, runtime, runAfterResponse),
    healthMemory: memory.health,
    maxOpenBatches: env.MAX_OPEN_BATCHES,
    failureLimits: { stored: env.MAX_STORED_FAILURES, perDay: env.MAX_FAILURES_PER_DAY },
    fieldKey: (version) => memory.fieldKeyring.get(env, runtime, version),
    chunkRows,
    production: env.ENVIRONMENT !== 'local',
    runAfterResponse,
  };
}
