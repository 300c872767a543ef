/** Accepting a batch, in D1. */
import { and, eq, sql, type SQL } from 'drizzle-orm';
import { batches, type BatchStatus } from '../../db/schema.ts';
import { columnsAs, queryBuilder, toStatement, type Statement } from '../../db/statements.ts';
import { refreshBatchStatus } from '../batch-status.store.ts';
import { inSlices } from '../../lib/slices.ts';
import type { BatchPlan } from './plan.ts';

/** D1 takes 2 MB a bound value; an email has at most 254 bytes. */
const EMAILS_PER_STATEMENT = 5_000;

/** Which of these emails are customers of the bank? Each statement returns some of them. */
export function selectExistingEmails(bankId: string, emails: string[]): Statement<{ email: string }>[] {
  return inSlices(emails, EMAILS_PER_STATEMENT).map(
    (slice) => sql<{ email: string }>`SELECT value AS email FROM json_each(${JSON.stringify(slice)})
        WHERE EXISTS (SELECT 1 FROM customers WHERE bank_id = ${bankId} AND email = value)`,
  );
}

/**
 * A batch and its chunks. If the bank already has `maxOpen` open batches, the transaction fails with `isOverOpenLimit`:
 * an earlier count would miss batches that are accepted at the same time.
 * @param firstSendAt when the sweep may send a chunk's pointer again, in case the queue lost it
 */
export function insertBatch(plan: BatchPlan, firstSendAt: number, maxOpen: number): Statement[] {
  const { bankId, batchId, createdAt, customerIds, chunks } = plan;
  const open = sql`${countOf(bankId, 'PROCESSING', maxOpen)} + ${countOf(bankId, 'STALLED', maxOpen)}`;
  // The column is NOT NULL, so a NULL aborts the transaction. A batch without chunks is complete at once.
  const status = chunks.length === 0 ? 'PROCESSING' : sql`iif(${open} < ${maxOpen}, 'PROCESSING', NULL)`;
  return [
    sql`INSERT INTO batches (bank_id, id, status, total, duplicates, invalid,
            first_customer_id, last_customer_id, created_at)
          VALUES (${bankId}, ${batchId}, ${status}, ${plan.total}, ${plan.duplicates}, ${plan.invalid},
            ${customerIds[0] ?? null}, ${customerIds.at(-1) ?? null}, ${createdAt})`,
    ...chunks.map(
      ({ chunk, firstIndex, lastIndex, rowCount, payload }) =>
        sql`INSERT INTO batch_chunks
              (bank_id, batch_id, chunk, first_index, last_index, row_count, next_send_at, payload)
            VALUES (${bankId}, ${batchId}, ${chunk}, ${firstIndex}, ${lastIndex}, ${rowCount},
              ${firstSendAt}, ${payload})`,
    ),
    // Otherwise its last chunk completes it.
    ...(chunks.length === 0 ? refreshBatchStatus(plan, createdAt) : []),
  ];
}

export interface OpenBatches {
  processing: number;
  stalled: number;
}

export const NO_OPEN_BATCHES: OpenBatches = { processing: 0, stalled: 0 };

/** How many batches of a bank are being processed, and how many wait for an operator? Counts up to `max` of each. */
export function selectOpenBatchCounts(bankId: string, max: number): Statement<OpenBatches> {
  return sql<OpenBatches>`SELECT ${countOf(bankId, 'PROCESSING', max)} AS processing,
        ${countOf(bankId, 'STALLED', max)} AS stalled`;
}

function countOf(bankId: string, status: BatchStatus, max: number): SQL {
  return sql`(SELECT count(*) FROM (
        SELECT 1 FROM batches WHERE bank_id = ${bankId} AND status = ${status} LIMIT ${max}))`;
}

/** Is this batch stored? */
export function selectBatchId(bankId: string, batchId: string): Statement<{ id: string }> {
  return toStatement(
    queryBuilder
      .select(columnsAs({ id: batches.id }))
      .from(batches)
      .where(and(eq(batches.bankId, bankId), eq(batches.id, batchId))),
  );
}
