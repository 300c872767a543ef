/** Renders the service's statements as text for wrangler, which accepts no bound parameters. */
import { SQLiteSyncDialect } from 'drizzle-orm/sqlite-core';
import type { Statement } from '../../src/db/statements.ts';

const dialect = new SQLiteSyncDialect();

/** Joins statements, with their values in the text, escaped by Drizzle. */
export function textOf(
  statements: readonly Statement[] | Record<string, Statement | readonly Statement[]>,
): string {
  const texts = Object.values<Statement | readonly Statement[]>(statements)
    .flat()
    .map((statement) => {
      if ('params' in statement) throw new Error('a statement that is rendered has no values in its text');
      return dialect.sqlToQuery(statement.inlineParams()).sql;
    });
  return texts.join(';\n');
}
