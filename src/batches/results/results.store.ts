/** What became of a batch, as D1 has it. */
import { sql, type SQL } from 'drizzle-orm';
import type { Statement } from '../../db/statements.ts';
import type { BatchStatus } from '../../db/schema.ts';
import { keysetPage, type PageRequest } from '../../paging/keyset.ts';

export interface BatchRow {
  id: string;
  status: BatchStatus;
  total: number;
  duplicates: number;
  invalid: number;
  created: number;
  raced: number;
  rejected: number;
  failuresRemoved: number;
  createdAt: number;
  completedAt: number | null;
}

const BATCH_COLUMNS = sql.raw(
  'id, status, total, duplicates, invalid, created, raced, rejected, failures_removed AS failuresRemoved, created_at AS createdAt, completed_at AS completedAt',
);

export function selectBatch(bankId: string, batchId: string): Statement {
  return sql`SELECT ${BATCH_COLUMNS} FROM batches WHERE bank_id = ${bankId} AND id = ${batchId}`;
}

/** Newest first. */
export function selectBatches(
  bankId: string,
  page: PageRequest & { status?: BatchStatus | undefined },
): Statement {
  // Left to itself, SQLite would walk all batches of the bank by primary key to find those of a status.
  const [index, ofStatus] =
    page.status === undefined
      ? [sql``, sql`true`]
      : [sql`INDEXED BY batches_status`, sql`status = ${page.status}`];
  return sql`SELECT ${BATCH_COLUMNS} FROM batches ${index}
      WHERE bank_id = ${bankId} AND ${ofStatus} AND ${keysetPage([sql`id`], true, page)}`;
}

/** In input order: the ids of a batch rise from its first to its last, and belong to nobody else. */
export function selectCreatedCustomers(bankId: string, batchId: string, page: PageRequest): Statement {
  const edge = (column: SQL) =>
    sql`(SELECT ${column} FROM batches WHERE bank_id = ${bankId} AND id = ${batchId})`;
  return sql`SELECT batch_index AS "index", client_ref AS clientRef, id, phrase FROM customers
      WHERE bank_id = ${bankId} AND id BETWEEN ${edge(sql`first_customer_id`)} AND ${edge(sql`last_customer_id`)}
        AND ${keysetPage([sql`id`], false, page)}`;
}
