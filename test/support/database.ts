/** Reads of the test's databases, past the service: of the directory's own tables, and of those of SHARD_1. */
import { env } from 'cloudflare:workers';

const DIRECTORY_TABLES = /[\s"](banks|api_keys|shards|bank_moves)\b|^(banks|api_keys|shards|bank_moves)$/;

/** The database that has the table, or on which the SQL runs. */
export const databaseOf = (sql: string) => (DIRECTORY_TABLES.test(sql) ? env.DIRECTORY : env.SHARD_1);

/** @param where an SQL condition */
export async function countRows(table: string, where = 'true'): Promise<number> {
  const count = await databaseOf(table)
    .prepare(`SELECT count(*) AS n FROM ${table} WHERE ${where}`)
    .first<number>('n');
  return count ?? 0;
}

export async function selectRows<Row = Record<string, unknown>>(
  sql: string,
  ...values: unknown[]
): Promise<Row[]> {
  const { results } = await databaseOf(sql)
    .prepare(sql)
    .bind(...values)
    .all<Row>();
  return results;
}

/** Returns every row of these tables as JSON, to compare states or to search for a value. */
export async function dumpTables(...tables: string[]): Promise<string> {
  const results = tables.map((table) => databaseOf(table).prepare(`SELECT * FROM ${table}`).all());
  return JSON.stringify((await Promise.all(results)).map(({ results: rows }) => rows));
}
