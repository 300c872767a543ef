/** Undoes a move that was aborted: the source takes changes again, and the target is emptied. */
import { execute, executeBatch, WRITE_DEADLINE_MS } from '../../db/statements.ts';
import { removeRows } from './clean.ts';
import type { MoveContext } from './context.ts';
import { expectTenant, type Move } from './move.ts';
import { recordReopening, updatePhase } from './moves.store.ts';
import { discardTarget, reopenSource } from './tenants.store.ts';

/** @returns whether nothing of it is left */
export async function undo(context: MoveContext, move: Move): Promise<boolean> {
  const { directory, firstWords, runtime } = context;
  // A target that was never readable can't answer with what is old by then. So the source need not wait for it, for
  // example while the target is down or full, or this Worker is older than the target.
  if (move.switchingAt === null) await reopen(context, move);
  const { target } = context;
  const { tenant } = await executeBatch(target, discardTarget(move), WRITE_DEADLINE_MS);
  expectTenant(tenant[0], move, 'moved');
  if (move.switchingAt !== null) await reopen(context, move);
  if (!(await removeRows(context, target, firstWords.target, move))) return false;
  await execute(directory, updatePhase(move.number, 'aborting', 'aborted', runtime.now()), WRITE_DEADLINE_MS);
  return true;
}

async function reopen({ directory, source, runtime }: MoveContext, move: Move): Promise<void> {
  if (move.openedAt !== null) return;
  const { tenant } = await executeBatch(source, reopenSource(move, runtime.now()), WRITE_DEADLINE_MS);
  // A bank that has no tenant in the source was never there, so nothing waits for it.
  if (tenant[0] !== undefined) expectTenant(tenant[0], move, 'open');
  await execute(directory, recordReopening(move.number, runtime.now()), WRITE_DEADLINE_MS);
}
