/** Reads of the test's database, past the service. */
import { env } from 'cloudflare:workers';

/** @param where an SQL condition */
export async function countRows(table: string, where = 'true'): Promise<number> {
  const count = await env.DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE ${where}`).first<number>('n');
  return count ?? 0;
}

export async function selectRows<Row = Record<string, unknown>>(
  sql: string,
  ...values: unknown[]
): Promise<Row[]> {
  const { results } = await env.DB.prepare(sql)
    .bind(...values)
    .all<Row>();
  return results;
}

/** Returns every row of these tables as JSON, to compare states or to search for a value. */
export async function dumpTables(...tables: string[]): Promise<string> {
  const results = await env.DB.batch(tables.map((table) => env.DB.prepare(`SELECT * FROM ${table}`)));
  return JSON.stringify(results.map(({ results: rows }) => rows));
}
