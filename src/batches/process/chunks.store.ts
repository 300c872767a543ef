/**
 * Chunks in D1: the statements of the consumer and the sweep. Set-based work stays inside D1: a payload never travels
 * back to the Worker.
 */
import { sql, type SQL } from 'drizzle-orm';
import type { CopyKeys } from '../../customers/customers.store.ts';
import { isOfOpenBank } from '../../databases/tenant.store.ts';
import type { Statement } from '../../db/statements.ts';
import { dailyCount, deleteSurplusFailures } from '../failures.store.ts';
import { STAGED_COLUMNS, STAGED_FIELDS, type StagedField } from '../staged-customer.ts';
import { MAX_RESEND_AFTER_MS, type ChunkKey } from '../batch-queue.ts';
import { refreshBatchStatus } from '../batch-status.store.ts';
import {
  CODE_LETTERS,
  encodeFailure,
  EXISTING_FAILURE,
  REJECTED_FAILURE,
  type KnownFailure,
} from '../failures.ts';

/** A field of the current staged row. */
const staged = (field: StagedField) => sql.raw(`staged.value ->> ${STAGED_FIELDS.indexOf(field)}`);

/** Of a customer that was erased before its chunk was applied, only the index is left. */
const isNotErased = sql`${staged('email')} IS NOT NULL`;

const CUSTOMER_COLUMNS = sql.raw(STAGED_COLUMNS.join(', '));
const STAGED_VALUES = sql.join(STAGED_FIELDS.map(staged), sql`, `);

const isChunk = ({ bankId, batchId, chunk }: ChunkKey): SQL =>
  sql`bank_id = ${bankId} AND batch_id = ${batchId} AND chunk = ${chunk}`;
const isOpen = sql.raw('done_at IS NULL');
/** The staged rows of an open chunk. A closed chunk has no payload either, so it has no rows twice over. */
const stagedRows = (pointer: ChunkKey): SQL =>
  sql`(SELECT * FROM batch_chunks WHERE ${isChunk(pointer)} AND ${isOpen}) AS chunk
      CROSS JOIN json_each(chunk.payload) AS staged`;

/**
 * Applies a chunk: inserts its customers, records those that lost a race as failures, updates the counters and closes
 * the chunk. As one transaction this happens once: for a chunk that is closed or unknown no statement changes anything.
 * @param maxFailures how many failures the bank may have stored; beyond it, the oldest are deleted
 */
export function applyChunk(pointer: ChunkKey, now: number, maxFailures: number): Statement[] {
  const { bankId, batchId } = pointer;
  return [
    sql`INSERT INTO customers (bank_id, created_at, ${CUSTOMER_COLUMNS})
          SELECT ${bankId}, (SELECT created_at FROM batches WHERE bank_id = ${bankId} AND id = ${batchId}),
            ${STAGED_VALUES}
          FROM ${stagedRows(pointer)} WHERE ${isNotErased}
          ON CONFLICT (bank_id, email) DO NOTHING`,
    insertFailures(
      pointer,
      EXISTING_FAILURE,
      sql`NOT EXISTS (SELECT 1 FROM customers WHERE bank_id = ${bankId} AND id = ${staged('id')})`,
    ),
    ...closeChunkStatements(pointer, now, maxFailures),
  ];
}

/** Closes a chunk of one row that a constraint refuses, and records the row as a failure. */
export function rejectChunk(pointer: ChunkKey, now: number, maxFailures: number): Statement[] {
  return [
    insertFailures(pointer, REJECTED_FAILURE, sql`true`),
    ...closeChunkStatements(pointer, now, maxFailures),
  ];
}

function insertFailures(pointer: ChunkKey, failure: KnownFailure, which: SQL): Statement {
  const { code, faults } = encodeFailure(failure);
  return sql`INSERT INTO batch_failures (bank_id, batch_id, row_index, chunk, client_ref, code, faults)
        SELECT chunk.bank_id, chunk.batch_id, ${staged('index')}, chunk.chunk, ${staged('clientRef')}, ${code}, ${faults}
        FROM ${stagedRows(pointer)} WHERE ${isNotErased} AND ${which}`;
}

