/**
 * Writes an accepted batch, and knows whether it was written. A write that throws, or does not answer, may have
 * been committed all the same: before anything is said, the primary is asked.
 */
import { recordChange, type Actor } from '../audit/audit.store.ts';
import {
  isDatabaseAway,
  isOverFailureLimit,
  isOverOpenLimit,
  runTogether,
  WRITE_DEADLINE_MS,
  type Statement,
} from '../db/client.ts';
import type { Deps } from '../deps.ts';
import { tooMany, unavailable, type AppError } from '../errors.ts';
import { describeCause } from '../db/cause.ts';
import type { Idempotency, IdempotencyRecord } from './batches.idempotency.ts';
import type { BatchPlan } from './batches.plan.ts';
import { SEND_AGAIN_MS } from './batches.queue.ts';
import { findIdempotencyRecord, insertIdempotencyRecord } from './batches.idempotency.store.ts';
import { countRefusedRows, insertRefusedRows } from './batch-failures.store.ts';
import { countOpenBatches, findBatch, insertBatch, type OpenBatches } from './batches.store.ts';

/** Tries after the first. D1's own trouble is over in a moment or lasts; a client can wait better than we. */
const RETRIES = 2;

/**
 * @returns the record of the batch that already has this key; null when this batch is now stored
 * @throws RATE_LIMITED when the refused rows would pass the bank's limit of the day, or the bank has too many open
 *   batches. Nothing is stored then.
 * @throws UNAVAILABLE when D1 is away. Nothing is stored then, unless D1 could not even be asked, or a write that
 *   stalled arrives after all: a client that sends the same key again is told which.
 */
export async function commitBatch(
  deps: Deps,
  actor: Actor,
  plan: BatchPlan,
  idempotency?: Idempotency & { record: IdempotencyRecord },
): Promise<IdempotencyRecord | null> {
  const change = {
    at: plan.createdAt,
    action: 'POST /v1/bank/customers',
    subject: plan.batchId,
    fields: [],
  } as const;
  const statements = [
    // First, because it may end all of it.
    ...countRefusedRows(plan, deps.failureLimits.perDay),
    recordChange(actor, change),
    ...insertBatch(plan, plan.createdAt + SEND_AGAIN_MS, deps.mostOpenBatches),
    ...insertRefusedRows(plan, deps.failureLimits.stored),
  ];
  if (idempotency !== undefined) {
    statements.push(
      ...insertIdempotencyRecord(plan.bankId, idempotency.key, idempotency.record, plan.createdAt),
    );
  }
  for (let attempt = 0; ; attempt += 1) {
    try {
      await runTogether(deps.db, statements, WRITE_DEADLINE_MS);
      return null;
    } catch (error) {
      const { stored, record, open } = await readBack(deps, plan, idempotency?.key);
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
      if (!isDatabaseAway(error)) throw error;
      if (attempt === RETRIES) throw unavailable(error);
    }
  }
}

/** Seconds after which a bank with too much under way should try again: some of it is done by then. */
const OPEN_BATCHES_SECONDS = 10;
/** The same where every open batch is stalled: nothing ends before an operator has redriven some. */
const STALLED_BATCHES_SECONDS = 600;

const DAY_MS = 24 * 3_600_000;

/** A 429 that ends with the UTC day. */
function tooManyRefused({ failures, createdAt }: BatchPlan, perDay: number): AppError {
  const midnight = (Math.floor(createdAt / DAY_MS) + 1) * DAY_MS;
  const message = `would exceed your bank's limit of ${perDay} refused rows per UTC day (rows of this batch that cannot become customers: ${failures.length}); remove those rows (a dry run lists them), or send the batch again after ${new Date(midnight).toISOString()}`;
  return tooMany(Math.ceil((midnight - createdAt) / 1_000), 'customers', message);
}

/** A 429 that says what there is to wait for, and for whom. */
export function tooManyOpen({ processing, stalled }: OpenBatches): AppError {
  if (stalled === 0) {
    const message = `${processing} batches of your bank are under way; wait for some of them`;
    return tooMany(OPEN_BATCHES_SECONDS, 'customers', message);
  }
  const message = `${processing} batches of your bank are under way and ${stalled} are STALLED; the stalled ones wait for the operator of the service to redrive them, so ask for that`;
  return tooMany(processing === 0 ? STALLED_BATCHES_SECONDS : OPEN_BATCHES_SECONDS, 'customers', message);
}

async function readBack(deps: Deps, { bankId, batchId, createdAt }: BatchPlan, key: string | undefined) {
  const statements: Statement[] = [
    findBatch(bankId, batchId),
    countOpenBatches(bankId, deps.mostOpenBatches),
  ];
  if (key !== undefined) statements.push(findIdempotencyRecord(bankId, key, createdAt));
  try {
    const [batches = [], counts = [], records = []] = await runTogether(deps.db, statements);
    const [open = { processing: 0, stalled: 0 }] = counts as OpenBatches[];
    return { stored: batches.length > 0, record: records[0] as IdempotencyRecord | undefined, open };
  } catch (error) {
    throw isDatabaseAway(error) ? unavailable(error) : error;
  }
}
