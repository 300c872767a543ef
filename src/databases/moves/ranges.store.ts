/**
 * Ranges of a bank's rows, in the order of a table's primary key. The source makes one text of many rows, and the target
 * reads it: the Worker parses the last row only, to know where to go on, because a run of the cron has little CPU time.
 */
import { sql, type SQL } from 'drizzle-orm';
import { STAGED_FIELDS } from '../../batches/staged-customer.ts';
import type { Statement } from '../../db/statements.ts';
import type { Move } from './move.ts';
import type { MovedTable } from './moved-tables.store.ts';
import { isTenant } from './tenants.store.ts';

/** The primary key of a row after `bank_id`. */
export type Key = readonly (string | number)[];

/** Rows of a range: one that has staged customers by itself, and all others together. */
export interface Piece {
  /** A JSON array with an array for each row: its key and its other values. */
  rows: string;
  count: number;
  /** The last of the rows. */
  last: string;
  /** The staged customers of an open chunk; null: the rows have none. */
  payload: string | null;
  /** How many they are. */
  staged: number;
}

export const countOf = (pieces: readonly Piece[]): number =>
  pieces.reduce((sum, { count }) => sum + count, 0);

/** @returns the key of the last row; null: there are no rows */
export function lastKeyOf(table: MovedTable, pieces: readonly Piece[]): Key | null {
  const end = pieces.at(-1);
  return end === undefined ? null : (JSON.parse(end.last) as Key).slice(0, table.key.length);
}

const PHRASE_PATH = `$[${STAGED_FIELDS.indexOf('phrase')}]`;

const list = (names: readonly string[]): SQL => sql.raw(names.join(', '));
const columnsOf = (table: MovedTable): SQL => list([...table.key, ...table.values]);
const tableOf = (table: MovedTable): SQL => sql.raw(table.name);
const tuple = (key: Key): SQL =>
  sql.join(
    key.map((part) => sql`${part}`),
    sql`, `,
  );

const isAfter = (table: MovedTable, key: Key | null): SQL =>
  key === null ? sql`true` : sql`(${list(table.key)}) > (${tuple(key)})`;
const isUpTo = (table: MovedTable, key: Key | null): SQL =>
  key === null ? sql`true` : sql`(${list(table.key)}) <= (${tuple(key)})`;

/** Payloads, of up to 1 MB each, that D1 reads to find out how many a range has room for. */
const MAX_PAYLOADS = 50;

export interface RangeLimits {
  rows: number;
  /** The row that reaches it is still part of the range. */
  bytes: number;
}

/** Which rows of a table: the next ones after a key, up to another, within the limits. */
export interface RangeBounds {
  /** Null: from the first row on. */
  after: Key | null;
  /** Null: to the last row. */
  upTo: Key | null;
  limits: RangeLimits;
}

/** At least one row, if there is one. The piece with the last row is the last one. */
export function selectRange(table: MovedTable, bankId: string, bounds: RangeBounds): Statement<Piece> {
  return selectPieces(table, bankId, bounds, sql`payload`);
}

/** The same for a comparison: staged customers without their phrases, which differ. */
export function selectComparable(table: MovedTable, bankId: string, bounds: RangeBounds): Statement<Piece> {
  const withoutPhrases = sql`iif(payload IS NULL, NULL, (
        SELECT json_group_array(json_replace(staged.value, ${PHRASE_PATH}, NULL)) FROM json_each(payload) AS staged))`;
  return selectPieces(table, bankId, bounds, withoutPhrases);
}

/** @param shown what becomes of a payload that is part of the range */
function selectPieces(
  table: MovedTable,
  bankId: string,
  { after, upTo, limits }: RangeBounds,
  shown: SQL,
): Statement<Piece> {
  const payload = table.payload === null ? sql`NULL` : sql.raw(table.payload);
  const maxRows = table.payload === null ? limits.rows : Math.min(limits.rows, MAX_PAYLOADS);
  // SQLite takes `last` and `payload` from the row that has the maximum.
  return sql<Piece>`SELECT rows, count, last, ${shown} AS payload, coalesce(json_array_length(payload), 0) AS staged
      FROM (
        SELECT '[' || group_concat(row, ',' ORDER BY total) || ']' AS rows, count(*) AS count,
          row AS last, payload, max(total) AS reached
        FROM (
          SELECT row, payload, size, sum(size) OVER (ROWS UNBOUNDED PRECEDING) AS total FROM (
            SELECT row, payload, octet_length(row) + coalesce(octet_length(payload), 0) AS size
            FROM (SELECT json_array(${columnsOf(table)}) AS row, ${payload} AS payload FROM ${tableOf(table)}
              WHERE bank_id = ${bankId} AND ${isAfter(table, after)} AND ${isUpTo(table, upTo)}
              ORDER BY ${list(table.key)} LIMIT ${maxRows})))
        WHERE total - size < ${limits.bytes} GROUP BY iif(payload IS NULL, 0, total))
      ORDER BY reached`;
}

