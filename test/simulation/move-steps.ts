/**
 * Every change that drivers of moves have asked D1 for: each may still arrive, hours late and any number of times.
 */
import type { Task } from './scheduler.ts';

export class MoveSteps {
  readonly #drivers = new WeakSet<Task>();
  readonly #steps: (() => Promise<unknown>)[] = [];

  /** What this task asks for from now on counts. */
  addDriver(task: Task): void {
    this.#drivers.add(task);
  }

  /** @returns whether it is a step of a move */
  record(task: Task | null, sql: string, work: () => Promise<unknown>): boolean {
    const isStep = task !== null && this.#drivers.has(task) && /\b(INSERT|UPDATE|DELETE)\b/.test(sql);
    if (isStep) this.#steps.push(work);
    return isStep;
  }

  get count(): number {
    return this.#steps.length;
  }

  /** The step arrives once more. One that a constraint refuses changes nothing either. */
  async repeat(index: number): Promise<void> {
    await this.#steps[index]?.().catch(() => undefined);
  }
}
