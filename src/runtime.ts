/** Time, randomness, timers and the log: injected, so that tests control them. */
import type { LogEvent } from './log-events.ts';

export type LogLine = Record<string, string | number | boolean | null> & { event: LogEvent };

/**
 * Calls back once, after the given time.
 * @returns a function that cancels the call
 */
export type Timer = (milliseconds: number, callback: () => void) => () => void;

/**
 * Milliseconds that the cache has for a write, a queue for a send, and the rate limiter for a count. Each takes up to some
 * hundred, and the service goes on without any of them.
 */
export const BINDING_DEADLINE_MS = 5_000;

/**
 * Waits for a call to a binding. A call that is given up may still take effect; nobody learns whether it does.
 * @throws what the call throws, or `<service>_TIMEOUT: …` when there is no answer within `deadlineMs`
 */
export function withinDeadline<Result>(
  timer: Timer,
  deadlineMs: number,
  service: 'D1' | 'CACHE' | 'QUEUE' | 'RATE_LIMITER' | 'HEALTH' | 'RECEIVER',
  call: Promise<Result>,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const expire = () => reject(new Error(`${service}_TIMEOUT: no answer within ${deadlineMs} ms`));
    call.finally(timer(deadlineMs, expire)).then(resolve, reject);
  });
}

export interface Runtime {
  /** Milliseconds since 1970-01-01 UTC. */
  now: () => number;
  /** An unpredictable number of 32 random bits: 0 <= n < 1. */
  random: () => number;
  sleep: (milliseconds: number) => Promise<void>;
  timer: Timer;
  /** Requests to the receivers of webhooks. */
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** One structured line of names, counts and ids from an allow-list: never personal data. */
  log: (level: 'info' | 'warn' | 'error', line: LogLine) => void;
}

/** A pause of long work: long enough for the event loop to look for new requests. */
const PAUSE_MS = 1;
/** A pause that takes longer than this was used by other requests, so they get another one. */
const IDLE_PAUSE_MS = 3;
/** So the work goes on, however busy the isolate is. */
const MAX_PAUSES = 10;

/** Call after each piece of long work in an isolate that serves requests as well: they are served before the next one. */
export async function letOthersWork({ now, sleep }: Pick<Runtime, 'now' | 'sleep'>): Promise<void> {
  for (let pauses = 0; pauses < MAX_PAUSES; pauses += 1) {
    const pausedAt = now();
    await sleep(PAUSE_MS);
    if (now() - pausedAt <= IDLE_PAUSE_MS) return;
  }
}

/** Random numbers per call of the system: each call costs a microsecond. */
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
  fetch: (url, init) => fetch(url, init),
  log: (level, line) => console[level](JSON.stringify(line)),
};
