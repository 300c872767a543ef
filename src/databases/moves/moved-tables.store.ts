/**
 * The tables that have rows of a bank: one list, from which copying, comparing and removing are derived. A test compares
 * it with the migrations.
 */
import { getTableColumns, getTableName } from 'drizzle-orm';
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core';
import { customers } from '../../customers/customers.table.ts';
import {
  auditLog,
  batchChunks,
  batches,
  batchFailures,
  events,
  idempotencyKeys,
  payeeMisses,
  webhookEndpoints,
} from '../../db/schema.ts';
import { once } from '../../lib/once.ts';

export interface MovedTable {
  name: string;
  /** Its primary key after `bank_id`, and so the order in which its rows are copied. */
  key: readonly string[];
  /** Its other columns, without the staged customers of an open chunk. */
  values: readonly string[];
  /** The column with staged customers, if it has one. */
  payload: string | null;
  /** Has it a phrase for each row? */
  hasPhrases: boolean;
}

/** What the move copies and compares, in this order: the largest table first, so that a full target is found early. */
export const copiedTables = once(() => [
  describe(customers, customers.id),
  describe(batches, batches.id),
  describe(batchChunks, batchChunks.batchId, batchChunks.chunk),
  describe(batchFailures, batchFailures.batchId, batchFailures.rowIndex),
  describe(idempotencyKeys, idempotencyKeys.route, idempotencyKeys.idempotencyKey),
  describe(auditLog, auditLog.at, auditLog.requestId),
  describe(events, events.sequence),
  describe(webhookEndpoints, webhookEndpoints.id),
]);

/**
 * What is removed where a bank has left. Its budget of unknown payees begins anew in the target. Its phrases stay retired,
 * and its tenant stays as a tombstone.
 */
export const removedTables = once(() => [...copiedTables(), describe(payeeMisses)]);

function describe(table: SQLiteTable, ...key: SQLiteColumn[]): MovedTable {
  const keyNames = key.map(({ name }) => name);
  const others = Object.values(getTableColumns(table))
    .map(({ name }) => name)
    .filter((name) => name !== 'bank_id' && !keyNames.includes(name));
  const payload = table === batchChunks ? batchChunks.payload.name : null;
  return {
    name: getTableName(table),
    key: keyNames,
    values: others.filter((name) => name !== payload),
    payload,
    hasPhrases: table === customers,
  };
}
