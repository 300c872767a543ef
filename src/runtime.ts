/** What the service takes from the world besides its bindings. Handed in, so that tests can decide it. */
import type { LogEvent } from './log-events.ts';

export type LogLine = Record<string, string | number | boolean | null> & { event: LogEvent };

/**
 * Calls back once, after so many milliseconds.
 * @returns what cancels it; the callback is then never called
 */
export type Timer = (milliseconds: number, callback: () => void) => () => void;

export interface Runtime {
  /** Milliseconds since 1970-01-01 UTC. */
  now: () => number;
  /** An unpredictable number, 0 <= n < 1, with 32 random bits. */
  random: () => number;
  sleep: (milliseconds: number) => Promise<void>;
  timer: Timer;
  /** One structured line. Callers pass names, counts and ids from an allow-list: never personal data. */
  log: (level: 'info' | 'warn' | 'error', line: LogLine) => void;
}

/** Numbers drawn from the system at a time: one call for every 1,024, because each costs a microsecond. */
const POOL_SIZE = 1_024;
const pool = new Uint32Array(POOL_SIZE);
let drawn = POOL_SIZE;

function cryptographicRandom(): number {
  if (drawn === POOL_SIZE) {
    crypto.getRandomValues(pool);
    drawn = 0;
  }
  const number = pool[drawn] ?? 0;
  pool[drawn] = 0;
  drawn += 1;
  return number / 2 ** 32;
}

export const systemRuntime: Runtime = {
  now: () => Date.now(),
  random: cryptographicRandom,
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  timer: (milliseconds, callback) => {
    const id = setTimeout(callback, milliseconds);
    return () => clearTimeout(id);
  },
  log: (level, line) => console[level](JSON.stringify(line)),
};
