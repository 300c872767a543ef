/** Removes events that are older than the log keeps them. Part of the cron's work. */
import type { ShardJob } from '../databases/shard-job.ts';
import { execute, WRITE_DEADLINE_MS } from '../db/statements.ts';
import type { Runtime } from '../runtime.ts';
import { EVENTS_KEPT_MS } from './event-types.ts';
import { deleteOldEvents } from './retention.store.ts';

/** What one round removes at most: 5,000 rows, less than 0.1 s of D1. Other requests get their turn between two rounds. */
const MAX_PER_ROUND = { banks: 5, events: 1_000 };
/** Rounds of one run, on all shards: 100,000 events a minute; a bank can make 6,000 (its changes are limited to 100 a second). */
const MAX_ROUNDS = 20;

export interface EventRetentionDeps {
  runtime: Pick<Runtime, 'now'>;
}

export async function removeExpiredEvents(
  { runtime }: EventRetentionDeps,
  { db, share }: ShardJob,
): Promise<void> {
  const createdBefore = runtime.now() - EVENTS_KEPT_MS;
  for (let round = 0; round < share(MAX_ROUNDS); round += 1) {
    const removed = await execute(db, deleteOldEvents(createdBefore, MAX_PER_ROUND), WRITE_DEADLINE_MS);
    if (removed.length === 0) return;
  }
}
