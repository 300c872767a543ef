/** The migrations of the directory and of the shards, of which each shard has the same. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Execute } from './local-d1.ts';
import { migrationsFolderOf, type CloudflareName, type DatabaseName, type ShardName } from './shards.ts';
import { d1, projectFolder, sqlText, wrangler, type Target } from './wrangler.ts';

/** Brings the tables of a deployed database up to date. */
export async function applyRemoteMigrations(database: DatabaseName): Promise<void> {
  await wrangler(['d1', 'migrations', 'apply', database, '--remote']);
}

/** As `wrangler d1 migrations apply` creates it. */
const CREATE_RECORD = `CREATE TABLE IF NOT EXISTS d1_migrations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;

/** Brings the tables of a local database up to date: all of its migrations, or none. */
export async function applyLocalMigrations(execute: Execute, database: DatabaseName): Promise<void> {
  const [, applied] = await execute<{ name: string }>(
    database,
    `${CREATE_RECORD};\nSELECT name FROM d1_migrations`,
  );
  const names = new Set(applied?.results.map(({ name }) => name));
  const missing = (await knownMigrations(database)).filter((name) => !names.has(name));
  const texts = await Promise.all(
    missing.map(async (name) => {
      const text = await readFile(join(projectFolder, migrationsFolderOf(database), name), 'utf8');
      return `${text};\nINSERT INTO d1_migrations (name) VALUES (${sqlText(name)});`;
    }),
  );
  if (texts.length > 0) await execute(database, texts.join('\n'));
}

/** @returns the names of the migrations in this folder of the project, in their order */
async function knownMigrations(database: DatabaseName): Promise<string[]> {
  const names = await readdir(join(projectFolder, migrationsFolderOf(database)));
  return names.filter((name) => name.endsWith('.sql')).sort();
}

const appliedMigrations = async (target: Target, database: DatabaseName | CloudflareName) =>
  (await d1<{ name: string }>(target, database, 'SELECT name FROM d1_migrations ORDER BY id')).map(
    ({ name }) => name,
  );

/** @throws if a shard has other migrations than this project: a bank could not move between it and a new one */
export async function assertSameMigrations(target: Target, shards: ShardName[]): Promise<void> {
  for (const name of shards) {
    const known = await knownMigrations(name);
    const applied = await appliedMigrations(target, name);
    const missing = known.find((migration) => !applied.includes(migration));
    if (missing !== undefined) {
      const command = target.remote ? 'npm run deploy' : 'npm start';
      throw new Error(
        `${name} lacks the migration ${missing}; nothing was changed. Apply it first: ${command}`,
      );
    }
    const unknown = applied.find((migration) => !known.includes(migration));
    if (unknown !== undefined) {
      throw new Error(
        `${name} has the migration ${unknown}, which this version lacks; nothing was changed. Update this version first.`,
      );
    }
  }
}

/** @throws if a database at Cloudflare, which exists already, is neither empty nor a shard */
export async function assertIsShardOrEmpty(database: CloudflareName): Promise<void> {
  const target = { remote: true as const };
  const tables = await d1<{ name: string }>(
    target,
    database,
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\' AND name NOT LIKE 'sqlite%'",
  );
  if (tables.length === 0) return;
  const applied = tables.some(({ name }) => name === 'd1_migrations')
    ? await appliedMigrations(target, database)
    : undefined;
  const known = await knownMigrations('SHARD_1');
  if (applied?.every((name, index) => name === known[index]) !== true) {
    throw new Error(
      `Database ${database} exists and has other tables than a shard; nothing was changed. Choose another --name, or delete it if nobody needs it.`,
    );
  }
}
