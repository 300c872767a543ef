/**
 * Commits an accepted batch. A write that throws or does not answer may have been committed all the same, so the primary
 * is asked before the request is answered.
 */
import { insertChange } from '../../audit/audit.store.ts';
import type { Actor } from '../../api-keys/caller.ts';
import type { ShardName } from '../../databases/home.ts';
import type { Statement } from '../../db/statements.ts';
import { orUnavailable, type Tenant } from '../../databases/tenant.ts';
import {
  describeCause,
  isDatabaseUnavailable,
  isOverFailureLimit,
  isOverOpenLimit,
  TenantNotOpenError,
} from '../../db/errors.ts';
import { selectDueEndpoints } from '../../events/due-endpoints.store.ts';
import { wakeEndpoints, type WakeDeps } from '../../events/webhook-queue.ts';
import type { Runtime } from '../../runtime.ts';
import { tooMany, unavailable, type AppError } from '../../errors.ts';
import type { Idempotency, IdempotencyRecord } from './idempotency.ts';
import type { BatchPlan } from './plan.ts';
import { RESEND_AFTER_MS } from '../batch-queue.ts';
import { selectIdempotencyRecord, insertIdempotencyRecord } from './idempotency.store.ts';
import { addRefusedRowCount, insertRefusedRows, type FailureLimits } from '../failures.store.ts';
import {
  insertBatch,
  selectBatchId,
  selectOpenBatchCounts,
  NO_OPEN_BATCHES,
  type OpenBatches,
} from './accept.store.ts';

export interface CommitDeps extends WakeDeps {
  failureLimits: FailureLimits;
  /** Batches of one bank that may be open at once. */
  maxOpenBatches: number;
  runtime: Pick<Runtime, 'log'>;
  /** Work that the response does not wait for. */
  runAfterResponse: (work: Promise<void>) => void;
}

/** Retries after the first attempt. D1's trouble is over in a moment or lasts, and then the client waits better. */
const MAX_RETRIES = 2;

type Remembered = Idempotency & { record: IdempotencyRecord };

/**
 * @param stage makes the plan of the batch with the words of the shard that the bank is in; always the same ids
 * @returns the record of the batch that already has this Idempotency-Key; null if this batch is stored now
 * @throws RATE_LIMITED if the refused rows would pass the bank's daily limit, or the bank has too many open batches.
 *   Nothing is stored then.
 * @throws UNAVAILABLE if D1 is unavailable, or the bank takes no changes now. Nothing is stored then, unless D1 could not
 *   even be asked, or a stalled write arrives after all: a retry with the same Idempotency-Key finds out.
 */
export async function commitBatch(
  deps: CommitDeps,
  tenant: Tenant,
  actor: Actor,
  stage: (shard: ShardName) => Promise<BatchPlan>,
  idempotency?: Remembered,
): Promise<IdempotencyRecord | null> {
  const { home } = tenant;
  const plan = await stage(home.shard);
  try {
    return await commitHere(deps, tenant, actor, plan, idempotency);
  } catch (error) {
    if (!(error instanceof TenantNotOpenError)) throw error;
    if (tenant.home === home) await tenant.follow(error);
  }
  // An attempt whose answer was lost may have been committed before the bank moved, and has come along.
  const { stored, record } = await readBackCommit(deps, tenant, plan, idempotency?.key);
  if (stored) return null;
  if (record !== undefined) return record;
  const anew = await stage(tenant.home.shard);
  return commitHere(deps, tenant, actor, anew, idempotency).catch(orUnavailable);
}

