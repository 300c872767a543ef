/** One page of a list, in SQL. */
import { asc, desc, sql, type SQL, type SQLWrapper } from 'drizzle-orm';
import { rowsToRead, type Position } from './cursor.ts';

export interface PageRequest {
  limit: number;
  position?: Position | undefined;
}

/**
 * What selects a page. It compares row values, so SQLite seeks to the page's first row in the index and reads nothing
 * in front of it, at any depth.
 * @param columns what the list is sorted by; together unique, so that no row falls between two pages
 */
export function keysetPage(
  columns: SQLWrapper[],
  newestFirst: boolean,
  { limit, position }: PageRequest,
): { where: SQL | undefined; orderBy: SQL[]; limit: number } {
  const isBackwards = position?.side === 'before';
  const isDescending = newestFirst !== isBackwards;
  const page = { orderBy: columns.map(isDescending ? desc : asc), limit: rowsToRead(limit, position) };
  if (position === undefined) return { where: undefined, ...page };
  const operator = sql.raw(`${isDescending ? '<' : '>'}${isBackwards ? '' : '='}`);
  const key = position.key.map((part) => sql`${part}`);
  const where = sql`(${sql.join(columns, sql`, `)}) ${operator} (${sql.join(key, sql`, `)})`;
  return { where, ...page };
}
