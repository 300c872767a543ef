/** Keys in D1: the only statements that touch `api_keys`. */
import { sql } from 'drizzle-orm';
import type { Statement } from '../db/statements.ts';

export interface ApiKeyRow {
  id: string;
  bankId: string;
  /** Separated by spaces. */
  scopes: string;
  expiresAt: number | null;
  revokedAt: number | null;
  lastUsedOn: string | null;
  cursorKey: string;
}

/** What an unremembered key costs: its row, and its bank's. */
export function selectApiKey(hash: string): Statement {
  return sql`SELECT api_keys.id, bank_id AS bankId, scopes, expires_at AS expiresAt, revoked_at AS revokedAt,
        last_used_on AS lastUsedOn, cursor_key AS cursorKey
      FROM api_keys JOIN banks ON banks.id = bank_id
      WHERE hash = ${hash}`;
}

/** @param day `YYYY-MM-DD`, UTC */
export function updateLastUsed(hash: string, day: string): Statement {
  return sql`UPDATE api_keys SET last_used_on = ${day} WHERE hash = ${hash}`;
}
