/** Creates a bank: a row in the directory, and one in its shard. */
import type { ShardName } from '../lib/shards.ts';
import { d1, sqlText, type Target } from '../lib/wrangler.ts';
import { chooseShard, type Wish } from './shards.ts';

interface Placed {
  shard: ShardName;
  move_number: number;
}

/**
 * The directory's row comes first, because it decides the shard. A bank that has no other yet gets 503s, as if its shard
 * was down, and the same command completes it.
 * @returns its shard
 * @throws if it exists, or there is no such shard
 */
export async function createBank(
  target: Target,
  { id, name }: { id: string; name: string },
  wish: Wish,
): Promise<ShardName> {
  const home =
    (await findBank(target, id)) ?? (await placeBank(target, id, name, await chooseShard(target, wish)));
  // A bank that was moved has its row, unless its shard was restored to an earlier time.
  const created =
    home.move_number === 0
      ? await d1(
          target,
          home.shard,
          `INSERT INTO tenants (bank_id, state) VALUES (${sqlText(id)}, 'open') ON CONFLICT DO NOTHING RETURNING bank_id`,
        )
      : [];
  if (created.length === 0) {
    throw new Error(`Bank ${id} exists already; nothing was changed. Choose another --id.`);
  }
  return home.shard;
}

async function findBank(target: Target, id: string): Promise<Placed | undefined> {
  const [found] = await d1<Placed>(
    target,
    'DIRECTORY',
    `SELECT shard, move_number FROM banks WHERE id = ${sqlText(id)}`,
  );
  return found;
}

/** @throws if the shard was closed meanwhile */
async function placeBank(target: Target, id: string, name: string, shard: ShardName): Promise<Placed> {
  await d1(
    target,
    'DIRECTORY',
    `INSERT INTO banks (id, name, shard, created_at)
     SELECT ${sqlText(id)}, ${sqlText(name)}, name, ${Date.now()} FROM shards
     WHERE name = ${sqlText(shard)} AND closed = 0 ON CONFLICT DO NOTHING`,
  );
  const placed = await findBank(target, id);
  if (placed === undefined) throw new Error(`${shard} was closed to new banks meanwhile: run this again.`);
  return placed;
}
