/** What `/health` asks D1. */
import { sql } from 'drizzle-orm';
import type { Statement } from '../db/statements.ts';

/** Reads at most one row, of a table that the first migration creates. */
export function selectProbe(): Statement {
  return sql`SELECT 1 FROM banks LIMIT 1`;
}
