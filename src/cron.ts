/** The cron's work, every minute: what makes up for a queue that loses messages, and what removes expired data. */
import { describeCause } from './db/errors.ts';
import { removeExpiredData } from './batches/process/retention.ts';
import { resendDueChunks, type SweepDeps } from './batches/process/sweep.ts';
import { warnIfNearlyFull } from './databases/capacity.ts';
import type { Databases } from './databases/databases.ts';
import type { ShardJob } from './databases/shard-job.ts';
import { removeExpiredEvents } from './events/retention.ts';
import { wakeDueEndpoints, type WakeDueDeps } from './webhooks/wake-due.ts';

export interface CronDeps extends SweepDeps, WakeDueDeps {
  databases: Pick<Databases, 'shards' | 'primary'>;
  runtime: SweepDeps['runtime'] & WakeDueDeps['runtime'];
}

/** Independent of each other: while a queue is unavailable, expired data must still be removed. */
const JOBS: readonly ((deps: CronDeps, job: ShardJob) => Promise<void>)[] = [
  resendDueChunks,
  wakeDueEndpoints,
  removeExpiredData,
  removeExpiredEvents,
  warnIfNearlyFull,
];

/** All shards at once, so that one that is down delays its own banks only. */
export async function runCron(deps: CronDeps): Promise<void> {
  const { databases, runtime } = deps;
  const { shards } = databases;
  const share = (max: number) => Math.max(Math.floor(max / shards.length), 1);
  const work = shards.flatMap((shard) => {
    const job = { shard, db: databases.primary(shard), share };
    return JOBS.map(async (run) => {
      try {
        await run(deps, job);
      } catch (error) {
        runtime.log('error', { event: 'sweep_failed', shard, cause: describeCause(error) });
        throw error;
      }
    });
  });
  const results = await Promise.allSettled(work);
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}
