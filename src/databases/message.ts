/** The part of a queue's message that says where its bank was when it was sent. */
import * as z from 'zod/mini';
import type { Home, LocatedBank, ShardName } from './home.ts';

export const shardName = z.custom<ShardName>(
  (value) => typeof value === 'string' && /^SHARD_[1-9]\d?$/.test(value),
);

/** The bank that a message is about: a hint, which the guard checks. */
export function bankOf({ bankId, shard, moveNumber }: { bankId: string } & Home): LocatedBank {
  return { bankId, home: { shard, moveNumber } };
}
