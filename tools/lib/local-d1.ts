/**
 * Runs SQL on this machine's databases. Not by `wrangler d1 execute --local`, which takes a second longer to start and
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

/** @returns wrangler's part of a state folder */
export const dataFolderOf = (stateFolder: string) => join(stateFolder, 'v3');

/**
 * Runs statements as one transaction.
 * @param database the name of its binding, which is a local database's id
 * @throws D1's error
 */
export async function executeLocally<Row>(
  stateFolder: string,
  database: string,
  statements: string,
): Promise<StatementResult<Row>[]> {
  if (!existsSync(dataFolderOf(stateFolder))) {
    throw new Error(`There is no local data in ${stateFolder} yet: npm start creates it.`);
  }
  const { convertV4MiniflareOptions, Miniflare } = await import('miniflare');
  const { unstable_splitSqlQuery: splitSqlQuery } = await import('wrangler');
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: '',
      resourcePersistencePath: dataFolderOf(stateFolder),
      d1Databases: { [database]: database },
    }),
  );
  try {
    const db = await miniflare.getD1Database(database);
    return await db.batch<Row>(splitSqlQuery(statements).map((text) => db.prepare(text)));
  } finally {
    await miniflare.dispose();
  }
}
