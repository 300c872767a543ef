/** A clock that jumps from event to event: hours of traffic pass in seconds, and nothing depends on the machine. */
import type { Runtime } from '../../src/runtime.ts';

interface Event {
  at: number;
  run: (() => void) | undefined;
}

/** Any time will do. Not midnight: budgets of a day begin there. */
export const BEGINNING = Date.UTC(2026, 10, 25, 1);

/** Runs everything that waits for a promise, before time goes on. */
const drain = () => new Promise((resolve) => setImmediate(resolve));

export class VirtualClock {
  now = BEGINNING;
  /** A binary heap, by time. */
  readonly #events: Event[] = [];

  /** @returns a function that cancels the event */
  at(time: number, run: () => void): () => void {
    const event: Event = { at: time, run };
    this.#push(event);
    return () => {
      event.run = undefined;
    };
  }

  readonly sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => void this.at(this.now + ms, resolve));

  readonly timer: Runtime['timer'] = (ms, callback) => this.at(this.now + ms, callback);

  /** Runs all events, and those that they cause, in the order of their times. */
  async run(): Promise<void> {
    for (let event = this.#pop(); event !== undefined; event = this.#pop()) {
      if (event.run === undefined) continue;
      this.now = event.at;
      event.run();
      await drain();
    }
  }

  #push(event: Event): void {
    const events = this.#events;
    let index = events.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if ((events[parent] as Event).at <= event.at) break;
      events[index] = events[parent] as Event;
      index = parent;
    }
    events[index] = event;
  }

  #pop(): Event | undefined {
    const events = this.#events;
    const [first] = events;
    const last = events.pop();
    if (first === undefined || last === undefined || events.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= events.length) break;
      if (child + 1 < events.length && (events[child + 1] as Event).at < (events[child] as Event).at)
        child += 1;
      if ((events[child] as Event).at >= last.at) break;
      events[index] = events[child] as Event;
      index = child;
    }
    events[index] = last;
    return first;
  }
}
