/**
 * Empties the databases and the phrase cache between tests. `reset()` of `cloudflare:test` is not enough: it empties only Durable
 * Objects that are in memory, and workerd evicts those of D1 when they are idle for 10 s of its clock.
 */
import { phraseStore } from './phrase-store.ts';

/** Tables, indexes and triggers of the migrations. Those of SQLite and D1 have other names. */
const SCHEMA = `SELECT type, name, sql FROM sqlite_schema
  WHERE sql IS NOT NULL AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '_cf_*' ORDER BY type, name`;
/** Changes with every row that is inserted, updated or deleted, and with the schema. */
const STATE = `SELECT total_changes() || group_concat(sql) AS state FROM sqlite_schema`;

interface SchemaObject {
  type: 'table' | 'index' | 'trigger';
  name: string;
  sql: string;
}

/** What is known of one database. */
interface Known {
  /** The schema as the migrations create it, as JSON. */
  migrated?: string;
  /** The state after it was seeded, unless a test has changed something since. */
  seeded?: string | null;
}

const known: Record<'DIRECTORY' | 'SHARD_1' | 'SHARD_2', Known> = { DIRECTORY: {}, SHARD_1: {}, SHARD_2: {} };
const NAMES = Object.keys(known) as (keyof typeof known)[];

/** Leaves D1 with nothing but what `seed` inserts, and no phrase cached. Does nothing if no test has changed anything. */
export async function resetBindings(
  env: Cloudflare.Env,
  seed: (env: Cloudflare.Env) => Promise<void>,
): Promise<void> {
  const readStates = () => Promise.all(NAMES.map((name) => env[name].prepare(STATE).first<string>('state')));
  const states = await readStates();
  if (
    NAMES.every((name, index) => known[name].seeded !== undefined && known[name].seeded === states[index])
  ) {
    await phraseStore.clear();
    return;
  }
  await emptyBindings(env);
  await seed(env);
  for (const [index, state] of (await readStates()).entries()) {
    const name = NAMES[index];
    if (name !== undefined) known[name].seeded = state;
  }
}

/** Leaves D1 as the migrations create it, and no phrase cached. */
export async function emptyBindings(env: Cloudflare.Env): Promise<void> {
  const { directory, shard } = env.MIGRATIONS;
  await Promise.all(
    NAMES.map((name) => emptyDatabase(env[name], known[name], name === 'DIRECTORY' ? directory : shard)),
  );
  await phraseStore.clear();
}

async function emptyDatabase(
  database: D1Database,
  state: Known,
  migrations: { queries: string[] }[],
): Promise<void> {
  const run = (queries: string[]) => database.batch(queries.map((query) => database.prepare(query)));
  const readSchema = async () => (await database.prepare(SCHEMA).all<SchemaObject>()).results;

  const schema = await readSchema();
  if (JSON.stringify(schema) === state.migrated) {
    await run(deletingRows(schema));
  } else {
    await run([...droppingTables(schema), ...migrations.flatMap((migration) => migration.queries)]);
    state.migrated = JSON.stringify(await readSchema());
  }
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
