/** The composition root: builds what one event depends on. Only worker.ts and app.ts import it. */
import type { FailureLimits } from './batches/failures.store.ts';
import { FieldKeyring } from './crypto/field-keyring.ts';
import { InFlightRequests } from './batches/accept/idempotency.ts';
import { createBatchQueue, type BatchQueue } from './batches/batch-queue.ts';
import type { Payee } from './customers/customers.standard.ts';
import {
  CUSTOMER_VALUES,
  PAYEE_VALUES,
  PhraseCache,
  type CachedCustomer,
  CacheMemory,
} from './customers/phrase-cache.ts';
import { DataCentreCache, type ValueStore } from './customers/data-centre-cache.ts';
import { Databases } from './databases/databases.ts';
import type { Database } from './db/statements.ts';
import { MOVE_RANGE } from './databases/moves/driver.ts';
import type { RangeLimits } from './databases/moves/ranges.store.ts';
import { deploymentOf, type Deployment, type Env } from './env.ts';
import { createWebhookQueue, type WebhookQueue } from './events/webhook-queue.ts';
import { LIMITS } from './limits.ts';
import { HealthMemory } from './health/health.service.ts';
import type { FieldKey } from './crypto/field-cipher.ts';
import { ApiKeyCache } from './api-keys/api-keys.service.ts';
import { BudgetMemory } from './payee/miss-budget.ts';
import { RATE_POLICIES, RateLimits, RateWindows, type RatePolicies } from './rate-limits/rate-limits.ts';
import type { Runtime } from './runtime.ts';

export interface Deps {
  runtime: Runtime;
  /** The directory and the shards. The response's bookmark is of what this has seen. */
  databases: Databases;
  /** The same for what is not the caller's own, payees and `/health`: the response has no bookmark of it. */
  networkDatabases: Databases;
  /** The directory's primary. */
  directory: Database;
  apiKeyCache: ApiKeyCache;
  phraseCache: PhraseCache<CachedCustomer>;
  payeeCache: PhraseCache<Payee>;
  budgetMemory: BudgetMemory;
  batchQueue: BatchQueue;
  webhookQueue: WebhookQueue;
  inFlightRequests: InFlightRequests;
  rateLimits: RateLimits;
  healthMemory: HealthMemory;
  /** Returns the key that seals account numbers and references: of this version, or the newest. */
  fieldKey: (version?: number) => Promise<FieldKey>;
  /** What one transaction of a move copies, compares or removes at most. */
  moveRange: RangeLimits;
  /** Customers of one chunk at most: `LIMITS.chunkRows`; fewer in a simulation that wants many chunks. */
  chunkRows: number;
  /** Batches of one bank that may be open at once. */
  maxOpenBatches: number;
  /** Failures that one bank may have. */
  failureLimits: FailureLimits;
  production: boolean;
  /** What the URLs of receivers are judged by. */
  deployment: Deployment;
  /** Runs work that the response does not wait for. It must not reject. */
  runAfterResponse(work: Promise<void>): void;
}

/** Settings that tests may override. */
export interface WorkerSettings {
  /** Customers of one chunk at most. */
  chunkRows: number;
  ratePolicies: RatePolicies;
  moveRange: RangeLimits;
  /** Where phrases are cached. */
  phraseStore: ValueStore;
}

/** What outlives an event: one per isolate. */
export interface IsolateMemory {
  apiKeys: ApiKeyCache;
  phraseCache: CacheMemory;
  payeeCache: CacheMemory;
  budgets: BudgetMemory;
  inFlightRequests: InFlightRequests;
  fieldKeyring: FieldKeyring;
  rateWindows: RateWindows;
  health: HealthMemory;
}

export function createIsolateMemory(): IsolateMemory {
  return {
    apiKeys: new ApiKeyCache(),
    phraseCache: new CacheMemory(),
    payeeCache: new CacheMemory(),
    budgets: new BudgetMemory(),
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
  {
    chunkRows = LIMITS.chunkRows,
    ratePolicies = RATE_POLICIES,
    moveRange = MOVE_RANGE,
    phraseStore = new DataCentreCache(env.PUBLIC_URL),
  }: Partial<WorkerSettings> = {},
): Deps {
  const runAfterResponse = (work: Promise<void>) => context.waitUntil(work);
  const deployment = deploymentOf(env);
  const databases = new Databases(env, runtime.timer, bookmark);
  return {
    runtime,
    databases,
    networkDatabases: new Databases(env, runtime.timer),
    directory: databases.directory,
    apiKeyCache: memory.apiKeys,
    phraseCache: new PhraseCache(CUSTOMER_VALUES, phraseStore, memory.phraseCache, runtime),
    payeeCache: new PhraseCache(PAYEE_VALUES, phraseStore, memory.payeeCache, runtime),
    budgetMemory: memory.budgets,
    batchQueue: createBatchQueue(env.BATCH_QUEUE, runtime.timer),
    webhookQueue: createWebhookQueue(env.WEBHOOK_QUEUE, runtime.timer),
    inFlightRequests: memory.inFlightRequests,
    rateLimits: new RateLimits(env, ratePolicies, memory.rateWindows, runtime, runAfterResponse),
    healthMemory: memory.health,
    maxOpenBatches: env.MAX_OPEN_BATCHES,
    failureLimits: { stored: env.MAX_STORED_FAILURES, perDay: env.MAX_FAILURES_PER_DAY },
    fieldKey: (version) => memory.fieldKeyring.get(env, runtime, version),
    chunkRows,
    moveRange,
    production: deployment.production,
    deployment,
    runAfterResponse,
  };
}
