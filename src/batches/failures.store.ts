/**
 * Failures in D1: stored, read, counted and bounded. A bank's counts are columns of `tenants`, updated in the transaction
 * that inserts or deletes the rows, because counting two million rows would read two million.
 */
import { and, eq, sql, type SQL } from 'drizzle-orm';
import { batchFailures } from '../db/schema.ts';
import { columnsAs, queryBuilder, toStatement, type Statement } from '../db/statements.ts';
import { keysetPage, type PageRequest } from '../paging/keyset.ts';
import { inSlices } from '../lib/slices.ts';
import type { RowFailure } from './batches.responses.ts';
import { encodeFailure, type StoredFailure } from './failures.ts';

/** How many failures a bank may have. */
export interface FailureLimits {
  /** Stored at any time; the oldest are deleted for newer ones. */
  stored: number;
  /** Stored in one UTC day. Beyond it, a batch with refused rows is refused whole. */
  perDay: number;
}

/** The rows of a batch that were refused when it was accepted. */
export interface RefusedRows {
  bankId: string;
  batchId: string;
  createdAt: number;
  failures: RowFailure[];
}

/** A failure takes at most 600 bytes as codes, with the longest clientRef; D1 takes 2 MB a value. */
const FAILURES_PER_STATEMENT = 2_000;

/**
 * Counts the rows that were refused when their batch was accepted. Part of the accepting transaction, which fails as a
 * whole with `isOverFailureLimit` if the bank would pass its daily limit.
 */
export function addRefusedRowCount(
  { bankId, createdAt, failures }: RefusedRows,
  perDay: number,
): Statement[] {
  if (failures.length === 0) return [];
  const { day, count } = dailyCount(createdAt, sql`${failures.length}`);
  return [
    // The column is NOT NULL, so a NULL aborts the transaction.
    sql`UPDATE tenants SET failure_count = failure_count + ${failures.length},
            failure_day_count = iif(${count} <= ${perDay}, ${count}, NULL), failure_day = ${day}
          WHERE bank_id = ${bankId}`,
  ];
}

/** Stores the refused rows. Must follow their batch in the same transaction. */
export function insertRefusedRows(
  { bankId, batchId, failures }: RefusedRows,
  maxStored: number,
): Statement[] {
  if (failures.length === 0) return [];
  return [
    ...inSlices(failures, FAILURES_PER_STATEMENT).map((slice) => {
      const rows = slice.map((failure) => {
        const { code, faults } = encodeFailure(failure);
        return [failure.index, failure.clientRef, code, faults];
      });
      return sql`INSERT INTO batch_failures (bank_id, batch_id, row_index, client_ref, code, faults)
          SELECT ${bankId}, ${batchId}, value ->> 0, value ->> 1, value ->> 2, value ->> 3
          FROM json_each(${JSON.stringify(rows)})`;
    }),
    ...deleteSurplusFailures(bankId, maxStored),
  ];
}

/**
 * The daily columns of `tenants` after `added` more failures.
 * If clocks differ, the later day counts, so that no day's count starts twice.
 */
export function dailyCount(now: number, added: SQL): { day: SQL; count: SQL } {
  const today = new Date(now).toISOString().slice(0, 10);
  return {
    day: sql`max(failure_day, ${today})`,
    count: sql`iif(failure_day < ${today}, 0, failure_day_count) + ${added}`,
  };
}

/** Deletes a bank's failures beyond `max`, oldest batches first, and counts them in `failures_removed`. */
export function deleteSurplusFailures(bankId: string, max: number): Statement[] {
  const surplus = sql`SELECT bank_id, batch_id, row_index FROM batch_failures WHERE bank_id = ${bankId}
        ORDER BY bank_id, batch_id, row_index
        LIMIT (SELECT max(failure_count - ${max}, 0) FROM tenants WHERE bank_id = ${bankId})`;
  return [
    sql`UPDATE batches SET failures_removed = failures_removed + removed.count
          FROM (SELECT batch_id, count(*) AS count FROM (${surplus}) GROUP BY batch_id) AS removed
          WHERE batches.bank_id = ${bankId} AND batches.id = removed.batch_id`,
    sql`DELETE FROM batch_failures WHERE (bank_id, batch_id, row_index) IN (${surplus})`,
    sql`UPDATE tenants SET failure_count = ${max} WHERE bank_id = ${bankId} AND failure_count > ${max}`,
  ];
}

export interface FailureRow extends StoredFailure {
  index: number;
  clientRef: string | null;
}

const columns = columnsAs({
  index: batchFailures.rowIndex,
  clientRef: batchFailures.clientRef,
  code: batchFailures.code,
  faults: batchFailures.faults,
});

/** In input order. */
export function selectFailures(bankId: string, batchId: string, page: PageRequest): Statement<FailureRow> {
  const { where, orderBy, limit } = keysetPage([batchFailures.rowIndex], false, page);
  return toStatement(
    queryBuilder
      .select(columns)
      .from(batchFailures)
      .where(and(eq(batchFailures.bankId, bankId), eq(batchFailures.batchId, batchId), where))
      .orderBy(...orderBy)
      .limit(limit),
  );
}

/**
 * Removes a customer's clientRef from failures. What remains names fields and rules only.
 * @param condition what else must hold
 */
export function eraseClientRef(bankId: string, clientRef: string, condition: SQL): Statement {
  // Left to itself, SQLite would read every failure of the bank.
  return sql`UPDATE batch_failures INDEXED BY batch_failures_client_ref SET client_ref = NULL
      WHERE bank_id = ${bankId} AND client_ref = ${clientRef} AND ${condition}`;
}
