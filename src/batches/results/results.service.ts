/** A batch as a resource of the bank that sent it: its progress, and what became of each row. */
import type { LocatedBank } from '../../databases/home.ts';
import type { Tenants } from '../../databases/tenant.ts';
import type { Statement } from '../../db/statements.ts';
import type { PageRequest } from '../../paging/keyset.ts';
import type { BatchStatus } from '../../db/schema.ts';
import { AppError } from '../../errors.ts';
import type { Caller } from '../../api-keys/caller.ts';
import { readPosition, toPage, type List, type Page } from '../../paging/cursor.ts';
import { selectBatches, selectCreatedCustomers, selectBatch, type BatchRow } from './results.store.ts';
import { selectFailures } from '../failures.store.ts';
import type { BatchView, RowFailure } from '../batches.responses.ts';
import { decodeFailure } from '../failures.ts';

export interface ResultDeps {
  databases: Tenants;
}

export interface PageQuery {
  limit: number;
  cursor?: string | undefined;
}

/** A page, and the list that its cursors belong to. */
export interface Listing<Row> {
  page: Page<Row>;
  list: List;
  /** Chunks are applied in any order, so rows may still appear in front of a cursor. */
  isProcessing: boolean;
}

/** @throws BATCH_NOT_FOUND, the same for an unknown and for another bank's batch */
export async function readBatch(deps: ResultDeps, bank: LocatedBank, batchId: string): Promise<BatchView> {
  const [[batch]] = await deps.databases.tenantOf(bank).readPrimary([selectBatch(bank.bankId, batchId)]);
  if (batch === undefined) throw new AppError('BATCH_NOT_FOUND');
  return toView(batch);
}

export async function readBatches(
  deps: ResultDeps,
  caller: Caller,
  query: PageQuery & { status?: BatchStatus | undefined },
): Promise<Listing<BatchView>> {
  const list = { name: `batches ${query.status ?? ''}`, key: caller.cursorKey };
  const position = await readPosition(list, 1, query.cursor);
  const [rows] = await deps.databases
    .tenantOf(caller)
    .readPrimary([selectBatches(caller.bankId, { ...query, position })]);
  const page = toPage(rows, query.limit, position, ({ id }) => [id]);
  return { list, page: { ...page, rows: page.rows.map(toView) }, isProcessing: false };
}

export async function readFailures(deps: ResultDeps, caller: Caller, batchId: string, query: PageQuery) {
  const { page, ...rest } = await readListOfBatch(
    deps,
    caller,
    batchId,
    'failures',
    query,
    selectFailures,
    ({ index }) => [index],
  );
  const rows = page.rows.map(({ index, clientRef, ...stored }): RowFailure => ({
    index,
    clientRef,
    ...decodeFailure(stored),
  }));
  return { ...rest, page: { ...page, rows } };
}

export function readCreatedCustomers(deps: ResultDeps, caller: Caller, batchId: string, query: PageQuery) {
  return readListOfBatch(deps, caller, batchId, 'customers', query, selectCreatedCustomers, ({ id }) => [id]);
}

async function readListOfBatch<Row>(
  deps: ResultDeps,
  caller: Caller,
  batchId: string,
  what: string,
  { limit, cursor }: PageQuery,
  statement: (bankId: string, batchId: string, page: PageRequest) => Statement<Row>,
  keyOf: (row: Row) => (string | number)[],
): Promise<Listing<Row>> {
  const { bankId } = caller;
  const list = { name: `${what} ${batchId}`, key: caller.cursorKey };
  const position = await readPosition(list, 1, cursor);
  const [[batch], rows] = await deps.databases
    .tenantOf(caller)
    .readPrimary([selectBatch(bankId, batchId), statement(bankId, batchId, { limit, position })]);
  if (batch === undefined) throw new AppError('BATCH_NOT_FOUND');
  const page = toPage(rows, limit, position, keyOf);
  return { list, page, isProcessing: batch.status === 'PROCESSING' };
}

function toView(batch: BatchRow): BatchView {
  const { total, created } = batch;
  const duplicates = batch.duplicates + batch.raced;
  const invalidData = batch.invalid + batch.rejected;
  const failed = duplicates + invalidData;
  return {
    batchId: batch.id,
    status: batch.status,
    summary: { total, successful: total - failed, failed, duplicates, invalidData },
    progress: { processed: created + failed, total },
    failuresRemoved: batch.failuresRemoved,
    createdAt: new Date(batch.createdAt).toISOString(),
    completedAt: batch.completedAt === null ? null : new Date(batch.completedAt).toISOString(),
  };
}
