/** What became of a batch, as D1 has it: statements that read, and the one that removes what is too old. */
import { sql, type SQL } from 'drizzle-orm';
import type { Statement } from '../db/client.ts';
import type { BatchStatus, FailureCode } from '../db/tables.ts';
import { onPage, type PageOf } from '../db/page.ts';

export interface BatchRow {
  id: string;
  status: BatchStatus;
  total: number;
  duplicates: number;
  invalid: number;
  created: number;
  raced: number;
  rejected: number;
  createdAt: number;
  completedAt: number | null;
}

export interface FailureRow {
  index: number;
  clientRef: string | null;
  code: FailureCode;
  message: string;
  errors: string;
}

const BATCH_COLUMNS = sql.raw(
  'id, status, total, duplicates, invalid, created, raced, rejected, created_at AS createdAt, completed_at AS completedAt',
);

export function readBatch(bankId: string, batchId: string): Statement {
  return sql`SELECT ${BATCH_COLUMNS} FROM batches WHERE bank_id = ${bankId} AND id = ${batchId}`;
}

/** Newest first. */
export function listBatches(bankId: string, page: PageOf & { status?: BatchStatus | undefined }): Statement {
  const ofStatus = page.status === undefined ? sql`true` : sql`status = ${page.status}`;
  return sql`SELECT ${BATCH_COLUMNS} FROM batches
      WHERE bank_id = ${bankId} AND ${ofStatus} AND ${onPage([sql`id`], true, page)}`;
}

/** In input order. */
export function listFailures(bankId: string, batchId: string, page: PageOf): Statement {
  return sql`SELECT row_index AS "index", client_ref AS clientRef, code, message, errors FROM batch_failures
      WHERE bank_id = ${bankId} AND batch_id = ${batchId} AND ${onPage([sql`row_index`], false, page)}`;
}

/** In input order: the ids of a batch rise from its first to its last, and belong to nobody else. */
export function listCreated(bankId: string, batchId: string, page: PageOf): Statement {
  const edge = (column: SQL) =>
    sql`(SELECT ${column} FROM batches WHERE bank_id = ${bankId} AND id = ${batchId})`;
  return sql`SELECT batch_index AS "index", client_ref AS clientRef, id, phrase FROM customers
      WHERE bank_id = ${bankId} AND id BETWEEN ${edge(sql`first_customer_id`)} AND ${edge(sql`last_customer_id`)}
        AND ${onPage([sql`id`], false, page)}`;
}

/** Removes the oldest batch that was completed before a time: its failures, its chunks, itself. */
export function removeOldestBatch(completedBefore: number): Statement[] {
  const oldest = sql`SELECT bank_id, id FROM batches
      WHERE completed_at <= ${completedBefore} ORDER BY completed_at LIMIT 1`;
  return [
    sql`DELETE FROM batch_failures WHERE (bank_id, batch_id) IN (${oldest})`,
    sql`DELETE FROM batch_chunks WHERE (bank_id, batch_id) IN (${oldest})`,
    sql`DELETE FROM batches WHERE (bank_id, id) IN (${oldest}) RETURNING id`,
  ];
}

/**
 * Takes a customer's name out of failures. What they say besides is of fields and rules.
 * @param condition what else must be so
 */
export function scrubFailures(bankId: string, clientRef: string, condition: SQL): Statement {
  // Left to itself, SQLite would read every failure of the bank.
  return sql`UPDATE batch_failures INDEXED BY batch_failures_client_ref SET client_ref = NULL
      WHERE bank_id = ${bankId} AND client_ref = ${clientRef} AND ${condition}`;
}
