/** The data of a local server: created and seeded before each start, and removed on request. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { sql } from 'drizzle-orm';
import { isOfOpenBank } from '../../src/databases/tenant.store.ts';
import { demoDirectorySql, demoShardSql } from './demo-data.ts';
import { ensureDevVars } from './dev-vars.ts';
import { dataFolderOf, withLocalDatabases } from '../lib/local-d1.ts';
import { localShards, unbindLocalShards } from '../lib/local-shards.ts';
import { applyLocalMigrations } from '../lib/migrations.ts';
import { textOf } from '../lib/sql.ts';
import { stateFolderOf } from '../lib/wrangler.ts';

/** Creates the tables, the demo banks with their API keys, and the demo customer. May run any number of times. */
export async function prepareLocalDatabase(persistTo?: string): Promise<void> {
  const stateFolder = stateFolderOf({ persistTo });
  const fieldKey = await ensureDevVars();
  const now = Date.now();
  const demo = await demoShardSql(now, fieldKey);
  // The local queue is in memory and was lost with the last server: every open chunk is due at once. A bank that moves is
  // left as it is, here as by every change: its copy is compared.
  const allDue = textOf([
    sql`UPDATE batch_chunks SET next_send_at = 0
        WHERE next_send_at IS NOT NULL AND ${isOfOpenBank('batch_chunks')}`,
  ]);
  const shards = await localShards(stateFolder);
  await withLocalDatabases(stateFolder, ['DIRECTORY', ...shards], async (execute) => {
    await applyLocalMigrations(execute, 'DIRECTORY');
    await execute('DIRECTORY', demoDirectorySql(now));
    for (const shard of shards) {
      await applyLocalMigrations(execute, shard);
      await execute(shard, shard === 'SHARD_1' ? `${demo}\n${allDue}` : allDue);
    }
  });
}

/** @returns the folder that was removed; undefined if there was none */
export async function removeLocalData(stateFolder?: string): Promise<string | undefined> {
  await unbindLocalShards(stateFolderOf({ persistTo: stateFolder }));
  const folder = dataFolderOf(stateFolderOf({ persistTo: stateFolder }));
  if (!existsSync(folder)) return undefined;
  await rm(folder, { recursive: true });
  return folder;
}
