/**
 * Compares both sides, whole: every value of every row but the phrases of staged customers, which are new, and the
 * tenant's own row. Neither side changes meanwhile, so it may go on where an earlier run stopped.
 */
import { execute, WRITE_DEADLINE_MS } from '../../db/statements.ts';
import { letOthersWork } from '../../runtime.ts';
import type { MoveContext } from './context.ts';
import { ImpossibleMove, type Move } from './move.ts';
import { copiedTables, type MovedTable } from './moved-tables.store.ts';
import { beginSwitch, recordVerified } from './moves.store.ts';
import { Progress } from './progress.ts';
import {
  countOf,
  lastKeyOf,
  selectComparable,
  type Key,
  type Piece,
  type RangeLimits,
} from './ranges.store.ts';

/** The table that is being compared, and its last row that was. */
interface Position {
  table: string;
  after: Key | null;
}

/**
 * @returns whether everything is compared
 * @throws ImpossibleMove if there is a difference
 */
export async function verifyBank(context: MoveContext, move: Move): Promise<boolean> {
  const { directory, runtime } = context;
  const tables = copiedTables();
  let position = JSON.parse(move.verifiedTo ?? 'null') as Position | null;
  const progress = new Progress(context, move.verifiedRows, (rows, now) =>
    recordVerified(move.number, rows, JSON.stringify(position), now),
  );
  const first = position === null ? 0 : tables.findIndex(({ name }) => name === position?.table);
  for (const table of tables.slice(first)) {
    let after = position?.table === table.name ? position.after : null;
    for (;;) {
      if (!context.budget.hasRoom) {
        await progress.report();
        return false;
      }
      const { rows, last } = await compareRange(context, move, table, after);
      if (last === null) break;
      after = last;
      position = { table: table.name, after };
      await progress.add(rows);
      await letOthersWork(runtime);
    }
  }
  await execute(directory, beginSwitch(move.number, runtime.now()), WRITE_DEADLINE_MS);
  return true;
}

/** @returns the last key that was compared; null: neither side has more rows */
async function compareRange(
  { source, target, range }: MoveContext,
  { bankId }: Move,
  table: MovedTable,
  after: Key | null,
): Promise<{ rows: number; last: Key | null }> {
  const select = (upTo: Key | null, limits: RangeLimits) =>
    selectComparable(table, bankId, { after, upTo, limits });
  const originals = await execute(source, select(null, range), WRITE_DEADLINE_MS);
  const rows = countOf(originals);
  const last = lastKeyOf(table, originals);
  // One more than there may be, so that a row too many is found. Its staged customers have other phrases, of another size.
  const all = { rows: rows + 1, bytes: Number.MAX_SAFE_INTEGER };
  const copies = await execute(target, select(last, all), WRITE_DEADLINE_MS);
  if (!isSame(originals, copies)) {
    throw new ImpossibleMove(
      `the copy of ${table.name} differs from the source: a range has ${rows} rows there, and its copy ${countOf(copies)}`,
    );
  }
  return { rows, last };
}

function isSame(originals: Piece[], copies: Piece[]): boolean {
  return (
    originals.length === copies.length &&
    originals.every(
      ({ rows, payload }, index) => rows === copies[index]?.rows && payload === copies[index]?.payload,
    )
  );
}
