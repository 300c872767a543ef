/** The data of a local server: created and seeded before each start, and removed on request. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { demoDirectorySql, demoShardSql } from './demo-data.ts';
import { ensureDevVars } from './dev-vars.ts';
import { applyMigrations, d1, projectFolder } from '../lib/wrangler.ts';

/** Where wrangler keeps the data by default. */
const DEFAULT_STATE_FOLDER = join(projectFolder, '.wrangler', 'state');

/** @returns wrangler's part of a state folder */
export function dataFolderOf(stateFolder: string = DEFAULT_STATE_FOLDER): string {
  return join(stateFolder, 'v3');
}

/** Creates the tables, the demo banks with their API keys, and the demo customer. May run any number of times. */
export async function prepareLocalDatabase(stateFolder?: string): Promise<void> {
  const target = { remote: false as const, persistTo: stateFolder };
  const fieldKey = await ensureDevVars();
  const now = Date.now();
  // The local queue is in memory and was lost with the last server: every open chunk is due at once.
  const allDue = 'UPDATE batch_chunks SET next_send_at = 0 WHERE next_send_at IS NOT NULL;';
  // One after the other: two processes of wrangler can lock each other out of a state folder.
  await applyMigrations(target, 'DIRECTORY');
  await d1(target, 'DIRECTORY', demoDirectorySql(now));
  await applyMigrations(target, 'SHARD_1');
  await d1(target, 'SHARD_1', `${await demoShardSql(now, fieldKey)}\n${allDue}`);
}

/** @returns the folder that was removed; undefined if there was none */
export async function removeLocalData(stateFolder?: string): Promise<string | undefined> {
  const folder = dataFolderOf(stateFolder);
  if (!existsSync(folder)) return undefined;
  await rm(folder, { recursive: true });
  return folder;
}
