/** Removes a bank's rows from the shard that it has left, and from the target of a move that was aborted. */
import { execute, executeBatch, WRITE_DEADLINE_MS, type Database } from '../../db/statements.ts';
import { letOthersWork } from '../../runtime.ts';
import type { MoveContext } from './context.ts';
import { OutdatedMove, type Move } from './move.ts';
import { removedTables } from './moved-tables.store.ts';
import { updatePhase } from './moves.store.ts';
import { removeRange } from './ranges.store.ts';

/**
 * How long the source keeps its rows: longer than an isolate may remember where the bank was. Until then a stale read
 * finds the tombstone, and an operator could still compare.
 */
export const CLEAN_AFTER_MS = 5 * 60_000;

/** @returns whether nothing is left */
export async function cleanSource(context: MoveContext, move: Move): Promise<boolean> {
  const { directory, source, firstWords, runtime } = context;
  if (!(await removeRows(context, source, firstWords.source, move))) return false;
  await execute(directory, updatePhase(move.number, 'cleaning', 'done', runtime.now()), WRITE_DEADLINE_MS);
  return true;
}

/** @returns whether nothing is left */
export async function removeRows(
  { budget, range, runtime }: Pick<MoveContext, 'budget' | 'range' | 'runtime'>,
  shard: Database,
  firstWords: readonly string[],
  move: Move,
): Promise<boolean> {
  for (const table of removedTables()) {
    for (let more = true; more;) {
      if (!budget.hasRoom) return false;
      const { left } = await executeBatch(
        shard,
        removeRange(table, move, range.rows, firstWords),
        WRITE_DEADLINE_MS,
      );
      if (left[0]?.isOwn !== 1) throw new OutdatedMove('the bank has not moved away from here');
      more = left[0].more === 1;
      if (more) await letOthersWork(runtime);
    }
  }
  return true;
}
