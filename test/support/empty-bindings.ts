/**
 * Empties the databases and the phrase cache between tests. `reset()` of `cloudflare:test` is not enough: it empties only Durable
 * Objects that are in memory, and workerd evicts those of D1 when they are idle for 10 s of its clock.
 */
import { phraseStore } from './phrase-store.ts';

export type DatabaseName = 'DIRECTORY' | 'SHARD_1' | 'SHARD_2';

/** What each database has when a test begins. */
export type Seed = Partial<Record<DatabaseName, D1PreparedStatement[]>>;

/** Tables, indexes and triggers of the migrations. Those of SQLite and D1 have other names. */
const SCHEMA = `SELECT type, name, sql FROM sqlite_schema
  WHERE sql IS NOT NULL AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '_cf_*' ORDER BY type, name`;
/** Fails, and its transaction with it, if a test has changed the schema. */
const REQUIRE_SCHEMA = `SELECT iif(json_group_array(json_object('type', type, 'name', name, 'sql', sql)) = ?, 1,
  json('The schema has changed.')) FROM (${SCHEMA})`;

interface SchemaObject {
  type: 'table' | 'index' | 'trigger';
  name: string;
  sql: string;
}

/** The schema of each database as the migrations create it. */
const migrated = new Map<DatabaseName, SchemaObject[]>();

/** Leaves D1 with nothing but the seed, and no phrase cached. */
export async function resetBindings(env: Cloudflare.Env, seed: Seed): Promise<void> {
  const { directory, shard } = env.MIGRATIONS;
  await Promise.all([
    resetDatabase(env, 'DIRECTORY', directory, seed),
    resetDatabase(env, 'SHARD_1', shard, seed),
    resetDatabase(env, 'SHARD_2', shard, seed),
    phraseStore.clear(),
  ]);
}

/** One call of few statements, as a rule: two thousand tests pay for each of them. */
async function resetDatabase(
  env: Cloudflare.Env,
  name: DatabaseName,
  migrations: { queries: string[] }[],
  seed: Seed,
): Promise<void> {
  const database = env[name];
  const readSchema = async () => (await database.prepare(SCHEMA).all<SchemaObject>()).results;
  // The D1 of workerd takes several statements as one.
  const run = (queries: string[], ...before: D1PreparedStatement[]) =>
    database.batch([...before, database.prepare(queries.join(';')), ...(seed[name] ?? [])]);

  const schema = migrated.get(name);
  if (schema !== undefined) {
    const check = database.prepare(REQUIRE_SCHEMA).bind(JSON.stringify(schema));
    const isReset = await run(deletingRows(schema), check).catch(() => undefined);
    if (isReset !== undefined) return;
  }
  await run([...droppingTables(await readSchema()), ...migrations.flatMap((migration) => migration.queries)]);
  migrated.set(name, await readSchema());
}

/** A row may be deleted, or a table dropped, before one that refers to it. */
const ANY_ORDER = 'PRAGMA defer_foreign_keys = true';

/** Takes a third of the time of creating the tables anew. */
function deletingRows(schema: SchemaObject[]): string[] {
  const triggers = schema.filter(({ type, sql }) => type === 'trigger' && /\bDELETE\s+ON\b/.test(sql));
  return [
    ANY_ORDER,
    // They forbid deletions, or write them down.
    ...triggers.map(({ name }) => `DROP TRIGGER "${name}"`),
    ...schema.filter(({ type }) => type === 'table').map(({ name }) => `DELETE FROM "${name}"`),
    ...triggers.map(({ sql }) => sql),
  ];
}

function droppingTables(schema: SchemaObject[]): string[] {
  const tables = schema.filter(({ type }) => type === 'table');
  return [ANY_ORDER, ...tables.map(({ name }) => `DROP TABLE "${name}"`)];
}
