/**
 * Accepting a batch in D1. Functions hand out statements; a service runs those that belong together as one
 * transaction.
 */
import { sql, type SQL } from 'drizzle-orm';
import type { Statement } from '../db/client.ts';
import type { BatchStatus } from '../db/tables.ts';
import { inSlices } from '../lib/slices.ts';
import type { BatchPlan } from './batches.plan.ts';

/** D1 takes 2 MB a bound value; an email has at most 254 bytes. */
const EMAILS_PER_STATEMENT = 5_000;

/** Which of these emails are customers of the bank? Each statement returns some of them. */
export function findExistingEmails(bankId: string, emails: string[]): Statement[] {
  return inSlices(emails, EMAILS_PER_STATEMENT).map(
    (slice) => sql`SELECT value AS email FROM json_each(${JSON.stringify(slice)})
        WHERE EXISTS (SELECT 1 FROM customers WHERE bank_id = ${bankId} AND email = value)`,
  );
}

/**
 * A batch and its chunks. If the bank already has `maxOpen` open batches, the transaction fails, as `isOverOpenLimit`
 * tells. They are counted here, because an earlier count misses those that are accepted meanwhile.
 * @param firstSendAgainAt when the sweep may send a chunk's pointer again, in case the queue lost it
 */
export function insertBatch(plan: BatchPlan, firstSendAgainAt: number, maxOpen: number): Statement[] {
  const { bankId, batchId, createdAt, customerIds } = plan;
  const nothingToDo = plan.chunks.length === 0;
  const open = sql`${countBatches(bankId, 'PROCESSING', maxOpen)} + ${countBatches(bankId, 'STALLED', maxOpen)}`;
  // The column takes no NULL.
  const status = nothingToDo
    ? sql`'COMPLETED_WITH_FAILURES'`
    : sql`iif(${open} < ${maxOpen}, 'PROCESSING', NULL)`;
  return [
    sql`INSERT INTO batches (bank_id, id, status, total, duplicates, invalid,
            first_customer_id, last_customer_id, created_at, completed_at)
          VALUES (${bankId}, ${batchId}, ${status}, ${plan.total},
            ${plan.duplicates}, ${plan.invalid}, ${customerIds[0] ?? null}, ${customerIds.at(-1) ?? null},
            ${createdAt}, ${nothingToDo ? createdAt : null})`,
    ...plan.chunks.map(
      ({ chunk, firstIndex, lastIndex, rowCount, payload }) =>
        sql`INSERT INTO batch_chunks
              (bank_id, batch_id, chunk, first_index, last_index, row_count, next_send_at, payload)
            VALUES (${bankId}, ${batchId}, ${chunk}, ${firstIndex}, ${lastIndex}, ${rowCount},
              ${firstSendAgainAt}, ${payload})`,
    ),
  ];
}

export interface OpenBatches {
  processing: number;
  stalled: number;
}

/** How many of a bank's batches are under way, and how many wait for an operator? Counts up to `max` of each. */
export function countOpenBatches(bankId: string, max: number): Statement {
  return sql`SELECT ${countBatches(bankId, 'PROCESSING', max)} AS processing,
        ${countBatches(bankId, 'STALLED', max)} AS stalled`;
}

function countBatches(bankId: string, status: BatchStatus, max: number): SQL {
  return sql`(SELECT count(*) FROM (
        SELECT 1 FROM batches WHERE bank_id = ${bankId} AND status = ${status} LIMIT ${max}))`;
}

/** Is this batch stored? */
export function findBatch(bankId: string, batchId: string): Statement {
  return sql`SELECT id FROM batches WHERE bank_id = ${bankId} AND id = ${batchId}`;
}
