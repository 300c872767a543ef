/**
 * The cron's work: resends pointers of chunks that are still open after a while, and removes expired data. Resending is
 * enough for a batch to complete whatever the queue lost, because the consumer's own transaction completes it.
 */
import { describeCause } from '../../db/errors.ts';
import { execute, WRITE_DEADLINE_MS } from '../../db/statements.ts';
import { MAX_MESSAGES_PER_SEND, type BatchQueue } from '../batch-queue.ts';
import { removeExpiredData, type RetentionDeps } from './retention.ts';
import { claimDueChunks } from './chunks.store.ts';

/** Rounds of one sweep: 1,000 chunks, or half a million customers, a minute. */
const MAX_ROUNDS = 10;

export interface SweepDeps extends RetentionDeps {
  batchQueue: BatchQueue;
}

export async function sweep(deps: SweepDeps): Promise<void> {
  // Independent of each other: while the queue is unavailable, expired data must still be removed.
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
