/**
 * The cron's door: sends again the pointers of chunks that are still open after a while. That is all it takes
 * for a batch to finish whatever the queue lost: closing is part of the consumer's own transaction.
 */
import type { Deps } from '../deps.ts';
import { SEND_MOST } from './batches.queue.ts';
import { SEND_AGAIN_MS } from './batches.service.ts';
import { claimDueChunks } from './batches.store.ts';

/** Sends of one sweep: 1,000 chunks, a million customers, a minute. */
const ROUNDS_MOST = 10;

export async function sweep(deps: Deps): Promise<void> {
  for (let round = 0; round < ROUNDS_MOST; round += 1) {
    const now = deps.runtime.now();
    const due = await claimDueChunks(deps.db, now, now + SEND_AGAIN_MS, SEND_MOST);
    if (due.length === 0) return;
    await deps.batchQueue.send(due);
    deps.runtime.log('warn', { event: 'chunks_sent_again', chunks: due.length });
  }
}
