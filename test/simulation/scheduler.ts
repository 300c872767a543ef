/**
 * Every call across a boundary parks here, and one at a time is released, so that a seed is one interleaving. Between
 * two releases all tasks are parked or have ended.
 */
import type { Random } from './random.ts';

/** What happens to a call. `after`: it takes effect, and its response is lost. */
export type CallOutcome =
  'works' | 'before' | 'after' | 'partly' | 'garbage' | 'foreign' | 'fails' | 'redirects' | 'gone';

/** `d1 change`: of a bank's data, behind the guard. */
export type Boundary = 'd1' | 'd1 change' | 'queue' | 'cache get' | 'cache put' | 'receiver' | 'timer';

interface Parked {
  boundary: Boundary;
  task: Task;
  /** When a timer fires, in milliseconds on the scheduler's clock. */
  due: number;
  release: (outcome: CallOutcome) => Promise<void>;
}

export class Task {
  killed = false;
  /** Called when it has ended or was killed. */
  readonly onEnd: () => void;

  constructor(onEnd: () => void) {
    this.onEnd = onEnd;
  }
}

/** Microtasks to run before a macrotask, which takes a millisecond. */
const MICROTASKS_PER_TURN = 200;

/** The simulation begins on this day; any would do. */
export const BEGINNING = Date.UTC(2026, 0, 1);

export class Scheduler {
  now = BEGINNING;
  readonly tasks = new Set<Task>();
  parked: Parked[] = [];
  readonly #random: Random;
  #current: Task | null = null;

  constructor(random: Random) {
    this.#random = random;
  }

  /** The task that runs; null: none has begun. */
  get current(): Task | null {
    return this.#current;
  }

  /** Starts work that runs until its first boundary. `work` must not reject. */
  async start(
    work: () => Promise<void>,
    onEnd: () => void = () => {},
    onBegin?: (task: Task) => void,
  ): Promise<void> {
    const task = new Task(onEnd);
    this.tasks.add(task);
    onBegin?.(task);
    this.#current = task;
    const end = () => (task.killed ? undefined : this.#finish(task));
    void work().then(end);
    await this.#settle();
  }

  /** Parks a call until it is released. A killed task gets no response. */
  park<Result>(
    boundary: Boundary,
    execute: (outcome: CallOutcome) => Promise<Result>,
    due = this.now,
  ): Promise<Result> {
    const task = this.#requireCurrentTask();
    return new Promise((resolve, reject) => {
      const release = async (outcome: CallOutcome) => {
        const respond = await execute(outcome).then(
          (result) => () => resolve(result),
          (error: unknown) => () => reject(error),
        );
        if (task.killed) return;
        this.#current = task;
        respond();
        await this.#settle();
      };
      this.parked.push({ boundary, task, due, release });
    });
  }

  /** Calls back when the timer is released, unless it is cancelled first. Returns the cancellation. */
  timer(due: number, callback: () => void): () => void {
    const task = this.#requireCurrentTask();
    const release = async () => {
      this.#current = task;
      callback();
      await this.#settle();
    };
    const parked: Parked = { boundary: 'timer', task, due, release };
    this.parked.push(parked);
    return () => {
      this.parked = this.parked.filter((other) => other !== parked);
    };
  }

  /** Releases one parked call or timer. */
  async release(index: number, outcome: CallOutcome): Promise<void> {
    const [parked] = this.parked.splice(index, 1);
    if (parked === undefined) throw new RangeError('Nothing is parked at this index.');
    this.now = Math.max(this.now + this.#random.between(1, 5), parked.due);
    await parked.release(outcome);
  }

  /** Kills a task. Calls that it has made may still take effect. */
  kill(task: Task): void {
    task.killed = true;
    this.parked = this.parked.filter((parked) => parked.task !== task || this.#random.happens(0.5));
    this.#finish(task);
  }

  #requireCurrentTask(): Task {
    if (this.#current === null) throw new Error('A call crosses a boundary outside any task.');
    return this.#current;
  }

  #finish(task: Task): void {
    this.tasks.delete(task);
    task.onEnd();
    this.parked = this.parked.filter((parked) => parked.task !== task || parked.boundary !== 'timer');
  }

  /** Waits until every task has parked or ended. Between boundaries, a task waits only for WebCrypto. */
  async #settle(): Promise<void> {
    for (let turn = 0; ; turn += 1) {
      for (let microtask = 0; microtask < MICROTASKS_PER_TURN; microtask += 1) await Promise.resolve();
      const waiting = new Set(this.parked.map(({ task }) => task));
      if ([...this.tasks].every((task) => waiting.has(task))) return;
      if (turn > 10_000) throw new Error('A task neither parks nor ends.');
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
}
