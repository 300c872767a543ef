/** The data of a local server: created and seeded before each start, and removed on request. */
import { createHash, createHmac } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { demoDirectorySql, demoShardSql } from './demo-data.ts';
import { ensureDevVars } from './dev-vars.ts';
import { dataFolderOf, withLocalDatabases } from '../lib/local-d1.ts';
import { localShards, unbindLocalShards } from '../lib/local-shards.ts';
import { applyLocalMigrations } from '../lib/migrations.ts';
import { stateFolderOf } from '../lib/wrangler.ts';

/** Creates the tables, the demo banks with their API keys, and the demo customer. May run any number of times. */
export async function prepareLocalDatabase(persistTo?: string): Promise<void> {
  const stateFolder = stateFolderOf({ persistTo });
  const fieldKey = await ensureDevVars();
  const now = Date.now();
  const demo = await demoShardSql(now, fieldKey);
  // The local queue is in memory and was lost with the last server: every open chunk is due at once.
  const allDue = 'UPDATE batch_chunks SET next_send_at = 0 WHERE next_send_at IS NOT NULL;';
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

/** Names of Miniflare's folder of D1, and of the only database of version 0.1.0. */
const D1_FOLDER = 'miniflare-D1DatabaseObject';
const OLD_DATABASE = 'DB';

/** Removes the database of version 0.1.0, which no migration leads to these. @returns whether there was one */
export async function removeOldDatabase(stateFolder?: string): Promise<boolean> {
  const file = join(
    dataFolderOf(stateFolderOf({ persistTo: stateFolder })),
    'd1',
    D1_FOLDER,
    `${objectIdOf(OLD_DATABASE)}.sqlite`,
  );
  if (!existsSync(file)) return false;
  for (const suffix of ['', '-shm', '-wal']) await rm(file + suffix, { force: true });
  return true;
}

/** The id of a Durable Object, as workerd derives it from a name. */
function objectIdOf(name: string): string {
  const key = createHash('sha256').update(D1_FOLDER).digest();
  const hmac = (data: string | Buffer) => createHmac('sha256', key).update(data).digest().subarray(0, 16);
  const ofName = hmac(name);
  return Buffer.concat([ofName, hmac(ofName)]).toString('hex');
}

/** @returns the folder that was removed; undefined if there was none */
export async function removeLocalData(stateFolder?: string): Promise<string | undefined> {
  await unbindLocalShards(stateFolderOf({ persistTo: stateFolder }));
  const folder = dataFolderOf(stateFolderOf({ persistTo: stateFolder }));
  if (!existsSync(folder)) return undefined;
  await rm(folder, { recursive: true });
  return folder;
}
