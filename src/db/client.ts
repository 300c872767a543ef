/**
 * The one way to D1, and what a thrown statement tells. Drizzle makes the SQL and its parameters; D1's own calls
 * run it. Drizzle's driver can't bind the parameters of raw SQL in a batch (0.45), puts bound values into the text
 * of its errors, and would be 7 KB of the bundle.
 */
import type { SQL } from 'drizzle-orm';
import { SQLiteAsyncDialect } from 'drizzle-orm/sqlite-core';
import { systemRuntime, withinDeadline, type Timer } from '../runtime.ts';
import { messagesOf } from './cause.ts';

/** What is asked of D1, of its binding as of a session. */
export interface Database extends Pick<D1Database, 'prepare' | 'batch'> {
  /** The clock of its calls' deadlines; the system's if there is none. */
  readonly timer?: Timer;
}

/**
 * D1 itself gives a statement 30 s, and a connection that hangs gives no answer at all. A read takes D1 a few
 * milliseconds, and its restarts a second or two: a client that has waited 5 s is served better by a 503.
 */
export const READ_DEADLINE_MS = 5_000;
/**
 * A write of 4 MB takes D1 a tenth of a second. It has longer than a read, because after its deadline it must be found
 * out whether it took effect: it may have, and may do so later.
 */
export const WRITE_DEADLINE_MS = 10_000;

/** D1 without a session. */
export function withDeadlines(binding: D1Database, timer: Timer): Database {
  return {
    prepare: (query) => binding.prepare(query),
    batch: (statements) => binding.batch(statements),
    timer,
  };
}

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
 * @param deadlineMs when the answer is no longer waited for; WRITE_DEADLINE_MS for writes
 * @returns the rows of each statement, as SQLite names the columns
 * @throws an error for the questions below
 */
export async function runTogether(
  db: Database,
  statements: Statement[],
  deadlineMs = READ_DEADLINE_MS,
): Promise<unknown[][]> {
  if (statements.length === 0) return [];
  const bound = statements.map((statement) => bind(db, statement));
  const results = await answerOf(db, db.batch(bound), deadlineMs);
  return results.map((result) => result.results);
}

/**
 * Runs together writes that may be run twice: one whose answer was lost, or is late, may have been committed, or may
 * be yet, and to run it again is to look, and to mend.
 */
export async function runTogetherSurely(db: Database, statements: Statement[]): Promise<unknown[][]> {
  return runTogether(db, statements, WRITE_DEADLINE_MS).catch((error: unknown) => {
    if (!isDatabaseAway(error)) throw error;
    return runTogether(db, statements, WRITE_DEADLINE_MS);
  });
}

/**
 * Runs one statement.
 * @param deadlineMs as above
 * @returns its rows, as SQLite names the columns
 * @throws an error for the questions below
 */
export async function run<Row>(
  db: Database,
  statement: Statement,
  deadlineMs = READ_DEADLINE_MS,
): Promise<Row[]> {
  const { results } = await answerOf(db, bind(db, statement).all<Row>(), deadlineMs);
  return results;
}

/** Every call to D1 passes here. */
function answerOf<Result>(
  { timer = systemRuntime.timer }: Database,
  call: Promise<Result>,
  deadlineMs: number,
): Promise<Result> {
  return withinDeadline(timer, deadlineMs, 'D1', call).catch((cause: unknown) => {
    throw new DatabaseError('a D1 call failed', { cause });
  });
}

export function render(statement: Statement): Rendered {
  return 'params' in statement ? statement : dialect.sqlToQuery(statement);
}

function bind(db: Database, statement: Statement): D1PreparedStatement {
  const { sql, params } = render(statement);
  return db.prepare(sql).bind(...params);
}

/** A D1 call that failed, or was not answered in time. What D1 said, if it said anything, is the cause. */
export class DatabaseError extends Error {}

/** Did two customers draw the same phrase? */
export function isPhraseCollision(error: unknown): boolean {
  return says(error, /UNIQUE constraint failed: customers\.phrase/);
}

/** Has a bank left as many failures today as it may? See `countRefusedRows`. */
export function isOverFailureLimit(error: unknown): boolean {
  return says(error, /NOT NULL constraint failed: banks\.failure_day_count/);
}

/** Has a bank as many open batches as it may have? See `insertBatch`. */
export function isOverOpenLimit(error: unknown): boolean {
  return says(error, /NOT NULL constraint failed: batches\.status/);
}

/** Did SQLite refuse a row? Trying again would end the same way. */
export function isConstraintFailure(error: unknown): boolean {
  return says(error, /constraint failed|SQLITE_CONSTRAINT/);
}

/**
 * Is D1 itself away: silent, overloaded, restarting, unreachable, out of room? Any other word of SQLite's is about a
 * statement, and so a bug of ours; as is a TypeError on the way.
 */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof DatabaseError) || error.cause instanceof TypeError) return false;
  return says(error, /SQLITE_(BUSY|FULL|IOERR|NOMEM|LOCKED)/) || !says(error, /SQLITE_|constraint failed/);
}

function says(error: unknown, words: RegExp): boolean {
  return messagesOf(error).some((message) => words.test(message));
}
