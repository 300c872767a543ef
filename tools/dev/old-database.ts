/** The local data of version 0.1.0, which had one database. */
import { createHash, createHmac } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { dataFolderOf } from '../lib/local-d1.ts';
import { stateFolderOf } from '../lib/wrangler.ts';

/** Names of Miniflare's folder of D1, and of the only database of version 0.1.0. */
const D1_FOLDER = 'miniflare-D1DatabaseObject';
const OLD_DATABASE = 'DB';

/** Removes the database of version 0.1.0, which no migration leads to these. @returns whether there was one */
export async function removeOldDatabase(stateFolder?: string): Promise<boolean> {
  const folder = dataFolderOf(stateFolderOf({ persistTo: stateFolder }));
  const file = join(folder, 'd1', D1_FOLDER, `${objectIdOf(OLD_DATABASE)}.sqlite`);
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
