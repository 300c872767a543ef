/** The data of a local server: created and seeded before each start, and removed on request. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { demoDirectorySql, demoShardSql } from './demo-data.ts';
import { ensureDevVars } from './dev-vars.ts';
import { dataFolderOf } from '../lib/local-d1.ts';
import { localShards, unbindLocalShards } from '../lib/local-shards.ts';
import { applyMigrations } from '../lib/migrations.ts';
import { d1, stateFolderOf } from '../lib/wrangler.ts';

/** Creates the tables, the demo banks with their API keys, and the demo customer. May run any number of times. */
export async function prepareLocalDatabase(stateFolder?: string): Promise<void> {
  const target = { remote: false as const, persistTo: stateFolder };
  const fieldKey = await ensureDevVars();
  const now = Date.now();
  // The local queue is in memory and was lost with the last server: every open chunk is due at once.
  const allDue = 'UPDATE batch_chunks SET next_send_at = 0 WHERE next_send_at IS NOT NULL;';
  const demo = await demoShardSql(now, fieldKey);
  // One after the other: two processes of wrangler can lock each other out of a state folder.
  await applyMigrations(target, 'DIRECTORY');
  await d1(target, 'DIRECTORY', demoDirectorySql(now));
  for (const shard of await localShards(stateFolderOf(target))) {
    await applyMigrations(target, shard);
    await d1(target, shard, shard === 'SHARD_1' ? `${demo}\n${allDue}` : allDue);
  }
}

/** @returns the folder that was removed; undefined if there was none */
export async function removeLocalData(stateFolder?: string): Promise<string | undefined> {
  await unbindLocalShards(stateFolderOf({ persistTo: stateFolder }));
  const folder = dataFolderOf(stateFolderOf({ persistTo: stateFolder }));
  if (!existsSync(folder)) return undefined;
  await rm(folder, { recursive: true });
  return folder;
}
