/**
 * The one way to D1, and what a thrown statement tells. Drizzle makes the SQL and its parameters; D1's own calls
 * run it. Drizzle's driver can't bind the parameters of raw SQL in a batch (0.45), puts bound values into the text
 * of its errors, and would be 7 KB of the bundle.
 */
import type { SQL } from 'drizzle-orm';
import { SQLiteAsyncDialect } from 'drizzle-orm/sqlite-core';
import { messagesOf } from './cause.ts';

/** What is asked of D1, of its binding as of a session. */
export type Database = Pick<D1Database, 'prepare' | 'batch'>;

/** Text and parameters. Where a statement is hot, its text is made once. */
export interface Rendered {
  sql: string;
  params: unknown[];
}

/** What can be run, and has not been. */
export type Statement = SQL | Rendered;

const dialect = new SQLiteAsyncDialect();

/**
 * Runs statements as one D1 call and one transaction: all of them, or none.
 * @returns the rows of each statement, as SQLite names the columns
 * @throws an error for the questions below
 */
export async function runTogether(db: Database, statements: Statement[]): Promise<unknown[][]> {
  if (statements.length === 0) return [];
  const bound = statements.map((statement) => bind(db, statement));
  const results = await db.batch(bound).catch(throwDatabaseError);
  return results.map((result) => result.results);
}

/**
 * Runs together what may be run twice: a write whose answer was lost may have been committed, and to run it again is
 * to look, and to mend.
 */
export async function runTogetherSurely(db: Database, statements: Statement[]): Promise<unknown[][]> {
  return runTogether(db, statements).catch((error: unknown) => {
    if (!isDatabaseAway(error)) throw error;
    return runTogether(db, statements);
  });
}

/**
 * Runs one statement.
 * @returns its rows, as SQLite names the columns
 * @throws an error for the questions below
 */
export async function run<Row>(db: Database, statement: Statement): Promise<Row[]> {
  const { results } = await bind(db, statement).all<Row>().catch(throwDatabaseError);
  return results;
}

export function render(statement: Statement): Rendered {
  return 'params' in statement ? statement : dialect.sqlToQuery(statement);
}

function bind(db: Database, statement: Statement): D1PreparedStatement {
  const { sql, params } = render(statement);
  return db.prepare(sql).bind(...params);
}

function throwDatabaseError(cause: unknown): never {
  throw new DatabaseError('a D1 call failed', { cause });
}

/** A D1 call that failed. What D1 said, if it said anything, is the cause. */
export class DatabaseError extends Error {}

/** Did two customers draw the same phrase? */
export function isPhraseCollision(error: unknown): boolean {
  return says(error, /UNIQUE constraint failed: customers\.phrase/);
}

/** Has a bank left as many failures today as it may? See `countRefusedRows`. */
export function isOverFailureLimit(error: unknown): boolean {
  return says(error, /NOT NULL constraint failed: banks\.failure_day_count/);
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
  if (!(error instanceof DatabaseError) || error.cause instanceof TypeError) return false;
  return says(error, /SQLITE_(BUSY|FULL|IOERR|NOMEM|LOCKED)/) || !says(error, /SQLITE_|constraint failed/);
}

function says(error: unknown, words: RegExp): boolean {
  return messagesOf(error).some((message) => words.test(message));
}
