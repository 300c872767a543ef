/**
 * The sweep: resends pointers of chunks that are still open after a while. That is enough for a batch to complete whatever
 * the queue lost, because the consumer's own transaction completes it. Part of the cron's work.
 */
import type { ShardJob } from '../../databases/shard-job.ts';
import { execute, WRITE_DEADLINE_MS } from '../../db/statements.ts';
import type { Runtime } from '../../runtime.ts';
import {
  MAX_MESSAGES_PER_SEND,
  MAX_RESEND_AFTER_MS,
  RESEND_AFTER_MS,
  type BatchQueue,
} from '../batch-queue.ts';
import { claimDueChunks } from './chunks.store.ts';

/** Rounds of one sweep of a shard: 1,000 chunks, or half a million customers, a minute. */
const MAX_ROUNDS = 10;

/** Messages that the consumers apply in about half a minute. */
const LONG_QUEUE = 500;

/**
 * While many pointers wait in the queue, chunks are due although nothing is lost, and sending their pointers every minute
 * would make the queue longer and longer.
 */
async function resendInterval(queue: BatchQueue): Promise<number> {
  const waiting = await queue.countWaiting().catch(() => 0);
  return waiting > LONG_QUEUE ? MAX_RESEND_AFTER_MS : RESEND_AFTER_MS;
}

export interface SweepDeps {
  batchQueue: BatchQueue;
  runtime: Pick<Runtime, 'now' | 'log'>;
}

export async function resendDueChunks(deps: SweepDeps, { shard, db }: ShardJob): Promise<void> {
  const againAfterMs = await resendInterval(deps.batchQueue);
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const now = deps.runtime.now();
    const claim = claimDueChunks(now, MAX_MESSAGES_PER_SEND, againAfterMs);
    const due = await execute(db, claim, WRITE_DEADLINE_MS);
    if (due.length === 0) return;
    await deps.batchQueue.send(due.map((chunk) => ({ ...chunk, shard })));
    deps.runtime.log('warn', { event: 'chunks_sent_again', shard, chunks: due.length });
  }
}
