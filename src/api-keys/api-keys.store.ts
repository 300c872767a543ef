/** API keys in the directory: the only statements on `api_keys`. */
import { eq, sql } from 'drizzle-orm';
import { apiKeys, banks } from '../db/schema.ts';
import { columnsAs, queryBuilder, renderOnce, toStatement, type Statement } from '../db/statements.ts';

const columns = columnsAs({
  id: apiKeys.id,
  bankId: apiKeys.bankId,
  /** Separated by spaces. */
  scopes: apiKeys.scopes,
  expiresAt: apiKeys.expiresAt,
  revokedAt: apiKeys.revokedAt,
  lastUsedOn: apiKeys.lastUsedOn,
  cursorKey: banks.cursorKey,
  bankName: banks.name,
});

const byHash = renderOnce(() =>
  toStatement(
    queryBuilder
      .select(columns)
      .from(apiKeys)
      .innerJoin(banks, eq(banks.id, apiKeys.bankId))
      .where(eq(apiKeys.hash, sql.placeholder('hash'))),
  ),
);

/** An API key and its bank's cursor key: two rows read. */
export const selectApiKey = (hash: string) => byHash({ hash });

/** @param day `YYYY-MM-DD`, UTC */
export function updateLastUsed(hash: string, day: string): Statement {
  return sql`UPDATE api_keys SET last_used_on = ${day} WHERE hash = ${hash}`;
}
