/** API keys in the directory: the only statements on `api_keys`. */
import { eq, sql } from 'drizzle-orm';
import { apiKeys, banks, shards } from '../db/schema.ts';
import { columnsAs, queryBuilder, renderOnce, toStatement, type Statement } from '../db/statements.ts';

const columns = {
  ...columnsAs({
    id: apiKeys.id,
    bankId: apiKeys.bankId,
    /** Separated by spaces. */
    scopes: apiKeys.scopes,
    expiresAt: apiKeys.expiresAt,
    revokedAt: apiKeys.revokedAt,
    lastUsedOn: apiKeys.lastUsedOn,
    cursorKey: banks.cursorKey,
    bankName: banks.name,
    shard: banks.shard,
    moveNumber: banks.moveNumber,
  }),
  /** JSON: of each shard by name, null for none. */
  jurisdictions: sql<string>`(SELECT json_group_object(name, jurisdiction) FROM ${shards})`.as(
    'jurisdictions',
  ),
};

const byHash = renderOnce(() =>
  toStatement(
    queryBuilder
      .select(columns)
      .from(apiKeys)
      .innerJoin(banks, eq(banks.id, apiKeys.bankId))
      .where(eq(apiKeys.hash, sql.placeholder('hash'))),
  ),
);

/** An API key, its bank and where its data is: two rows read, and one for each shard. */
export const selectApiKey = (hash: string) => byHash({ hash });

/** @param day `YYYY-MM-DD`, UTC */
export function updateLastUsed(hash: string, day: string): Statement {
  return sql`UPDATE api_keys SET last_used_on = ${day} WHERE hash = ${hash}`;
}
