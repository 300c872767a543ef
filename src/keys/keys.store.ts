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
      cursorKey: banks.cursorKey,
    })
    .from(apiKeys)
    .innerJoin(banks, eq(banks.id, apiKeys.bankId))
    .where(eq(apiKeys.hash, hash));
}
