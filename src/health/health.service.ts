/**
 * Can the service work? Each of its bindings is asked something that changes nothing. Anybody may ask, so what it
 * costs is bounded for an isolate, whoever asks and however often: a result is kept for some seconds, and only so
 * many checks may begin in a window.
 */
import { describeCause } from '../db/cause.ts';
import { run } from '../db/client.ts';
import type { Deps } from '../deps.ts';
import { tooMany } from '../errors.ts';
import { withinDeadline } from '../runtime.ts';
import type { Dependency } from './health.operations.ts';
import { readAnything } from './health.store.ts';

/** Milliseconds that a binding has to answer. A cold KV read takes up to 250 ms, D1 on another continent 300. */
export const CHECK_WITHIN_MS = 2_000;
/** Milliseconds for which a result is given again. Monitors ask every 10 to 60 s, each from several places. */
const RESULT_KEPT_MS = 5_000;
/** Checks that may begin in a window of an isolate: two that follow each other, and as many that began at once. */
const MAX_CHECKS = 4;
/** Requests of one client in a window of an isolate. */
const MAX_REQUESTS = 30;
const WINDOW_MS = 10_000;
/** Clients that are told apart in a window; any others are counted as one. About 100 bytes each. */
const MAX_CLIENTS = 1_000;

/** What one isolate remembers: the last result, and how often who asked in the window of time that is now. */
export class HealthMemory {
  last: { at: number; failed: Dependency[] } | undefined;
  readonly #clients = new Map<string, number>();
  #window = 0;
  #checks = 0;

  /**
   * @param address of the client, as Cloudflare gives it
   * @throws RATE_LIMITED
   */
  admitClient(address: string, now: number): void {
    const secondsLeft = this.#turnTo(now);
    const client = this.#clients.has(address) || this.#clients.size < MAX_CLIENTS ? address : 'others';
    const count = this.#clients.get(client) ?? 0;
    if (count >= MAX_REQUESTS) throw tooOften(secondsLeft);
    this.#clients.set(client, count + 1);
  }

  /** @throws RATE_LIMITED where too many checks have begun */
  admitCheck(now: number): void {
    const secondsLeft = this.#turnTo(now);
    if (this.#checks >= MAX_CHECKS) throw tooOften(secondsLeft);
    this.#checks += 1;
  }

  /** @returns the seconds that are left of the window */
  #turnTo(now: number): number {
    const window = Math.floor(now / WINDOW_MS);
    if (window !== this.#window) {
      this.#window = window;
      this.#checks = 0;
      this.#clients.clear();
    }
    return Math.ceil(((window + 1) * WINDOW_MS - now) / 1_000);
  }
}

const tooOften = (secondsLeft: number) =>
  tooMany(secondsLeft, 'client', 'asks for /health too often; once in 10 seconds is enough');

type Context = Pick<Deps, 'keyDatabase' | 'phraseCache' | 'batchQueue' | 'healthMemory' | 'runtime'>;

/**
 * @returns what does not answer, or not in time; of a moment ago, if it was asked for then
 * @throws RATE_LIMITED where too many others are asking
 */
export async function findUnavailable(deps: Context): Promise<Dependency[]> {
  const { healthMemory, runtime } = deps;
  const { last } = healthMemory;
  if (last !== undefined && runtime.now() - last.at < RESULT_KEPT_MS) return last.failed;
  healthMemory.admitCheck(runtime.now());
  const checks: [Dependency, Promise<unknown>][] = [
    ['database', run(deps.keyDatabase, readAnything())],
    ['cache', deps.phraseCache.check()],
    ['queue', deps.batchQueue.check()],
  ];
  const answered = await Promise.all(checks.map(([name, work]) => answers(deps, name, work)));
  const failed = checks.map(([name]) => name).filter((_, index) => answered[index] !== true);
  healthMemory.last = { at: runtime.now(), failed };
  return failed;
}

/** Never throws. */
async function answers(
  { runtime }: Context,
  dependency: Dependency,
  work: Promise<unknown>,
): Promise<boolean> {
  try {
    await withinDeadline(runtime.timer, CHECK_WITHIN_MS, 'HEALTH', work);
    return true;
  } catch (error) {
    runtime.log('error', { event: 'dependency_unavailable', dependency, cause: describeCause(error) });
    return false;
  }
}
