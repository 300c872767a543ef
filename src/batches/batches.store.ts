/**
 * Accepting a batch in D1. Functions hand out statements; a service runs those that belong together as one
 * transaction.
 */
import { sql } from 'drizzle-orm';
import type { Statement } from '../db/client.ts';
import { inSlices } from '../lib/slices.ts';
import type { RowFailure } from './batches.answers.ts';
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

/** The wordiest failure, with a fault in each field and a long clientRef, has 2 KB; D1 takes 2 MB a value. */
const FAILURES_PER_STATEMENT = 500;

/**
 * A batch, its chunks and its failures.
 * @param firstSendAgainAt when the sweep may send a chunk's pointer again, in case the queue lost it
 */
export function insertBatch(plan: BatchPlan, firstSendAgainAt: number): Statement[] {
  const { bankId, batchId, createdAt, customerIds } = plan;
  const nothingToDo = plan.chunks.length === 0;
  return [
    sql`INSERT INTO batches (bank_id, id, status, total, duplicates, invalid,
            first_customer_id, last_customer_id, created_at, completed_at)
          VALUES (${bankId}, ${batchId}, ${nothingToDo ? 'COMPLETED_WITH_FAILURES' : 'PROCESSING'}, ${plan.total},
            ${plan.duplicates}, ${plan.invalid}, ${customerIds[0] ?? null}, ${customerIds.at(-1) ?? null},
            ${createdAt}, ${nothingToDo ? createdAt : null})`,
    ...plan.chunks.map(
      ({ chunk, firstIndex, lastIndex, rowCount, payload }) =>
        sql`INSERT INTO batch_chunks
              (bank_id, batch_id, chunk, first_index, last_index, row_count, next_send_at, payload)
            VALUES (${bankId}, ${batchId}, ${chunk}, ${firstIndex}, ${lastIndex}, ${rowCount},
              ${firstSendAgainAt}, ${payload})`,
    ),
    ...inSlices(plan.failures, FAILURES_PER_STATEMENT).map((slice) => insertFailures(bankId, batchId, slice)),
  ];
}

function insertFailures(bankId: string, batchId: string, failures: RowFailure[]): Statement {
  return sql`INSERT INTO batch_failures (bank_id, batch_id, row_index, client_ref, code, message, errors)
        SELECT ${bankId}, ${batchId}, value ->> 'index', value ->> 'clientRef', value ->> 'code',
          value ->> 'message', value -> 'errors'
        FROM json_each(${JSON.stringify(failures)})`;
}

/** How many of a bank's batches are under way? Looks at no more than `most`. */
export function countOpenBatches(bankId: string, most: number): Statement {
  return sql`SELECT count(*) AS open FROM (
      SELECT 1 FROM batches WHERE bank_id = ${bankId} AND status IN ('PROCESSING', 'STALLED') LIMIT ${most})`;
}

/** Is this batch stored? */
export function findBatch(bankId: string, batchId: string): Statement {
  return sql`SELECT id FROM batches WHERE bank_id = ${bankId} AND id = ${batchId}`;
}
