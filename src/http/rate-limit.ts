/**
 * How much a key may ask for, by class of route; and how often it may ask for customers that there are not, which
 * is far less often: a directory should not be read out by guessing.
 * An isolate counts what it has let through itself, and refuses at once when that is too much. All isolates of a
 * location count together in the platform's rate limiter, which is told behind the answer's back, so that no answer
 * waits for it: what it refuses is refused here from then on, until the window ends. Accepted: requests that are
 * under way when that happens pass.
 */
import type { Env, RatePolicy } from '../env.ts';
import { tooMany } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import type { HttpContext } from './context.ts';

export type RateClass = 'lookups' | 'changes' | 'batches';
type Counted = RateClass | 'misses';

/** What an isolate knows of one key's use in the window of time that is now. */
interface Window {
  number: number;
  count: number;
  refused: boolean;
}

/** One isolate's memory: the newest window of every key and class. */
export class RateMemory {
  readonly #windows = new Map<string, Window>();

  window(name: string, number: number): Window {
    const known = this.#windows.get(name);
    if (known?.number === number) return known;
    const fresh = { number, count: 0, refused: false };
    this.#windows.set(name, fresh);
    return fresh;
  }
}

const BINDINGS = {
  lookups: 'LOOKUP_LIMIT',
  changes: 'CHANGE_LIMIT',
  batches: 'BATCH_LIMIT',
  misses: 'MISS_LIMIT',
} as const satisfies Record<Counted, keyof Env>;

export class RateLimits {
  readonly #env: Env;
  readonly #memory: RateMemory;
  readonly #runtime: Pick<Runtime, 'now' | 'log'>;

  constructor(env: Env, memory: RateMemory, runtime: Pick<Runtime, 'now' | 'log'>) {
    this.#env = env;
    this.#memory = memory;
    this.#runtime = runtime;
  }

  /**
   * Is there room in every one of these? Nothing is counted by asking.
   * @throws RATE_LIMITED where there is none
   */
  check(context: HttpContext, keyId: string, ...classes: Counted[]): void {
    const states = classes.map((counted) => ({ counted, ...this.#at(keyId, counted) }));
    context.header(
      'RateLimit-Policy',
      states.map(({ counted, policy }) => `"${counted}";q=${policy.limit};w=${policy.seconds}`).join(', '),
    );
    // What this isolate knows; there may be less, never more.
    context.header(
      'RateLimit',
      states
        .map(({ counted, remaining, secondsLeft }) => `"${counted}";r=${remaining};t=${secondsLeft}`)
        .join(', '),
    );
    const full = states.find(({ remaining }) => remaining === 0);
    if (full !== undefined) {
      const message = `has used up its ${full.counted} for now; wait, and slow down`;
      throw tooMany(full.secondsLeft, 'Authorization', message);
    }
  }

  /** Counts, here at once and for the whole location in its own time. Never throws. */
  async charge(keyId: string, counted: Counted, times: number): Promise<void> {
    const { policy, window } = this.#at(keyId, counted);
    window.count += times;
    try {
      const most = Math.min(times, policy.limit);
      for (let charged = 0; charged < most && !window.refused; charged += 1) {
        const { success } = await this.#env[BINDINGS[counted]].limit({ key: keyId });
        if (!success) window.refused = true;
      }
    } catch {
      this.#runtime.log('warn', { event: 'rate_limiter_failed', limiter: counted });
    }
  }

  #at(keyId: string, counted: Counted) {
    const policy: RatePolicy = this.#env.RATE_POLICIES[counted];
    const length = policy.seconds * 1_000;
    const now = this.#runtime.now();
    const number = Math.floor(now / length);
    const window = this.#memory.window(`${counted} ${keyId}`, number);
    return {
      policy,
      window,
      remaining: window.refused ? 0 : Math.max(policy.limit - window.count, 0),
      secondsLeft: Math.ceil(((number + 1) * length - now) / 1_000),
    };
  }
}
