/** The cron's work, every minute: what makes up for a queue that loses messages, and what removes expired data. */
import { describeCause } from './db/errors.ts';
import { removeExpiredData } from './batches/process/retention.ts';
import { resendDueChunks, type SweepDeps } from './batches/process/sweep.ts';
import { removeExpiredEvents } from './events/retention.ts';
import { wakeDueEndpoints, type WakeDueDeps } from './webhooks/wake-due.ts';

export type CronDeps = SweepDeps & WakeDueDeps;

export async function runCron(deps: CronDeps): Promise<void> {
  // Independent of each other: while a queue is unavailable, expired data must still be removed.
  const jobs = [
    resendDueChunks(deps),
    wakeDueEndpoints(deps),
    removeExpiredData(deps),
    removeExpiredEvents(deps),
  ];
  const results = await Promise.allSettled(jobs);
  const failures = results
    .filter((result) => result.status === 'rejected')
    .map(({ reason }) => reason as unknown);
  for (const reason of failures)
    deps.runtime.log('error', { event: 'sweep_failed', cause: describeCause(reason) });
  if (failures.length > 0) throw failures[0];
}
