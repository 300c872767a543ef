/** The one way to D1: Drizzle over the binding, and what a thrown statement tells. */
import { DrizzleQueryError } from 'drizzle-orm/errors';
import { drizzle, type DrizzleD1Database } from 'drizzle-orm/d1';
import { rootMessage } from '../lib/cause.ts';

export type Database = DrizzleD1Database;

/** Something that `Database.batch` runs: a Drizzle query or raw statement that has not been awaited. */
export type Statement = Parameters<Database['batch']>[0][number];

export function connect(binding: D1Database): Database {
  return drizzle(binding);
}

/** Runs statements as one D1 call and one transaction: all of them, or none. */
export async function runTogether(db: Database, statements: Statement[]): Promise<void> {
  const [first, ...rest] = statements;
  if (first !== undefined) await db.batch([first, ...rest]);
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
