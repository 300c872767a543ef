/** Moves in the directory. Every change of a phase is a compare-and-set, so one of two drivers makes it. */
import { asc, desc, eq, getTableColumns, sql, type SQL } from 'drizzle-orm';
import { bankMoves, type MovePhase } from '../../db/schema.ts';
import { columnsAs, queryBuilder, toStatement, type Statement } from '../../db/statements.ts';
import type { Move } from './move.ts';

/** As the index `bank_moves_unfinished` has it. */
const isUnfinished = sql.raw(`phase NOT IN ('done', 'aborted')`);

const moves = () => queryBuilder.select(columnsAs(getTableColumns(bankMoves))).from(bankMoves);

/** Oldest first. */
export const selectUnfinishedMoves = (): Statement<Move> =>
  toStatement(moves().where(isUnfinished).orderBy(asc(bankMoves.number)));

export const selectMove = (number: number): Statement<Move> =>
  toStatement(moves().where(eq(bankMoves.number, number)));

export const selectLatestMove = (bankId: string): Statement<Move> =>
  toStatement(moves().where(eq(bankMoves.bankId, bankId)).orderBy(desc(bankMoves.number)).limit(1));

/**
 * Begins a move, unless the bank is moving, is unknown or is in the target, or the target is closed or in another
 * jurisdiction. `begin.ts` says which.
 * @returns its number: higher than that of any earlier move, also after the directory was restored
 */
export function insertMove(
  bankId: string,
  target: string,
  now: number,
  allowsJurisdictionChange: boolean,
): Statement<{ number: number }> {
  return sql<{
    number: number;
  }>`INSERT INTO bank_moves (number, bank_id, source, target, phase, started_at, updated_at)
      SELECT 1 + max(coalesce((SELECT max(number) FROM bank_moves), 0), (SELECT max(move_number) FROM banks)),
        banks.id, banks.shard, target.name, 'copying', ${now}, ${now}
      FROM banks
      JOIN shards AS source ON source.name = banks.shard
      JOIN shards AS target ON target.name = ${target}
      WHERE banks.id = ${bankId} AND target.name <> source.name AND target.closed = 0
        AND (${allowsJurisdictionChange ? 1 : 0} = 1 OR target.jurisdiction IS source.jurisdiction)
        AND NOT EXISTS (SELECT 1 FROM bank_moves WHERE bank_id = banks.id AND ${isUnfinished})
      RETURNING number`;
}

const isMoveIn = (number: number, ...phases: MovePhase[]): SQL =>
  sql`number = ${number} AND phase IN (${sql.join(
    phases.map((phase) => sql`${phase}`),
    sql`, `,
  )})`;

/** @param set other columns to set */
export function updatePhase(
  number: number,
  from: MovePhase,
  to: MovePhase,
  now: number,
  set: SQL = sql``,
): Statement {
  return sql`UPDATE bank_moves SET phase = ${to}, updated_at = ${now} ${set} WHERE ${isMoveIn(number, from)}`;
}

/** Everything was copied. */
export const beginVerification = (number: number, now: number): Statement =>
  updatePhase(number, 'copying', 'verifying', now, sql`, copied_rows = total_rows`);

/** Both sides are the same. From here on the target may be readable. */
export const beginSwitch = (number: number, now: number): Statement =>
  updatePhase(
    number,
    'verifying',
    'switching',
    now,
    sql`, verified_rows = total_rows, switching_at = ${now}`,
  );

/** The decision: from here on the bank is in the target. It is made once, and not if the move was aborted before. */
export function decideSwitch({ number, bankId, target }: Move, now: number): Statement[] {
  return [
    sql`UPDATE banks SET shard = ${target}, move_number = ${number}
        WHERE id = ${bankId} AND EXISTS (SELECT 1 FROM bank_moves WHERE ${isMoveIn(number, 'switching')})`,
    updatePhase(number, 'switching', 'switched', now),
  ];
}

/** The target takes changes. */
export const beginCleaning = (number: number, now: number): Statement =>
  updatePhase(number, 'switched', 'cleaning', now, sql`, opened_at = ${now}`);

/**
 * Aborts a move that is not decided yet. The source goes on by the number of this move, so that nothing that was on its
 * way when the bank left is written after it.
 * @param error why
 * @returns the move, if it could be aborted
 */
export function abortMove({ number, bankId }: Pick<Move, 'number' | 'bankId'>, error: string, now: number) {
  const isUndecided = isMoveIn(number, 'copying', 'verifying', 'switching');
  return {
    bank: sql`UPDATE banks SET move_number = ${number}
        WHERE id = ${bankId} AND EXISTS (SELECT 1 FROM bank_moves WHERE ${isUndecided})`,
    aborted: sql<{
      number: number;
    }>`UPDATE bank_moves SET phase = 'aborting', error = ${error}, updated_at = ${now}
        WHERE ${isUndecided} RETURNING number`,
  };
}

/** The source takes changes again. */
export const recordReopening = (number: number, now: number): Statement =>
  sql`UPDATE bank_moves SET opened_at = ${now} WHERE ${isMoveIn(number, 'aborting')} AND opened_at IS NULL`;

/** Since when changes wait, and for how many rows. */
export const recordFreeze = (number: number, totalRows: number, now: number): Statement =>
  sql`UPDATE bank_moves SET frozen_at = ${now}, total_rows = ${totalRows}
      WHERE ${isMoveIn(number, 'copying')} AND frozen_at IS NULL`;

/** @returns the move, unless it has been aborted or taken further by now */
export const recordCopied = (
  number: number,
  copiedRows: number,
  now: number,
): Statement<{ number: number }> =>
  sql<{ number: number }>`UPDATE bank_moves SET copied_rows = ${copiedRows}, updated_at = ${now}
      WHERE ${isMoveIn(number, 'copying')} RETURNING number`;

/**
 * @param verifiedTo where the comparison goes on
 * @returns the move, unless it has been aborted or taken further by now
 */
export const recordVerified = (
  number: number,
  verifiedRows: number,
  verifiedTo: string,
  now: number,
): Statement<{ number: number }> =>
  sql<{ number: number }>`UPDATE bank_moves
      SET verified_rows = ${verifiedRows}, verified_to = ${verifiedTo}, updated_at = ${now}
      WHERE ${isMoveIn(number, 'verifying')} RETURNING number`;
