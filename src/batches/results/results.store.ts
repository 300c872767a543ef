/** Batches and their results in D1. */
import { and, between, eq, sql, type InferSelectModel } from 'drizzle-orm';
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core';
import { customers } from '../../customers/customers.table.ts';
import { batches, type BatchStatus } from '../../db/schema.ts';
import { columnsAs, queryBuilder, toStatement, type Statement } from '../../db/statements.ts';
import { keysetPage, type PageRequest } from '../../paging/keyset.ts';
import type { CreatedCustomer } from '../batches.responses.ts';

const columns = {
  id: batches.id,
  status: batches.status,
  total: batches.total,
  duplicates: batches.duplicates,
  invalid: batches.invalid,
  created: batches.created,
  raced: batches.raced,
  rejected: batches.rejected,
  failuresRemoved: batches.failuresRemoved,
  createdAt: batches.createdAt,
  completedAt: batches.completedAt,
};
export type BatchRow = Pick<InferSelectModel<typeof batches>, keyof typeof columns>;
const aliasedColumns = columnsAs(columns);

const isBatch = (bankId: string, batchId: string) => and(eq(batches.bankId, bankId), eq(batches.id, batchId));

export function selectBatch(bankId: string, batchId: string): Statement<BatchRow> {
  return toStatement(queryBuilder.select(aliasedColumns).from(batches).where(isBatch(bankId, batchId)));
}

/** Newest first. */
export function selectBatches(
  bankId: string,
  page: PageRequest & { status?: BatchStatus | undefined },
): Statement<BatchRow> {
  // Left to itself, SQLite would walk all batches of the bank by primary key to find those of one status.
  const [table, ofStatus] =
    page.status === undefined
      ? [batches, undefined]
      : [sql`${batches} INDEXED BY batches_status`, eq(batches.status, page.status)];
  const { where, orderBy, limit } = keysetPage([batches.id], true, page);
  return toStatement(
    queryBuilder
      .select(aliasedColumns)
      .from(table)
      .where(and(eq(batches.bankId, bankId), ofStatus, where))
      .orderBy(...orderBy)
      .limit(limit),
  );
}

const createdColumns = columnsAs({
  index: customers.batchIndex,
  clientRef: customers.clientRef,
  id: customers.id,
  phrase: customers.phrase,
});

/** In input order: the ids of a batch rise from its first to its last, and belong to no other batch. */
export function selectCreatedCustomers(
  bankId: string,
  batchId: string,
  page: PageRequest,
): Statement<CreatedCustomer> {
  const idOfBatch = (column: SQLiteColumn) =>
    sql`(SELECT ${column} FROM ${batches} WHERE ${isBatch(bankId, batchId)})`;
  const { where, orderBy, limit } = keysetPage([customers.id], false, page);
  return toStatement(
    queryBuilder
      .select(createdColumns)
      .from(customers)
      .where(
        and(
          eq(customers.bankId, bankId),
          between(customers.id, idOfBatch(batches.firstCustomerId), idOfBatch(batches.lastCustomerId)),
          where,
        ),
      )
      .orderBy(...orderBy)
      .limit(limit),
  );
}
