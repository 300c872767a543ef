/** The local data of version 0.1.0, which had one database. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { fileOf } from '../lib/local-d1.ts';
import { stateFolderOf } from '../lib/wrangler.ts';

const OLD_DATABASE = 'DB';

/** Removes the database of version 0.1.0, which no migration leads to these. @returns whether there was one */
export async function removeOldDatabase(persistTo?: string): Promise<boolean> {
  const file = fileOf(stateFolderOf({ persistTo }), OLD_DATABASE);
  if (!existsSync(file)) return false;
  for (const suffix of ['', '-shm', '-wal']) await rm(file + suffix, { force: true });
  return true;
}
