/**
 * The cron's door: sends again the pointers of chunks that are still open after a while, and removes what is too
 * old. Sending is all it takes for a batch to finish whatever the queue lost: closing is part of the consumer's
 * own transaction.
 */
import { describeCause } from '../db/cause.ts';
import { run, runTogether } from '../db/client.ts';
import type { Deps } from '../deps.ts';
import { removeOldestBatch } from './batch-results.store.ts';
import { removeOldKeys } from './batches.idempotency.store.ts';
import { KEY_KEPT_MS } from './batches.idempotency.ts';
import { SEND_MOST, type ChunkPointer } from './batches.queue.ts';
import { SEND_AGAIN_MS } from './batches.commit.ts';
import { claimDueChunks } from './batch-chunks.store.ts';

/** Sends of one sweep: 1,000 chunks, a million customers, a minute. */
const ROUNDS_MOST = 10;

/** How long the results of a batch are kept after it was completed. The README states it. */
export const RESULTS_KEPT_MS = 30 * 24 * 3_600_000;

/** Removals of one sweep: batches, each in a transaction of at most 10,000 failures, and some keys with each. */
const BATCHES_REMOVED_MOST = 20;
const KEYS_REMOVED_MOST = 1_000;

export async function sweep(deps: Deps): Promise<void> {
  // Each whatever becomes of the other: a queue that is away must not keep what is too old.
  const results = await Promise.allSettled([sendDueChunks(deps), removeOldResults(deps)]);
  const failures = results
    .filter((result) => result.status === 'rejected')
    .map(({ reason }) => reason as unknown);
  for (const reason of failures)
    deps.runtime.log('error', { event: 'sweep_failed', cause: describeCause(reason) });
  if (failures.length > 0) throw failures[0];
}

async function removeOldResults({ db, runtime }: Deps): Promise<void> {
  const now = runtime.now();
  const keys = removeOldKeys(now - KEY_KEPT_MS, KEYS_REMOVED_MOST);
  for (let removed = 0; removed < BATCHES_REMOVED_MOST; removed += 1) {
    const results = await runTogether(db, [keys, ...removeOldestBatch(now - RESULTS_KEPT_MS)]);
    if (results.at(-1)?.length === 0) return;
  }
}

async function sendDueChunks(deps: Deps): Promise<void> {
  for (let round = 0; round < ROUNDS_MOST; round += 1) {
    const now = deps.runtime.now();
    const due = await run<ChunkPointer>(deps.db, claimDueChunks(now, now + SEND_AGAIN_MS, SEND_MOST));
    if (due.length === 0) return;
    await deps.batchQueue.send(due);
    deps.runtime.log('warn', { event: 'chunks_sent_again', chunks: due.length });
  }
}
