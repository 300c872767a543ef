/** What `/health` asks D1. */
import { sql } from 'drizzle-orm';
import type { Statement } from '../db/statements.ts';

/** Each reads at most one row, of a table that the first migration creates. */
export const selectDirectoryProbe = (): Statement => sql`SELECT 1 FROM banks LIMIT 1`;
export const selectShardProbe = (): Statement => sql`SELECT 1 FROM tenants LIMIT 1`;
