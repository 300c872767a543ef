/** Payees in D1: the only statement that finds a customer without knowing the bank, and the misses of each bank. */
import { sql } from 'drizzle-orm';
import type { Payee } from '../customers/customers.standard.ts';
import { renderOnce, type Rendered, type Statement } from '../db/statements.ts';

interface Asker {
  bankId: string;
  /** UTC, as `2026-11-25`. */
  day: string;
}

/** What the asking bank has missed that day, and the payee. Without a payee, all of its columns are null. */
export type PayeeRow = { misses: number } & (Payee | { [field in keyof Payee]: null });

const byPhrase = renderOnce(
  () => sql<PayeeRow>`SELECT phrase, account_name AS accountName, display_picture AS displayPicture,
      bank_id AS bankId, country,
      coalesce((SELECT misses FROM payee_misses
        WHERE bank_id = ${sql.placeholder('asker')} AND day >= ${sql.placeholder('day')}), 0) AS misses
    FROM (SELECT 1) LEFT JOIN customers ON phrase = ${sql.placeholder('phrase')}`,
);

/** Selects exactly one row. */
export function selectPayee({ bankId, day }: Asker, phrase: string): Rendered<PayeeRow> {
  return byPhrase({ asker: bankId, day, phrase });
}

/**
 * Counts a miss of the day, unless there are `maxMisses` already. A day never goes back, whatever an isolate's clock says.
 * @returns how many there are now; no row if there were too many
 */
export function insertMiss({ bankId, day }: Asker, maxMisses: number): Statement<{ misses: number }> {
  return sql<{ misses: number }>`INSERT INTO payee_misses (bank_id, day, misses) VALUES (${bankId}, ${day}, 1)
    ON CONFLICT (bank_id) DO UPDATE SET
      misses = iif(day < excluded.day, 1, misses + 1), day = max(day, excluded.day)
    WHERE day < excluded.day OR misses < ${maxMisses}
    RETURNING misses`;
}
