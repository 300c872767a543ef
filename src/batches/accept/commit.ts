/**
 * Writes an accepted batch, and knows whether it was written. A write that throws, or does not answer, may have
 * been committed all the same: before anything is said, the primary is asked.
 */
import { insertChange } from '../../audit/audit.store.ts';
import type { Actor } from '../../api-keys/caller.ts';
import { executeBatch, WRITE_DEADLINE_MS } from '../../db/statements.ts';
import { describeCause, isDatabaseUnavailable, isOverFailureLimit } from '../../db/errors.ts';
import type { PrimarySession } from '../../db/session.ts';
import type { Runtime } from '../../runtime.ts';
import { tooMany, unavailable, type AppError } from '../../errors.ts';
import type { Idempotency, IdempotencyRecord } from './idempotency.ts';
import type { BatchPlan } from './plan.ts';
import { RESEND_AFTER_MS } from '../batch-queue.ts';
import { selectIdempotencyRecord, insertIdempotencyRecord } from './idempotency.store.ts';
import { addRefusedRowCount, insertRefusedRows, type FailureLimits } from '../failures.store.ts';
import { selectBatchId, insertBatch } from './accept.store.ts';

export interface CommitDeps {
  db: PrimarySession;
  failureLimits: FailureLimits;
  runtime: Pick<Runtime, 'log'>;
}

/** Tries after the first. D1's own trouble is over in a moment or lasts; a client can wait better than we. */
const MAX_RETRIES = 2;

/**
 * @returns the record of the batch that already has this key; null when this batch is now stored
 * @throws RATE_LIMITED when the refused rows would pass the bank's limit of the day. Nothing is stored then.
 * @throws UNAVAILABLE when D1 is away. Nothing is stored then, unless D1 could not even be asked, or a write that
 *   stalled arrives after all: a client that sends the same key again is told which.
 */
export async function commitBatch(
  deps: CommitDeps,
  actor: Actor,
  plan: BatchPlan,
  idempotency?: Idempotency & { record: IdempotencyRecord },
): Promise<IdempotencyRecord | null> {
  const change = {
    at: plan.createdAt,
    action: 'batch.accepted',
    subject: plan.batchId,
    fields: [],
  } as const;
  const statements = [
    // First, because it may end all of it.
    ...addRefusedRowCount(plan, deps.failureLimits.perDay),
    insertChange(actor, change),
    ...insertBatch(plan, plan.createdAt + RESEND_AFTER_MS),
    ...insertRefusedRows(plan, deps.failureLimits.stored),
  ];
  if (idempotency !== undefined) {
    statements.push(
      ...insertIdempotencyRecord(plan.bankId, idempotency.key, idempotency.record, plan.createdAt),
    );
  }
  for (let attempt = 0; ; attempt += 1) {
    try {
      await executeBatch(deps.db, statements, WRITE_DEADLINE_MS);
      return null;
    } catch (error) {
      const { stored, record } = await readBackCommit(deps, plan, idempotency?.key);
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
      if (!isDatabaseUnavailable(error)) throw error;
      if (attempt === MAX_RETRIES) throw unavailable(error);
    }
  }
}

const DAY_MS = 24 * 3_600_000;

/** A 429 that ends with the UTC day. */
function tooManyRefused({ failures, createdAt }: BatchPlan, perDay: number): AppError {
  const midnight = (Math.floor(createdAt / DAY_MS) + 1) * DAY_MS;
  const message = `hold ${failures.length} rows that can not become customers, and a bank may leave ${perDay} of them a day: send the batch without them (a dry run names them), or again after ${new Date(midnight).toISOString()}`;
  return tooMany(Math.ceil((midnight - createdAt) / 1_000), 'customers', message);
}

async function readBackCommit(
  deps: CommitDeps,
  { bankId, batchId, createdAt }: BatchPlan,
  key: string | undefined,
) {
  try {
    const { batches, records } = await executeBatch(deps.db, {
      batches: selectBatchId(bankId, batchId),
      records: key === undefined ? [] : [selectIdempotencyRecord(bankId, key, createdAt)],
    });
    return { stored: batches.length > 0, record: records[0] };
  } catch (error) {
    throw isDatabaseUnavailable(error) ? unavailable(error) : error;
  }
}
