/**
 * The cron's door: sends again the pointers of chunks that are still open after a while, and removes what is too
 * old (batches.retention.ts). Sending is all it takes for a batch to finish whatever the queue lost: closing is part of the consumer's
 * own transaction.
 */
import { describeCause } from '../../db/errors.ts';
import { execute, WRITE_DEADLINE_MS } from '../../db/statements.ts';
import { MAX_MESSAGES_PER_SEND, type BatchQueue } from '../batch-queue.ts';
import { removeExpiredData, type RetentionDeps } from './retention.ts';
import { claimDueChunks } from './chunks.store.ts';

/** Sends of one sweep: 1,000 chunks, a million customers, a minute. */
const MAX_ROUNDS = 10;

export interface SweepDeps extends RetentionDeps {
  batchQueue: BatchQueue;
}

export async function sweep(deps: SweepDeps): Promise<void> {
  // Each whatever becomes of the other: a queue that is away must not keep what is too old.
  const results = await Promise.allSettled([resendDueChunks(deps), removeExpiredData(deps)]);
  const failures = results
    .filter((result) => result.status === 'rejected')
    .map(({ reason }) => reason as unknown);
  for (const reason of failures)
    deps.runtime.log('error', { event: 'sweep_failed', cause: describeCause(reason) });
  if (failures.length > 0) throw failures[0];
}

async function resendDueChunks(deps: SweepDeps): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const now = deps.runtime.now();
    const due = await execute(deps.db, claimDueChunks(now, MAX_MESSAGES_PER_SEND), WRITE_DEADLINE_MS);
    if (due.length === 0) return;
    await deps.batchQueue.send(due);
    deps.runtime.log('warn', { event: 'chunks_sent_again', chunks: due.length });
  }
}
