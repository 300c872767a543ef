/** One page of a list, in SQL. */
import { asc, desc, sql, type SQL, type SQLWrapper } from 'drizzle-orm';
import { rowsToRead, type Position } from './cursor.ts';

export interface PageRequest {
  limit: number;
  position?: Position | undefined;
}

/**
 * The end of a WHERE, the order and the limit. A comparison of row values: SQLite seeks to the page's first row in
 * the index, so nothing in front of it is read, at any depth.
 * @param columns what the list is sorted by; together unique, so that no row falls between two pages
 */
export function keysetPage(
  columns: SQLWrapper[],
  newestFirst: boolean,
  { limit, position }: PageRequest,
): SQL {
  const backwards = position?.side === 'before';
  const descending = newestFirst !== backwards;
  const order = sql.join(columns.map(descending ? desc : asc), sql`, `);
  const rows = rowsToRead(limit, position);
  if (position === undefined) return sql`true ORDER BY ${order} LIMIT ${rows}`;
  const operator = sql.raw(`${descending ? '<' : '>'}${backwards ? '' : '='}`);
  const key = position.key.map((part) => sql`${part}`);
  return sql`(${sql.join(columns, sql`, `)}) ${operator} (${sql.join(key, sql`, `)})
      ORDER BY ${order} LIMIT ${rows}`;
}