/** The key of the last row that the target has. Rows are copied in order, so everything before it is there as well. */
export function selectLastKey(table: MovedTable, bankId: string): Statement<{ key: string }> {
  const backwards = sql.raw(table.key.map((name) => `${name} DESC`).join(', '));
  return sql<{ key: string }>`SELECT json_array(${list(table.key)}) AS key FROM ${tableOf(table)}
      WHERE bank_id = ${bankId} ORDER BY ${backwards} LIMIT 1`;
}

export function countRows(table: MovedTable, bankId: string): Statement<{ count: number }> {
  return sql<{ count: number }>`SELECT count(*) AS count FROM ${tableOf(table)} WHERE bank_id = ${bankId}`;
}

/** Customers of open chunks: each of them takes part of a range, although a chunk is one row. */
export const countStaged = (bankId: string): Statement<{ count: number }> =>
  sql<{ count: number }>`SELECT coalesce(sum(row_count), 0) AS count FROM batch_chunks
      WHERE bank_id = ${bankId} AND done_at IS NULL`;

/**
 * Inserts rows that the target does not have yet, and changes none: a range may be copied any number of times.
 * @param createPhrase draws one with a first word of the target, for a customer that is still staged
 */
export function insertRange(
  table: MovedTable,
  move: Move,
  pieces: readonly Piece[],
  createPhrase: () => string,
): Statement[] {
  return pieces.map(({ rows, payload, staged }) => {
    if (payload === null) return insertRows(table, move, rows);
    const phrases = Array.from({ length: staged }, createPhrase);
    return insertRows(table, move, rows, withPhrases(payload, phrases));
  });
}

function insertRows(table: MovedTable, move: Move, rows: string, payload?: SQL): Statement {
  const values = [...table.key, ...table.values].map((_, index) => sql.raw(`copy.value ->> ${index}`));
  const isSame = table.key.map((name, index) => sql.raw(`${name} = copy.value ->> ${index}`));
  const own = [sql`bank_id = ${move.bankId}`, ...isSame];
  return sql`INSERT INTO ${tableOf(table)} (bank_id, ${columnsOf(table)}
          ${payload === undefined ? sql`` : sql.raw(`, ${table.payload}`)})
        SELECT ${move.bankId}, ${sql.join(values, sql`, `)} ${payload === undefined ? sql`` : sql`, ${payload}`}
        FROM json_each(${rows}) AS copy
        WHERE ${isTenant(move, 'arriving')}
          AND NOT EXISTS (SELECT 1 FROM ${tableOf(table)} WHERE ${sql.join(own, sql` AND `)})`;
}

/** The staged customers of a payload with other phrases. Those that were erased have no phrase, and get none. */
function withPhrases(payload: string, phrases: string[]): SQL {
  return sql`(SELECT json_group_array(json_replace(staged.value, ${PHRASE_PATH}, ${JSON.stringify(phrases)} ->> staged.key))
          FROM json_each(${payload}) AS staged)`;
}

/**
 * Removes the next rows of a bank that has moved away.
 * @param firstWords of the shard's own phrases: these stay retired, because the bank took them along
 * @returns `left`: `more` 1: there are more rows; `isOwn` 0: the bank is back, or was never moved, and nothing happened
 */
export function removeRange(table: MovedTable, move: Move, maxRows: number, firstWords: readonly string[]) {
  const key = list(['bank_id', ...table.key]);
  const next = sql`SELECT ${key} FROM ${tableOf(table)} WHERE bank_id = ${move.bankId} ORDER BY ${key} LIMIT ${maxRows}`;
  const isGone = isTenant(move, 'moved');
  return {
    phrases: table.hasPhrases
      ? [
          sql`INSERT INTO retired_phrases (phrase, bank_id)
              SELECT phrase, bank_id FROM ${tableOf(table)}
              WHERE (${key}) IN (${next}) AND ${isGone}
                AND substr(phrase, 1, instr(phrase, '-') - 1) IN (SELECT value FROM json_each(${JSON.stringify(firstWords)}))
              ON CONFLICT DO NOTHING`,
        ]
      : [],
    rows: sql`DELETE FROM ${tableOf(table)} WHERE (${key}) IN (${next}) AND ${isGone}`,
    left: sql<{ more: number; isOwn: number }>`SELECT
          EXISTS (SELECT 1 FROM ${tableOf(table)} WHERE bank_id = ${move.bankId}) AS more, ${isGone} AS isOwn`,
  };
}