/** Counts what the chunk's rows became, adds it to the bank, closes the chunk and refreshes its batch's status. */
function closeChunkStatements(pointer: ChunkKey, now: number, maxFailures: number): Statement[] {
  // Derived from the failures that this chunk recorded, never incremented.
  const failed = (code: SQL) =>
    sql`(SELECT count(*) FROM batch_failures AS failure
         WHERE failure.bank_id = ${pointer.bankId} AND failure.batch_id = ${pointer.batchId}
           AND failure.row_index BETWEEN first_index AND last_index
           AND failure.chunk = ${pointer.chunk} ${code})`;
  // A customer that was erased while staged counts as created: the bank was told so, and it is no failure.
  const created = sql`row_count - ${failed(sql``)}`;
  const erased = sql`(SELECT count(*) FROM json_each(payload) AS staged WHERE NOT ${isNotErased})`;
  const today = dailyCount(now, sql`chunk.failed`);
  return [
    sql`UPDATE tenants SET customer_count = customer_count + chunk.created,
            failure_count = failure_count + chunk.failed,
            failure_day_count = ${today.count}, failure_day = ${today.day}
          FROM (SELECT ${created} - ${erased} AS created, ${failed(sql``)} AS failed
            FROM batch_chunks WHERE ${isChunk(pointer)} AND ${isOpen}) AS chunk
          WHERE bank_id = ${pointer.bankId}`,
    sql`UPDATE batch_chunks
          SET created = ${created}, raced = ${failed(sql`AND failure.code = ${CODE_LETTERS.EXISTING_CUSTOMER}`)},
            done_at = ${now}, payload = NULL, next_send_at = NULL
          WHERE ${isChunk(pointer)} AND ${isOpen}`,
    ...refreshBatchStatus(pointer, now),
    ...deleteSurplusFailures(pointer.bankId, maxFailures),
  ];
}

/**
 * Stops the sweep from resending a chunk, and marks its batch STALLED. The payload stays.
 * @returns `stalled` is the chunk, if it was open
 */
export function stallChunk(pointer: ChunkKey, now: number) {
  return {
    stalled: sql<{ chunk: number }>`UPDATE batch_chunks SET next_send_at = NULL
        WHERE ${isChunk(pointer)} AND ${isOpen} RETURNING chunk`,
    batch: refreshBatchStatus(pointer, now),
  };
}

/** Gives every row of a chunk a new phrase. None of its customers exists yet, so nobody has seen the old phrases. */
export function updateChunkPhrases(pointer: ChunkKey, phrases: string[]): Statement {
  const phrasePath = `$[${STAGED_FIELDS.indexOf('phrase')}]`;
  return sql`UPDATE batch_chunks
        SET payload = (
          SELECT json_group_array(json_set(staged.value, ${phrasePath}, fresh.value))
          FROM json_each(payload) AS staged
          JOIN json_each(${JSON.stringify(phrases)}) AS fresh ON fresh.key = staged.key)
        WHERE ${isChunk(pointer)} AND ${isOpen}`;
}

/**
 * Replaces a chunk by its two halves.
 * @param firstSendAt when the sweep may send their pointers, which nobody has sent yet
 */
export function splitChunk(pointer: ChunkKey, firstSendAt: number) {
  const { bankId, batchId } = pointer;
  return {
    halves: sql<{ chunk: number }>`INSERT INTO batch_chunks
            (bank_id, batch_id, chunk, first_index, last_index, row_count, next_send_at, payload)
          SELECT chunk.bank_id, chunk.batch_id,
            (SELECT max(chunk) FROM batch_chunks WHERE bank_id = ${bankId} AND batch_id = ${batchId})
              + 1 + (staged.key >= chunk.row_count / 2),
            min(${staged('index')}), max(${staged('index')}), count(*), min(chunk.next_send_at, ${firstSendAt}),
            json_group_array(json(staged.value))
          FROM ${stagedRows(pointer)} WHERE true
          GROUP BY staged.key >= chunk.row_count / 2
          RETURNING chunk`,
    whole: sql`DELETE FROM batch_chunks WHERE ${isChunk(pointer)} AND ${isOpen}`,
  };
}

export interface OpenChunk {
  rowCount: number;
}

/** How many rows an open chunk holds; no row for a chunk that is closed or unknown. */
export function selectOpenChunk(pointer: ChunkKey): Statement<OpenChunk> {
  return sql<OpenChunk>`SELECT row_count AS rowCount FROM batch_chunks WHERE ${isChunk(pointer)} AND ${isOpen}`;
}

