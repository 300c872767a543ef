/**
 * Accepting a batch in D1. Functions hand out statements; a service runs those that belong together as one
 * transaction.
 */
import { and, eq, sql } from 'drizzle-orm';
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
 * A batch and its chunks.
 * @param firstSendAt when the sweep may send a chunk's pointer again, in case the queue lost it
 */
export function insertBatch(plan: BatchPlan, firstSendAt: number): Statement[] {
  const { bankId, batchId, createdAt, customerIds, chunks } = plan;
  return [
    sql`INSERT INTO batches (bank_id, id, status, total, duplicates, invalid,
            first_customer_id, last_customer_id, created_at)
          VALUES (${bankId}, ${batchId}, 'PROCESSING', ${plan.total}, ${plan.duplicates}, ${plan.invalid},
            ${customerIds[0] ?? null}, ${customerIds.at(-1) ?? null}, ${createdAt})`,
    ...chunks.map(
      ({ chunk, firstIndex, lastIndex, rowCount, payload }) =>
        sql`INSERT INTO batch_chunks
              (bank_id, batch_id, chunk, first_index, last_index, row_count, next_send_at, payload)
            VALUES (${bankId}, ${batchId}, ${chunk}, ${firstIndex}, ${lastIndex}, ${rowCount},
              ${firstSendAt}, ${payload})`,
    ),
    // Without chunks the batch is complete at once; otherwise its last chunk completes it.
    ...(chunks.length === 0 ? [refreshBatchStatus(plan, createdAt)] : []),
  ];
}

export interface OpenBatches {
  processing: number;
  stalled: number;
}

/** How many of a bank's batches are under way, and how many wait for an operator? Counts up to `max` of each. */
export function selectOpenBatchCounts(bankId: string, max: number): Statement<OpenBatches> {
  const countOf = (status: BatchStatus) =>
    sql`(SELECT count(*) FROM (
          SELECT 1 FROM batches WHERE bank_id = ${bankId} AND status = ${status} LIMIT ${max}))`;
  return sql<OpenBatches>`SELECT ${countOf('PROCESSING')} AS processing, ${countOf('STALLED')} AS stalled`;
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
