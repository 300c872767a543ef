/** Work on one shard that is no bank's: a part of the cron's. It touches rows of open banks only. */
import type { Database } from '../db/statements.ts';
import type { ShardName } from './home.ts';

export interface ShardJob {
  shard: ShardName;
  /** The shard's primary. */
  db: Database;
  /** The shard's part of what one invocation may do, at least one: all shards share D1's 1,000 queries. */
  share: (max: number) => number;
}
