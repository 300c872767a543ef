/** Switches a bank over to the target: one transaction in the directory decides, and the shards follow it. */
import { execute, executeBatch, WRITE_DEADLINE_MS } from '../../db/statements.ts';
import type { MoveContext } from './context.ts';
import { expectTenant, type Move } from './move.ts';
import { beginCleaning, decideSwitch } from './moves.store.ts';
import { closeSource, openTarget, standBy } from './tenants.store.ts';

/** The target can be read before the directory names it, so lookups go on whichever shard an isolate asks. */
export async function decide({ directory, target, runtime }: MoveContext, move: Move): Promise<boolean> {
  const { tenant } = await executeBatch(target, standBy(move), WRITE_DEADLINE_MS);
  expectTenant(tenant[0], move, 'standby');
  await executeBatch(directory, decideSwitch(move, runtime.now()), WRITE_DEADLINE_MS);
  return true;
}

/** The source is closed before the target takes changes, so the bank is never open in both. */
export async function open(
  { directory, source, target, runtime }: MoveContext,
  move: Move,
): Promise<boolean> {
  const closed = await executeBatch(source, closeSource(move), WRITE_DEADLINE_MS);
  expectTenant(closed.tenant[0], move, 'moved');
  const opened = await executeBatch(target, openTarget(move, runtime.now()), WRITE_DEADLINE_MS);
  expectTenant(opened.tenant[0], move, 'open');
  await execute(directory, beginCleaning(move.number, runtime.now()), WRITE_DEADLINE_MS);
  return true;
}
