/** Payees in D1: the only statement that finds a customer without knowing the bank, and the misses of each bank. */
import { sql } from 'drizzle-orm';
import type { Payee } from '../customers/customers.standard.ts';
import { IS_READABLE } from '../databases/tenant.store.ts';
import { renderOnce, type Rendered, type Statement } from '../db/statements.ts';

interface Asker {
  bankId: string;
  /** UTC, as `2026-11-25`. */
  day: string;
}

/** What the asking bank has missed that day, as this shard knows it, and the payee. */
export type PayeeRow = {
  misses: number;
  /** The bank that had this phrase here, and has its data elsewhere by now; null: none. Then the payee is to be ignored. */
  movedBank: string | null;
} & (Payee | { [field in keyof Payee]: null });

const missesOf = sql`coalesce((SELECT misses FROM payee_misses
        WHERE bank_id = ${sql.placeholder('asker')} AND day >= ${sql.placeholder('day')}), 0) AS misses`;

const byPhrase = renderOnce(
  () => sql<PayeeRow>`SELECT customers.phrase, account_name AS accountName, display_picture AS displayPicture,
      customers.bank_id AS bankId, country, ${missesOf},
      CASE WHEN ${IS_READABLE} THEN NULL ELSE coalesce(customers.bank_id,
        (SELECT bank_id FROM retired_phrases WHERE phrase = ${sql.placeholder('retired')})) END AS movedBank
    FROM (SELECT 1) LEFT JOIN customers ON customers.phrase = ${sql.placeholder('phrase')}
      LEFT JOIN tenants ON tenants.bank_id = customers.bank_id`,
);

/** Selects exactly one row. */
export function selectPayee({ bankId, day }: Asker, phrase: string): Rendered<PayeeRow> {
  return byPhrase({ asker: bankId, day, phrase, retired: phrase });
}

const misses = renderOnce(() => sql<{ misses: number }>`SELECT ${missesOf}`);

/** Selects exactly one row: what a bank has missed that day. */
export function selectMisses({ bankId, day }: Asker): Rendered<{ misses: number }> {
  return misses({ asker: bankId, day });
}

/**
 * Counts a miss of the day, unless there are `maxMisses` already. A day never goes back, whatever an isolate's clock says.
 * It may be run where the bank is not, too: the count neither moves with a bank nor is compared.
 * @returns how many there are now; no row if there were too many
 */
export function insertMiss({ bankId, day }: Asker, maxMisses: number): Statement<{ misses: number }> {
  return sql<{ misses: number }>`INSERT INTO payee_misses (bank_id, day, misses)
    VALUES (${bankId}, ${day}, 1) ON CONFLICT (bank_id) DO UPDATE SET
      misses = iif(day < excluded.day, 1, misses + 1), day = max(day, excluded.day)
    WHERE day < excluded.day OR misses < ${maxMisses}
    RETURNING misses`;
}
