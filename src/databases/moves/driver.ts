/** Advances the moves of all banks. The cron calls it every minute; whatever a run does not finish, the next one does. */
import { describeCause, isDatabaseFull, isDatabaseUnavailable } from '../../db/errors.ts';
import type { MovePhase } from '../../db/schema.ts';
import { execute, executeBatch, WRITE_DEADLINE_MS, type Database } from '../../db/statements.ts';
import type { Runtime } from '../../runtime.ts';
import { drawPhrase, firstWordsOf } from '../first-words.ts';
import type { ShardName } from '../home.ts';
import { undo } from './abort.ts';
import { CLEAN_AFTER_MS, cleanSource } from './clean.ts';
import type { MoveContext } from './context.ts';
import { copyBank } from './copy.ts';
import { ImpossibleMove, OutdatedMove, type Move } from './move.ts';
import { abortMove, selectMove, selectUnfinishedMoves } from './moves.store.ts';
import type { RangeLimits } from './ranges.store.ts';
import { decide, open } from './switch.ts';
import { TickBudget } from './tick-budget.ts';
import { verifyBank } from './verify.ts';

type Step = (context: MoveContext, move: Move) => Promise<boolean>;

/** What each phase does. Returns whether it is done: then the directory has the next one. */
const STEPS: Record<MovePhase, Step | undefined> = {
  copying: copyBank,
  verifying: verifyBank,
  switching: decide,
  switched: open,
  cleaning: cleanSource,
  done: undefined,
  aborting: undo,
  aborted: undefined,
};

/** Failures of D1 that one run gets over. Its trouble is over in a moment or lasts, and then the next run goes on. */
const MAX_FAILURES = 3;

/** Rows and bytes of one transaction: it occupies the target for less than 0.1 s. */
export const MOVE_RANGE: RangeLimits = { rows: 1_000, bytes: 500_000 };

export interface MoveDeps {
  /** The primaries. `primary` throws for a shard that this Worker is not bound to. */
  databases: { directory: Database; primary: (shard: ShardName) => Database };
  moveRange: RangeLimits;
  runtime: Pick<Runtime, 'now' | 'random' | 'sleep' | 'log'>;
}

/** Runs the moves that have something to do: of each shard the most urgent one, and of these the one that was begun first. */
export async function advanceMoves(deps: MoveDeps): Promise<void> {
  const budget = new TickBudget(deps.runtime.now);
  const directory = budget.database(deps.databases.directory);
  const busy = new Set<string>();
  const running: Promise<void>[] = [];
  const moves = await execute(directory, selectUnfinishedMoves());
  for (const move of moves.toSorted((one, other) => urgencyOf(one) - urgencyOf(other))) {
    const shards = shardsAtWork(move);
    if (isWaiting(move, deps.runtime.now()) || shards.some((shard) => busy.has(shard))) continue;
    for (const shard of shards) busy.add(shard);
    running.push(advanceMove(deps, budget, move));
  }
  await Promise.all(running);
}

/** First those whose banks wait, then those that have not begun. Old rows are removed when no bank waits for the shard. */
function urgencyOf({ phase, frozenAt }: Move): number {
  if (phase === 'cleaning') return 2;
  return frozenAt === null ? 1 : 0;
}

const shardsAtWork = ({ phase, source, target }: Move): string[] =>
  phase === 'cleaning' ? [source] : [source, target];

/** The source keeps its rows for a while. */
function isWaiting({ phase, openedAt }: Move, now: number): boolean {
  return phase === 'cleaning' && now < (openedAt ?? now) + CLEAN_AFTER_MS;
}

/** Advances a move until it waits, the budget is used up, or D1 fails again and again. Does not reject. */
async function advanceMove(deps: MoveDeps, budget: TickBudget, { number }: Move): Promise<void> {
  const directory = budget.database(deps.databases.directory);
  for (let failures = 0; failures < MAX_FAILURES;) {
    try {
      // Its phase is read anew after each step: another driver or an operator may have changed it.
      const [move] = await execute(directory, selectMove(number));
      if (move === undefined || isWaiting(move, deps.runtime.now())) return;
      if (!(await takeStep(deps, budget, move))) return;
    } catch (error) {
      failures += 1;
      deps.runtime.log('warn', { event: 'move_delayed', move: number, cause: describeCause(error) });
    }
  }
}

/** @returns whether to go on */
async function takeStep(deps: MoveDeps, budget: TickBudget, move: Move): Promise<boolean> {
  const step = STEPS[move.phase];
  if (step === undefined) return false;
  const context = contextOf(deps, budget, move);
  const isUndecided = move.phase === 'copying' || move.phase === 'verifying';
  // Throws here and not within the step: a Worker that is older than the target leaves the move as it is.
  if (isUndecided) deps.databases.primary(move.target);
  try {
    const isDone = await step(context, move);
    if (isDone) deps.runtime.log('info', { event: 'move_step_done', ...namesOf(move), phase: move.phase });
    return isDone;
  } catch (error) {
    if (error instanceof OutdatedMove) return false;
    // What a later run would meet again is no reason to let the bank's changes wait any longer.
    if (!isUndecided || (isDatabaseUnavailable(error) && !isDatabaseFull(error))) throw error;
    const cause = error instanceof ImpossibleMove ? error.message : describeCause(error);
    await executeBatch(
      context.directory,
      abortMove(move, cause ?? 'unknown', deps.runtime.now()),
      WRITE_DEADLINE_MS,
    );
    deps.runtime.log('error', { event: 'move_aborted', ...namesOf(move), cause });
    return true;
  }
}

const namesOf = ({ number, bankId, source, target }: Move) => ({
  move: number,
  bank: bankId,
  source,
  target,
});

function contextOf({ databases, moveRange, runtime }: MoveDeps, budget: TickBudget, move: Move): MoveContext {
  const { source, target } = move;
  return {
    directory: budget.database(databases.directory),
    source: budget.database(databases.primary(source)),
    // Only when it is needed: without it, an aborted move still opens the source.
    get target() {
      return budget.database(databases.primary(target));
    },
    createPhrase: () => drawPhrase(target, runtime.random),
    firstWords: { source: firstWordsOf(source), target: firstWordsOf(target) },
    budget,
    range: moveRange,
    runtime,
  };
}
