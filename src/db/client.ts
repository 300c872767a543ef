/** The one way to D1: Drizzle over the binding, and what a thrown statement tells. */
import { DrizzleQueryError } from 'drizzle-orm/errors';
import type { SQLWrapper } from 'drizzle-orm';
import { drizzle, type DrizzleD1Database } from 'drizzle-orm/d1';
import { SQLiteAsyncDialect } from 'drizzle-orm/sqlite-core';
import { messagesOf } from './cause.ts';

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
 * @throws an error for the questions below
 */
export async function runTogether(db: Database, statements: Statement[]): Promise<unknown[][]> {
  if (statements.length === 0) return [];
  const bound = statements.map((statement) => {
    const { sql, params } = dialect.sqlToQuery(statement.getSQL());
    return db.$client.prepare(sql).bind(...params);
  });
  try {
    const results = await db.$client.batch(bound);
    return results.map((result) => result.results);
  } catch (error) {
    throw new DatabaseError('a D1 call failed', { cause: error });
  }
}

/** A D1 call that failed. What D1 said, if it said anything, is the cause. */
export class DatabaseError extends Error {}

/** Did two customers draw the same phrase? */
export function isPhraseCollision(error: unknown): boolean {
  return says(error, /UNIQUE constraint failed: customers\.phrase/);
}

/** Did SQLite refuse a row? Trying again would end the same way. */
export function isConstraintFailure(error: unknown): boolean {
  return says(error, /constraint failed|SQLITE_CONSTRAINT/);
}

/**
 * Is D1 itself away: overloaded, restarting, unreachable, out of room? Any other word of SQLite's is about a
 * statement, and so a bug of ours; as is a TypeError on the way.
 */
export function isDatabaseAway(error: unknown): boolean {
  const fromD1 = error instanceof DatabaseError || error instanceof DrizzleQueryError;
  if (!fromD1 || error.cause instanceof TypeError) return false;
  return says(error, /SQLITE_(BUSY|FULL|IOERR|NOMEM|LOCKED)/) || !says(error, /SQLITE_|constraint failed/);
}

function says(error: unknown, words: RegExp): boolean {
  return messagesOf(error).some((message) => words.test(message));
}
