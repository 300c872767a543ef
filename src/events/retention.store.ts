/** Deletes expired events from D1. */
import { sql } from 'drizzle-orm';
import type { Statement } from '../db/statements.ts';

/**
 * Deletes the oldest events of open banks whose oldest has expired. Events of a bank are in the order of their times, so what
 * stays has no gap. Reads two rows for each bank, and at most `max.banks` times `max.events` events.
 * @returns a row for each deleted event
 */
export function deleteOldEvents(
  createdBefore: number,
  max: { banks: number; events: number },
): Statement<{ sequence: number }> {
  const oldest = (column: 'sequence' | 'created_at') =>
    sql.raw(`(SELECT ${column} FROM events WHERE bank_id = tenants.bank_id ORDER BY sequence LIMIT 1)`);
  return sql<{ sequence: number }>`DELETE FROM events WHERE (bank_id, sequence) IN (
        SELECT bank_id, sequence FROM (
          SELECT bank_id AS id, ${oldest('sequence')} AS first FROM tenants
          WHERE state = 'open' AND ${oldest('created_at')} <= ${createdBefore} LIMIT ${max.banks}
        ) AS expired CROSS JOIN events
          ON bank_id = expired.id AND sequence BETWEEN expired.first AND expired.first + ${max.events - 1}
        WHERE created_at <= ${createdBefore})
      RETURNING sequence`;
}
