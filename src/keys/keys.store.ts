/** Keys in D1: the only statements that touch `api_keys`. */
import { eq } from 'drizzle-orm';
import type { Database } from '../db/client.ts';
import { apiKeys } from '../db/tables.ts';

/** The one row read that an unremembered key costs. */
export function findKeyByHash(db: Database, hash: string) {
  return db
    .select({
      id: apiKeys.id,
      bankId: apiKeys.bankId,
      scopes: apiKeys.scopes,
      expiresAt: apiKeys.expiresAt,
      revokedAt: apiKeys.revokedAt,
    })
    .from(apiKeys)
    .where(eq(apiKeys.hash, hash));
}
