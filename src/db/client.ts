/** The one way to D1: Drizzle over the binding, and what a thrown statement tells. */
import { DrizzleQueryError } from 'drizzle-orm/errors';
import type { SQLWrapper } from 'drizzle-orm';
import { drizzle, type DrizzleD1Database } from 'drizzle-orm/d1';
import { SQLiteAsyncDialect } from 'drizzle-orm/sqlite-core';
import { rootMessage } from '../lib/cause.ts';

export type Database = DrizzleD1Database & { $client: D1Database };

/** A Drizzle query that has not been awaited, or a raw `sql` template. */
export type Statement = SQLWrapper;

export function connect(binding: D1Database): Database {
  return drizzle(binding);
}

const dialect = new SQLiteAsyncDialect();

/**
 * Runs statements as one D1 call and one transaction: all of them, or none.
 * Drizzle's own `batch()` can't bind the parameters of raw SQL (0.45), so this asks it for text and parameters.
 * @returns the rows of each statement, as SQLite names the columns
 */
export async function runTogether(db: Database, statements: Statement[]): Promise<unknown[][]> {
  if (statements.length === 0) return [];
  const bound = statements.map((statement) => {
    const { sql, params } = dialect.sqlToQuery(statement.getSQL());
    return db.$client.prepare(sql).bind(...params);
  });
  const results = await db.$client.batch(bound);
  return results.map((result) => result.results);
}

/** Did two customers draw the same phrase? */
export function isPhraseCollision(error: unknown): boolean {
  return rootMessage(error).includes('UNIQUE constraint failed: customers.phrase');
}

/** Did SQLite refuse a row? Trying again would end the same way. */
export function isConstraintFailure(error: unknown): boolean {
  return rootMessage(error).includes('constraint failed');
}

/** Is D1 itself away: overloaded, restarting, unreachable? A statement that SQLite refuses is a bug of ours. */
export function isDatabaseAway(error: unknown): boolean {
  const message = rootMessage(error);
  const fromD1 = error instanceof DrizzleQueryError || message.startsWith('D1_');
  return fromD1 && !message.includes('SQLITE_') && !isConstraintFailure(error);
}
