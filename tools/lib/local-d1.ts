/**
 * Runs SQL on this machine's databases. Not by `wrangler d1 execute --local`, which starts a process for each command and
 * does not say how large the database is.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** What D1 returns for a statement. */
export interface StatementResult<Row> {
  results: Row[];
  /** The size of the database afterwards, in bytes. */
  meta: { size_after?: number };
}

/** Runs statements as one transaction. @throws D1's error */
export type Execute = <Row>(database: string, statements: string) => Promise<StatementResult<Row>[]>;

/** @returns wrangler's part of a state folder */
export const dataFolderOf = (stateFolder: string) => join(stateFolder, 'v3');

/** Ends when no other work of this process is done on local databases. Two runtimes can lock each other out of a folder. */
let turn: Promise<unknown> = Promise.resolve();

/**
 * Opens databases, which are created if they are missing, and closes them after the work.
 * @param databases the names of their bindings, which are local databases' ids
 */
export function withLocalDatabases<Result>(
  stateFolder: string,
  databases: readonly string[],
  work: (execute: Execute) => Promise<Result>,
): Promise<Result> {
  const outcome = turn.then(() => openAndWork(stateFolder, databases, work));
  turn = outcome.catch(() => {});
  return outcome;
}

async function openAndWork<Result>(
  stateFolder: string,
  databases: readonly string[],
  work: (execute: Execute) => Promise<Result>,
): Promise<Result> {
  const { convertV4MiniflareOptions, Miniflare } = await import('miniflare');
  const { unstable_splitSqlQuery: splitSqlQuery } = await import('wrangler');
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: '',
      resourcePersistencePath: dataFolderOf(stateFolder),
      d1Databases: Object.fromEntries(databases.map((name) => [name, name])),
      // Prints what is behind an internal error; the error itself is thrown.
      handleStructuredLogs: () => {},
    }),
  );
  try {
    return await work(async <Row>(name: string, statements: string) => {
      const db = await miniflare.getD1Database(name);
      const batch = splitSqlQuery(statements).map((text) => db.prepare(text));
      return patiently(() => db.batch<Row>(batch));
    });
  } finally {
    await miniflare.dispose();
  }
}

/** Waits up to ten seconds. */
const MAX_TRIES = 40;
const RETRY_INTERVAL_MS = 250;

/**
 * A server that runs on the same data locks a database while it writes, which D1 reports as such or as an internal error.
 * Nothing of the transaction was made then, so it is tried again.
 */
async function patiently<Result>(transaction: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await transaction();
    } catch (error) {
      if (!/SQLITE_BUSY|internal error/.test(String(error))) throw error;
      if (tries === MAX_TRIES) {
        throw new Error('The local database is in use: stop npm start, or wait until it has less to do.', {
          cause: error,
        });
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_INTERVAL_MS));
    }
  }
}

/** Runs statements on one database, as one transaction. @throws D1's error, or that there is no local data */
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
