/**
 * Runs SQL on this machine's databases. Not by wrangler or Miniflare, which start a second workerd: it writes with every
 * read, and the server that runs on the same data is locked out meanwhile.
 */
import { createHash, createHmac } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** What D1 returns for a statement. */
export interface StatementResult<Row> {
  results: Row[];
  /** The size of the database afterwards, in bytes. */
  meta: { size_after?: number };
}

/** Runs statements as one transaction. @throws SQLite's error */
export type Execute = <Row>(database: string, statements: string) => Promise<StatementResult<Row>[]>;

/** How long a statement waits for a server that writes at the same time. */
const MAX_WAIT_MS = 10_000;

/** Miniflare's name of the Durable Objects of D1, and of their folder. */
const D1_OBJECTS = 'miniflare-D1DatabaseObject';

/** @returns wrangler's part of a state folder */
export const dataFolderOf = (stateFolder: string) => join(stateFolder, 'v3');

/** @param database the name of its binding, which is the local database's id */
export const fileOf = (stateFolder: string, database: string) =>
  join(dataFolderOf(stateFolder), 'd1', D1_OBJECTS, `${objectIdOf(database)}.sqlite`);

/** The id of a Durable Object, as workerd derives it from a name. */
function objectIdOf(name: string): string {
  const key = createHash('sha256').update(D1_OBJECTS).digest();
  const hmac = (data: string | Buffer) => createHmac('sha256', key).update(data).digest().subarray(0, 16);
  const ofName = hmac(name);
  return Buffer.concat([ofName, hmac(ofName)]).toString('hex');
}

/** Opens databases, which are created if they are missing, and closes them after the work. */
export async function withLocalDatabases<Result>(
  stateFolder: string,
  databases: readonly string[],
  work: (execute: Execute) => Promise<Result>,
): Promise<Result> {
  await createMissing(stateFolder, databases);
  const { unstable_splitSqlQuery: splitSqlQuery } = await import('wrangler');
  const opened = new Map<string, DatabaseSync>();
  try {
    for (const name of databases) {
      opened.set(name, new DatabaseSync(fileOf(stateFolder, name), { timeout: MAX_WAIT_MS }));
    }
    return await work(async <Row>(name: string, statements: string) => {
      const database = opened.get(name);
      if (database === undefined) throw new RangeError(`${name} is not open.`);
      return runTransaction<Row>(database, splitSqlQuery(statements));
    });
  } finally {
    for (const database of opened.values()) database.close();
  }
}

/** Miniflare creates them, so that they are as workerd wants them. */
async function createMissing(stateFolder: string, databases: readonly string[]): Promise<void> {
  const missing = databases.filter((name) => !existsSync(fileOf(stateFolder, name)));
  if (missing.length === 0) return;
  const { convertV4MiniflareOptions, Miniflare } = await import('miniflare');
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: '',
      resourcePersistencePath: dataFolderOf(stateFolder),
      d1Databases: Object.fromEntries(missing.map((name) => [name, name])),
    }),
  );
  try {
    for (const name of missing) await (await miniflare.getD1Database(name)).prepare('SELECT 1').run();
  } finally {
    await miniflare.dispose();
  }
}

function runTransaction<Row>(database: DatabaseSync, statements: string[]): StatementResult<Row>[] {
  const onlyReads = statements.every((text) => /^\s*SELECT\b/i.test(text));
  // A transaction that turned into a writing one later would not wait for its turn.
  begin(database, onlyReads ? 'BEGIN' : 'BEGIN IMMEDIATE');
  try {
    // Rows of SQLite have no prototype; those of D1 do.
    const rowsOf = (text: string) =>
      database
        .prepare(text)
        .all()
        .map((row) => ({ ...row }) as Row);
    const results = statements.map(rowsOf);
    const size = database.prepare(
      'SELECT page_count * page_size AS size FROM pragma_page_count, pragma_page_size',
    );
    const meta = { size_after: Number(size.get()?.['size']) };
    database.exec('COMMIT');
    return results.map((rows) => ({ results: rows, meta }));
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** @throws if the database is locked for too long */
function begin(database: DatabaseSync, statement: string): void {
  try {
    database.exec(statement);
  } catch (error) {
    const sentence = 'The local database is in use: stop npm start, or wait until it has less to do.';
    throw new Error(sentence, { cause: error });
  }
}

/** Runs statements on one database, as one transaction. @throws SQLite's error, or that there is no local data */
export async function executeLocally<Row>(
  stateFolder: string,
  database: string,
  statements: string,
): Promise<StatementResult<Row>[]> {
  if (!existsSync(dataFolderOf(stateFolder))) {
    throw new Error(`There is no local data in ${stateFolder} yet: npm start creates it.`);
  }
  return withLocalDatabases(stateFolder, [database], (execute) => execute<Row>(database, statements));
}
