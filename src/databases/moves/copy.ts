/** Copies a bank: the source takes no more changes, and then its rows go to the target range by range. */
import { execute, executeBatch, WRITE_DEADLINE_MS } from '../../db/statements.ts';
import { letOthersWork } from '../../runtime.ts';
import type { MoveContext } from './context.ts';
import { expectTenant, type Move } from './move.ts';
import { copiedTables, type MovedTable } from './moved-tables.store.ts';
import { beginVerification, recordCopied, recordFreeze } from './moves.store.ts';
import { Progress } from './progress.ts';
import {
  countOf,
  countRows,
  insertRange,
  lastKeyOf,
  selectLastKey,
  selectRange,
  type Key,
} from './ranges.store.ts';
import { arriveInTarget, leaveSource, selectTenant } from './tenants.store.ts';

/** @returns whether everything is copied */
export async function copyBank(context: MoveContext, move: Move): Promise<boolean> {
  const { directory, runtime } = context;
  await prepareShards(context, move);
  const progress = new Progress(context, move.copiedRows, (rows, now) =>
    recordCopied(move.number, rows, now),
  );
  for (const table of copiedTables()) {
    if (!(await copyTable(context, move, table, progress))) return false;
  }
  await execute(directory, beginVerification(move.number, runtime.now()), WRITE_DEADLINE_MS);
  return true;
}

/** The source first: what the target takes over must not change any more. */
async function prepareShards({ directory, source, target, runtime }: MoveContext, move: Move): Promise<void> {
  // But the changes of a bank do not begin to wait for a target that is down.
  if (move.frozenAt === null) await execute(target, selectTenant(move));
  const left = await executeBatch(source, leaveSource(move), WRITE_DEADLINE_MS);
  const { counts } = expectTenant(left.tenant[0], move, 'leaving');
  const arrived = await executeBatch(target, arriveInTarget(move, counts), WRITE_DEADLINE_MS);
  expectTenant(arrived.tenant[0], move, 'arriving');
  if (move.frozenAt !== null) return;
  const frozenAt = runtime.now();
  const counted = await executeBatch(
    source,
    copiedTables().map((table) => countRows(table, move.bankId)),
    WRITE_DEADLINE_MS,
  );
  const total = counted.reduce((sum, [row]) => sum + (row?.count ?? 0), 0);
  await execute(directory, recordFreeze(move.number, total, frozenAt), WRITE_DEADLINE_MS);
}

/** Goes on after the last row that the target has. @returns whether all of the table is copied */
async function copyTable(
  { source, target, budget, range, createPhrase, runtime }: MoveContext,
  move: Move,
  table: MovedTable,
  progress: Progress,
): Promise<boolean> {
  const [last] = await execute(target, selectLastKey(table, move.bankId));
  let after = last === undefined ? null : (JSON.parse(last.key) as Key);
  while (budget.hasRoom) {
    const next = selectRange(table, move.bankId, { after, upTo: null, limits: range });
    const pieces = await execute(source, next, WRITE_DEADLINE_MS);
    const end = lastKeyOf(table, pieces);
    if (end === null) return true;
    await executeBatch(target, insertRange(table, move, pieces, createPhrase), WRITE_DEADLINE_MS);
    after = end;
    await progress.add(countOf(pieces));
    await letOthersWork(runtime);
  }
  await progress.report();
  return false;
}