/** @throws TenantNotOpenError if the bank is elsewhere, where other words begin the phrases; else as commitBatch does */
async function commitHere(
  deps: CommitDeps,
  tenant: Tenant,
  actor: Actor,
  plan: BatchPlan,
  idempotency?: Remembered,
): Promise<IdempotencyRecord | null> {
  const statements = commitStatements(deps, actor, plan, idempotency);
  // A batch without chunks is complete at once.
  const due =
    plan.chunks.length === 0 ? [selectDueEndpoints(plan.bankId, plan.createdAt, 'batch.completed')] : [];
  const { home } = tenant;
  for (let attempt = 0; ; attempt += 1) {
    try {
      const rows = await tenant.write({ statements, due });
      deps.runAfterResponse(wakeEndpoints(deps, home, rows.due));
      return null;
    } catch (error) {
      if (error instanceof TenantNotOpenError) throw error;
      const { stored, record, open } = await readBackCommit(deps, tenant, plan, idempotency?.key);
      if (stored) {
        deps.runtime.log('warn', {
          event: 'lost_answer_read_back',
          batch: plan.batchId,
          cause: describeCause(error),
        });
        return null;
      }
      if (record !== undefined) return record;
      if (isOverFailureLimit(error)) throw tooManyRefused(plan, deps.failureLimits.perDay);
      if (isOverOpenLimit(error)) throw tooManyOpen(open);
      if (!isDatabaseUnavailable(error)) throw error;
      if (attempt === MAX_RETRIES) throw unavailable(error);
      if (tenant.home !== home) throw new TenantNotOpenError(home.shard);
    }
  }
}

function commitStatements(
  { failureLimits, maxOpenBatches }: CommitDeps,
  actor: Actor,
  plan: BatchPlan,
  idempotency?: Remembered,
): Statement[] {
  const change = {
    at: plan.createdAt,
    action: 'batch.accepted',
    subject: plan.batchId,
    fields: [],
  } as const;
  return [
    // First, because it may abort the transaction.
    ...addRefusedRowCount(plan, failureLimits.perDay),
    insertChange(actor, change),
    ...insertBatch(plan, plan.createdAt + RESEND_AFTER_MS, maxOpenBatches),
    ...insertRefusedRows(plan, failureLimits.stored),
    ...(idempotency === undefined
      ? []
      : insertIdempotencyRecord(plan.bankId, idempotency.key, idempotency.record, plan.createdAt)),
  ];
}

/** Seconds after which a bank with too many open batches should retry: some of them are done by then. */
const OPEN_BATCHES_SECONDS = 10;
/** The same if every open batch is stalled: none ends before an operator has redriven some. */
const STALLED_BATCHES_SECONDS = 600;

const DAY_MS = 24 * 3_600_000;

/** A 429 until the end of the UTC day. */
function tooManyRefused({ failures, createdAt }: BatchPlan, perDay: number): AppError {
  const midnight = (Math.floor(createdAt / DAY_MS) + 1) * DAY_MS;
  const message = `would exceed your bank's limit of ${perDay} refused rows per UTC day (rows of this batch that cannot become customers: ${failures.length}); remove those rows (a dry run lists them), or send the batch again after ${new Date(midnight).toISOString()}`;
  return tooMany(Math.ceil((midnight - createdAt) / 1_000), 'customers', message);
}

/** A 429 that says what to wait for. */
export function tooManyOpen({ processing, stalled }: OpenBatches): AppError {
  if (stalled === 0) {
    const message = `${processing} batches of your bank are being processed; wait for some of them`;
    return tooMany(OPEN_BATCHES_SECONDS, 'customers', message);
  }
  const message = `${processing} batches of your bank are being processed and ${stalled} are STALLED; ask the operator of the service to redrive the stalled ones`;
  return tooMany(processing === 0 ? STALLED_BATCHES_SECONDS : OPEN_BATCHES_SECONDS, 'customers', message);
}

async function readBackCommit(
  deps: CommitDeps,
  tenant: Tenant,
  { bankId, batchId, createdAt }: BatchPlan,
  key: string | undefined,
) {
  try {
    const { batches, counts, records } = await tenant.readPrimary({
      batches: selectBatchId(bankId, batchId),
      counts: selectOpenBatchCounts(bankId, deps.maxOpenBatches),
      records: key === undefined ? [] : [selectIdempotencyRecord(bankId, key, createdAt)],
    });
    const [open = NO_OPEN_BATCHES] = counts;
    return { stored: batches.length > 0, record: records[0], open };
  } catch (error) {
    throw isDatabaseUnavailable(error) ? unavailable(error) : error;
  }
}