/**
 * Records a failed attempt to apply a chunk. A stalled chunk stays stalled.
 * @param sendAgainAt when the sweep may send its pointer again, unless a later time is set already
 */
export function updateFailedTry(pointer: ChunkKey, sendAgainAt: number): Statement {
  return sql`UPDATE batch_chunks SET tries = tries + 1, next_send_at = max(next_send_at, ${sendAgainAt})
      WHERE ${isChunk(pointer)} AND ${isOpen}`;
}

export interface ClaimedChunk extends ChunkKey {
  moveNumber: number;
}

/**
 * Claims up to `max` chunks of open banks whose pointer is due to be resent, and sets when it is due next. Concurrent
 * sweeps claim different chunks. Those of a bank that moves stay as they are: it is no fault that they wait.
 * @param againAfterMs doubled with each failed attempt, up to MAX_RESEND_AFTER_MS
 */
export function claimDueChunks(now: number, max: number, againAfterMs: number): Statement<ClaimedChunk> {
  // 60 s shifted by 3 is more than 5 minutes.
  return sql<ClaimedChunk>`UPDATE batch_chunks
      SET next_send_at = ${now} + min(${againAfterMs} << min(tries, 3), ${MAX_RESEND_AFTER_MS})
      WHERE (bank_id, batch_id, chunk) IN (
        SELECT bank_id, batch_id, chunk FROM batch_chunks AS due
        WHERE next_send_at <= ${now} AND ${isOfOpenBank('due')} ORDER BY next_send_at LIMIT ${max})
      RETURNING bank_id AS bankId, batch_id AS batchId, chunk,
        (SELECT move_number FROM tenants WHERE bank_id = batch_chunks.bank_id) AS moveNumber`;
}

/** The open chunks of a bank's batches, and their staged rows. */
const openChunksOf = (bankId: string, batch: SQL): SQL =>
  sql`batches CROSS JOIN batch_chunks AS chunk
        ON chunk.bank_id = batches.bank_id AND chunk.batch_id = batches.id AND chunk.done_at IS NULL
      CROSS JOIN json_each(chunk.payload) AS staged
      WHERE batches.bank_id = ${bankId} AND status IN ('PROCESSING', 'STALLED') AND ${batch}`;

/**
 * A staged customer. Reads only the batch whose range of ids holds this one. A staged customer whose email belongs to
 * another customer by now does not count: it will be a failure.
 */
const stagedCustomer = (bankId: string, id: string): SQL =>
  sql`${openChunksOf(bankId, sql`${id} BETWEEN first_customer_id AND last_customer_id`)}
        AND ${staged('id')} = ${id}
        AND NOT EXISTS (SELECT 1 FROM customers WHERE bank_id = ${bankId} AND email = ${staged('email')})`;

export function isStaged(bankId: string, id: string): SQL {
  return sql`EXISTS (SELECT 1 FROM ${stagedCustomer(bankId, id)})`;
}

/** As `selectCopyKeys` returns them. */
export function selectStagedCopyKeys(bankId: string, id: string): Statement<CopyKeys> {
  return sql<CopyKeys>`SELECT ${staged('email')} AS email, ${staged('clientRef')} AS clientRef, NULL AS phrase FROM ${stagedCustomer(bankId, id)}`;
}

/**
 * Reduces a customer's staged copies, this one and others with the same email, to their index.
 * @param condition what else must hold
 */
export function eraseStagedCopies(bankId: string, id: string, email: string, condition: SQL): Statement {
  const isMeant = sql`(${staged('id')} = ${id} OR ${staged('email')} = ${email})`;
  // Emails are ASCII and so unescaped in JSON: most payloads need not be parsed.
  const mayHold = sql`instr(chunk.payload, ${email}) > 0`;
  return sql`UPDATE batch_chunks SET payload = (
          SELECT json_group_array(json(CASE WHEN ${isMeant} THEN json_array(${staged('index')}) ELSE staged.value END))
          FROM json_each(payload) AS staged)
        WHERE ${condition} AND (bank_id, batch_id, chunk) IN (
          SELECT chunk.bank_id, chunk.batch_id, chunk.chunk FROM ${openChunksOf(bankId, mayHold)} AND ${isMeant})`;
}
