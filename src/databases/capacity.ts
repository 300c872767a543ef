/** How full a shard is. */
import type { Runtime } from '../runtime.ts';
import { readDatabaseBytes } from '../db/statements.ts';
import type { ShardJob } from './shard-job.ts';

/** D1's limit for a database: developers.cloudflare.com/d1/platform/limits. */
export const MAX_SHARD_BYTES = 10_000_000_000;
/** From here on no bank is added: those that are there need the rest to grow, and a move takes its time. */
export const NEARLY_FULL_PERCENT = 80;

export const usedPercent = (bytes: number) => (bytes / MAX_SHARD_BYTES) * 100;

/** Writes a log line in the first minute of an hour if a shard is nearly full. Part of the cron's work. */
export async function warnIfNearlyFull(
  { runtime }: { runtime: Pick<Runtime, 'now' | 'log'> },
  { shard, db }: ShardJob,
): Promise<void> {
  if (new Date(runtime.now()).getUTCMinutes() !== 0) return;
  const percent = Math.floor(usedPercent(await readDatabaseBytes(db)));
  if (percent >= NEARLY_FULL_PERCENT) runtime.log('warn', { event: 'shard_nearly_full', shard, percent });
}
