/** Removes what is kept for a limited time: results of batches, and Idempotency-Keys. Part of the sweep. */
import { execute, executeBatch, WRITE_DEADLINE_MS } from '../../db/statements.ts';
import type { ShardJob } from '../../databases/shard-job.ts';
import type { Runtime } from '../../runtime.ts';
import { selectBacklog, deleteOldBatches } from './retention.store.ts';
import { deleteOldIdempotencyKeys } from '../accept/idempotency.store.ts';
import { IDEMPOTENCY_KEY_TTL_MS } from '../accept/idempotency.ts';

/** How long the results of a batch are kept after it was completed. The reference states it. */
export const RESULTS_KEPT_MS = 30 * 24 * 3_600_000;

/**
 * What one round removes at most, in one transaction of about 0.1 s. Other requests get their turn between two rounds.
 * The last batch may bring up to 10,000 failures more.
 */
const MAX_PER_ROUND = { batches: 500, failures: 10_000, keys: 1_000 };
/**
 * Rounds of one sweep, on all shards: they use 500 of the 1,000 queries that D1 allows an invocation, and remove 50,000 batches. A bank
 * can create 300 a minute.
 */
const MAX_ROUNDS = 100;
/** The cron runs every minute, and the next sweep goes on. */
const MAX_REMOVAL_MS = 20_000;

export interface RetentionDeps {
  runtime: Pick<Runtime, 'now' | 'log'>;
}

/** Removes expired data, oldest first, and logs what it leaves to the next sweep. */
export async function removeExpiredData(
  { runtime }: RetentionDeps,
  { shard, db, share }: ShardJob,
): Promise<void> {
  const startedAt = runtime.now();
  const [completedBefore, createdBefore] = [startedAt - RESULTS_KEPT_MS, startedAt - IDEMPOTENCY_KEY_TTL_MS];
  for (let round = 0; round < share(MAX_ROUNDS) && runtime.now() - startedAt < MAX_REMOVAL_MS; round += 1) {
    const removal = {
      keys: deleteOldIdempotencyKeys(createdBefore, MAX_PER_ROUND.keys),
      ...deleteOldBatches(completedBefore, MAX_PER_ROUND),
    };
    const { keys, batches } = await executeBatch(db, removal, WRITE_DEADLINE_MS);
    if (keys.length === 0 && batches.length === 0) return;
  }
  const [left] = await execute(db, selectBacklog(completedBefore, createdBefore));
  if (left !== undefined && left.batches + left.keys > 0) {
    runtime.log('warn', { event: 'removal_backlog', shard, batches: left.batches, keys: left.keys });
  }
}
