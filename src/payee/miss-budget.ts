/**
 * The daily budget of each bank for unknown phrases. D1 counts; an isolate remembers which budgets are used up. Then
 * hits are refused as well, so that a refusal reveals nothing.
 */
import type { LocatedBank } from '../databases/home.ts';
import type { Tenants } from '../databases/tenant.ts';
import { tooMany, type AppError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { Runtime } from '../runtime.ts';
import { insertMiss } from './payee.store.ts';

const DAY_MS = 86_400_000;
const ignore = () => {};

/** What one isolate knows of the banks' budgets. */
export class BudgetMemory {
  /** The UTC day for which a bank's budget is used up. */
  readonly usedUp = new Map<string, string>();
  /** Banks with a miss that D1 did not confirm as counted. */
  readonly uncounted = new Set<string>();
}

export interface BudgetDeps {
  networkDatabases: Tenants;
  budgetMemory: BudgetMemory;
  runtime: Pick<Runtime, 'now' | 'log'>;
  /** Work that the response does not wait for. */
  runAfterResponse: (work: Promise<void>) => void;
}

/** One bank's budget at the time of one request. */
export class MissBudget {
  readonly bankId: string;
  /** UTC, as `2026-11-25`. */
  readonly day: string;
  readonly #bank: LocatedBank;
  readonly #deps: BudgetDeps;
  readonly #secondsLeft: number;

  constructor(deps: BudgetDeps, bank: LocatedBank) {
    const now = deps.runtime.now();
    this.#deps = deps;
    this.#bank = bank;
    this.bankId = bank.bankId;
    this.day = new Date(now).toISOString().slice(0, 10);
    this.#secondsLeft = Math.ceil((DAY_MS - (now % DAY_MS)) / 1_000);
  }

  /** @throws RATE_LIMITED if this isolate knows that the budget is used up */
  requireLeft(): void {
    if (this.#deps.budgetMemory.usedUp.get(this.bankId) === this.day) throw this.#exhausted();
  }

  /**
   * @param misses as D1 has counted them
   * @throws RATE_LIMITED
   */
  requireLeftAfter(misses: number): void {
    if (misses >= LIMITS.maxPayeeMissesPerDay) throw this.#closed();
  }

  /**
   * Counts a miss that D1 did not confirm as counted, before anything more is revealed: otherwise guessing would be free
   * while D1 answers reads and refuses writes.
   */
  async countForgotten(): Promise<void> {
    if (this.#deps.budgetMemory.uncounted.has(this.bankId)) await this.countMiss();
  }

  /** @throws RATE_LIMITED if the budget was used up before, or DatabaseError: then the miss must not be revealed */
  async countMiss(): Promise<void> {
    const counting = this.#insertMiss();
    // Whoever goes away before a miss is counted, because a hit would have come by now, must not stop the count.
    this.#deps.runAfterResponse(counting.then(ignore, ignore));
    const misses = await counting;
    if (misses === undefined) throw this.#closed();
    if (misses < LIMITS.maxPayeeMissesPerDay) return;
    this.#deps.budgetMemory.usedUp.set(this.bankId, this.day);
    this.#deps.runtime.log('warn', { event: 'payee_budget_used_up', bank: this.bankId });
  }

  async #insertMiss(): Promise<number | undefined> {
    const { networkDatabases, budgetMemory } = this.#deps;
    try {
      const insert = insertMiss(this, LIMITS.maxPayeeMissesPerDay);
      const [[counted]] = await networkDatabases.tenantOf(this.#bank).writeReadable([insert]);
      budgetMemory.uncounted.delete(this.bankId);
      return counted?.misses;
    } catch (error) {
      budgetMemory.uncounted.add(this.bankId);
      throw error;
    }
  }

  #closed(): AppError {
    this.#deps.budgetMemory.usedUp.set(this.bankId, this.day);
    return this.#exhausted();
  }

  #exhausted(): AppError {
    const message = `is of a bank that has asked for ${LIMITS.maxPayeeMissesPerDay} unknown payees today, which is the limit; wait until the day ends, at midnight UTC`;
    return tooMany(this.#secondsLeft, 'Authorization', message);
  }
}
