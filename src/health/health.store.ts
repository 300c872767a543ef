/** What `/health` asks D1. */
import { sql } from 'drizzle-orm';
import type { Statement } from '../db/statements.ts';

/** One row at most, of a table that the first migration makes. */
export function selectOne(): Statement {
  return sql`SELECT 1 FROM banks LIMIT 1`;
}
