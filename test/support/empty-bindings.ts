/**
 * Empties D1 and the phrase cache between tests. `reset()` of `cloudflare:test` is not enough: it empties only Durable
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

/** The schema as the migrations create it, as JSON. */
let migrated: string | undefined;

/** The state of D1 after it was seeded, unless a test has changed something since. */
let seeded: string | null | undefined;

/** Leaves D1 with nothing but what `seed` inserts, and no phrase cached. Does nothing if no test has changed anything. */
export async function resetBindings(
  env: Cloudflare.Env,
  seed: (db: D1Database) => Promise<void>,
): Promise<void> {
  const readState = () => env.DB.prepare(STATE).first<string>('state');
  if (seeded !== undefined && (await readState()) === seeded) {
    await phraseStore.clear();
    return;
  }
  await emptyBindings(env);
  await seed(env.DB);
  seeded = await readState();
}

/** Leaves D1 as the migrations create it, and no phrase cached. */
export async function emptyBindings({ DB, MIGRATIONS }: Cloudflare.Env): Promise<void> {
  const run = (queries: string[]) => DB.batch(queries.map((query) => DB.prepare(query)));
  const readSchema = async () => (await DB.prepare(SCHEMA).all<SchemaObject>()).results;

  const schema = await readSchema();
  if (JSON.stringify(schema) === migrated) {
    await run(deletingRows(schema));
  } else {
    await run([...droppingTables(schema), ...MIGRATIONS.flatMap((migration) => migration.queries)]);
    migrated = JSON.stringify(await readSchema());
  }
  await phraseStore.clear();
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
