/** What the rules of a move are about, read from the directory and the two shards. */
import { sql } from 'drizzle-orm';
import type { MoveFacts, ShardFacts } from '../../src/databases/moves/begin.ts';
import type { Move } from '../../src/databases/moves/move.ts';
import { copiedTables } from '../../src/databases/moves/moved-tables.store.ts';
import { selectLatestMove } from '../../src/databases/moves/moves.store.ts';
import { countRows, countStaged } from '../../src/databases/moves/ranges.store.ts';
import { typedOptions } from '../lib/arguments.ts';
import { isShardName, type ShardName } from '../lib/shards.ts';
import { textOf } from '../lib/sql.ts';
import { d1, d1Each, sqlText, type Target } from '../lib/wrangler.ts';
import { isOver } from './move-sentences.ts';
import { readShards, readUse, type Shard } from './shards.ts';

export async function readMoveFacts(
  target: Target,
  bankId: string,
  to: string,
  allowsJurisdictionChange: boolean,
): Promise<MoveFacts> {
  const [banks = []] = await d1Each<{ shard: ShardName }>(
    target,
    'DIRECTORY',
    `SELECT shard FROM banks WHERE id = ${sqlText(bankId)}`,
  );
  const latest = await latestMove(target, bankId);
  const shards = await readShards(target);
  const source = await readShardFacts(target, shards, banks[0]?.shard);
  return {
    bankId,
    targetName: to,
    source,
    target: await readShardFacts(target, shards, to),
    ...(await readBank(target, source?.name, bankId)),
    unfinished: latest !== undefined && !isOver(latest) ? latest : undefined,
    allowsJurisdictionChange,
    commandOptions: typedOptions(target),
  };
}

/** What the bank's shard has of it, in one call. */
async function readBank(
  target: Target,
  shard: string | undefined,
  bankId: string,
): Promise<Pick<MoveFacts, 'state' | 'customerCount' | 'rowCount'>> {
  if (shard === undefined || !isShardName(shard)) return { state: undefined, customerCount: 0, rowCount: 0 };
  const [[tenant] = [], ...counts] = await d1Each<{ state: string; customers: number; count: number }>(
    target,
    shard,
    textOf([
      sql`SELECT state, customer_count AS customers FROM tenants WHERE bank_id = ${bankId}`,
      ...copiedTables().map((table) => countRows(table, bankId)),
      countStaged(bankId),
    ]),
  );
  return {
    state: tenant?.state,
    customerCount: tenant?.customers ?? 0,
    rowCount: counts.reduce((sum, [row]) => sum + (row?.count ?? 0), 0),
  };
}

async function readShardFacts(
  target: Target,
  shards: Shard[],
  name: string | undefined,
): Promise<ShardFacts | undefined> {
  const shard = shards.find((one) => one.name === name);
  if (shard === undefined) return undefined;
  const { bytes } = await readUse(target, shard.name);
  const migrations = await d1<{ name: string }>(
    target,
    shard.name,
    'SELECT name FROM d1_migrations ORDER BY id',
  );
  return {
    name: shard.name,
    jurisdiction: shard.jurisdiction,
    isClosed: shard.closed === 1,
    migrations: migrations.map((migration) => migration.name),
    bytes,
  };
}

export async function latestMove(target: Target, bankId: string): Promise<Move | undefined> {
  const [move] = await d1<Move>(target, 'DIRECTORY', textOf([selectLatestMove(bankId)]));
  return move;
}
