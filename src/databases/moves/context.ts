/** What the steps of a move depend on. */
import type { Database } from '../../db/statements.ts';
import type { Runtime } from '../../runtime.ts';
import type { RangeLimits } from './ranges.store.ts';
import type { TickBudget } from './tick-budget.ts';

export interface MoveContext {
  /** The primaries, whose calls the budget counts. */
  directory: Database;
  source: Database;
  /** Throws if the Worker is not bound to it. */
  readonly target: Database;
  /** Draws a phrase that the target may give to a customer. */
  createPhrase: () => string;
  /** The first words of the phrases that each shard gives. */
  firstWords: { source: readonly string[]; target: readonly string[] };
  budget: TickBudget;
  /** What one transaction copies, compares or removes at most. */
  range: RangeLimits;
  runtime: Pick<Runtime, 'now' | 'sleep'>;
}
