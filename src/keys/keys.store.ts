/** Keys in D1: the only statements that touch `api_keys`. */
import { eq } from 'drizzle-orm';
import type { Database } from '../db/client.ts';
import { apiKeys, banks } from '../db/tables.ts';

/** What an unremembered key costs: its row, and its bank's. */
export function findKeyByHash(db: Database, hash: string) {
  return db
    .select({
      id: apiKeys.id,
      bankId: apiKeys.bankId,
      scopes: apiKeys.scopes,
      expiresAt: apiKeys.expiresAt,
      revokedAt: apiKeys.revokedAt,
      lastUsedOn: apiKeys.lastUsedOn,
      cursorKey: banks.cursorKey,
    })
    .from(apiKeys)
    .innerJoin(banks, eq(banks.id, apiKeys.bankId))
    .where(eq(apiKeys.hash, hash));
}

/** @param day `YYYY-MM-DD`, UTC */
export function markKeyUsed(db: Database, hash: string, day: string) {
  return db.update(apiKeys).set({ lastUsedOn: day }).where(eq(apiKeys.hash, hash));
}
