/**
 * How much a key may ask for, by class of route; and how often it may guess: name a phrase or an email that is
 * nobody's. That is far less, so that a directory can't be read out. (Ids are 80 random bits; nobody guesses those.)
 * An isolate counts what it has let through itself, and refuses at once when that is too much. All isolates of a
 * location count together in the platform's rate limiter, which is told behind the answer's back and, of what is
 * frequent, by the step of a hundred, so that no answer waits for it or pays for it: what it refuses is refused here
 * from then on, until the window ends.
 * Whether a name is a miss is known only afterwards, so the answer is kept back if there were more misses in it than
 * were left by then: a key is told of no more misses in a window than its limit, however many it asks for at once.
 */
import type { Env } from '../env.ts';
import { tooMany, type AppError } from '../errors.ts';
import { BINDING_DEADLINE_MS, withinDeadline, type Runtime } from '../runtime.ts';
import rateLimits from './rate-limits.json' with { type: 'json' };

export type RateLimitClass = 'lookups' | 'changes' | 'batches';
type Quota = RateLimitClass | 'misses';

export interface RatePolicy {
  limit: number;
  seconds: number;
  /** How many are told to the platform's limiter at once. Its own limit is so much smaller. */
  step: number;
}
export type RatePolicies = Record<Quota, RatePolicy>;

const BINDINGS = {
  lookups: 'LOOKUP_LIMIT',
  changes: 'CHANGE_LIMIT',
  batches: 'BATCH_LIMIT',
  misses: 'MISS_LIMIT',
} as const satisfies Record<Quota, keyof Env>;

/** What wrangler.toml sets, in requests: the frequent ones are told to the platform's limiter by the step. */
export const RATE_POLICIES: RatePolicies = {
  lookups: readPolicy('lookups', 100),
  changes: readPolicy('changes', 10),
  batches: readPolicy('batches', 1),
  misses: readPolicy('misses', 1),
};

function readPolicy(counted: Quota, step: number): RatePolicy {
  const { limit, period } = rateLimits[BINDINGS[counted]];
  return { limit: limit * step, seconds: period, step };
}

/** Names that D1 looks for at once for one key, because the answers may be kept back: five filters, or 500 lookups. */
const MAX_NAMES_IN_FLIGHT = 500;

/** What an isolate knows of one key's use in the window of time that is now. */
interface Window {
  number: number;
  count: number;
  /** How often the platform's limiter was told. */
  steps: number;
  refused: boolean;
  /** Phrases and emails that are being looked for. */
  namesInFlight: number;
}

/** What a key has of one class, just now. */
interface QuotaUsage {
  keyId: string;
  counted: Quota;
  policy: RatePolicy;
  window: Window;
  secondsLeft: number;
}

/** The headers of the answer that is being made. */
type AnswerHeaders = Record<string, string>;

/** One isolate's memory: the newest window of every key and class. */
export class RateWindows {
  readonly #windows = new Map<string, Window>();

  at(name: string, number: number): Window {
    const known = this.#windows.get(name);
    if (known?.number === number) return known;
    const fresh = { number, count: 0, steps: 0, refused: false, namesInFlight: 0 };
    this.#windows.set(name, fresh);
    return fresh;
  }
}

export class RateLimits {
  readonly #env: Env;
  readonly #policies: RatePolicies;
  readonly #memory: RateWindows;
  readonly #runtime: Pick<Runtime, 'now' | 'timer' | 'log'>;
  readonly #after: (work: Promise<void>) => void;

  constructor(
    env: Env,
    policies: RatePolicies,
    memory: RateWindows,
    runtime: Pick<Runtime, 'now' | 'timer' | 'log'>,
    after: (work: Promise<void>) => void,
  ) {
    this.#env = env;
    this.#policies = policies;
    this.#memory = memory;
    this.#runtime = runtime;
    this.#after = after;
  }

  /**
   * Counts a request, and says in its answer's headers what is left.
   * @throws RATE_LIMITED where there is no room for it, or none for a miss
   */
  admit(headers: AnswerHeaders, keyId: string, rateClass: RateLimitClass): void {
    const [own, misses] = [this.#at(keyId, rateClass), this.#at(keyId, 'misses')];
    const full = [misses, own].find((account) => remaining(account) === 0);
    if (full === undefined) this.#charge(own, 1);
    this.#describe(headers, [own, misses]);
    if (full !== undefined) throw quotaExhausted(full);
  }

  /** Says in an answer's headers what there is, and that all of it is left: of an API key that is not known. */
  describeUnused(headers: AnswerHeaders, rateClass: RateLimitClass): void {
    this.#describe(headers, [this.#at('', rateClass), this.#at('', 'misses')]);
  }

  #describe(headers: AnswerHeaders, accounts: QuotaUsage[]): void {
    headers['RateLimit-Policy'] = accounts
      .map(({ counted, policy }) => `"${counted}";q=${policy.limit};w=${policy.seconds}`)
      .join(', ');
    // What this isolate knows; there may be less, never more.
    headers['RateLimit'] = accounts
      .map((account) => `"${account.counted}";r=${remaining(account)};t=${account.secondsLeft}`)
      .join(', ');
  }

  /**
   * Does work that may guess, counts what it missed, and says in the answer's headers what is left then.
   * @param names phrases and emails that are asked for; nothing is counted for none
   * @throws RATE_LIMITED if too many names are in flight; if it missed more often than was left; or if nothing is left
   *   by then, and hits are kept back too, so that a refusal tells nothing
   */
  async guess<Result>(
    headers: AnswerHeaders,
    keyId: string,
    names: number,
    work: () => Promise<Result>,
    missesOf: (result: Result) => number,
  ): Promise<Result> {
    if (names === 0) return work();
    // A request that is stopped without a word stays counted until its window ends, and no longer.
    const { window } = this.#at(keyId, 'misses');
    if (window.namesInFlight + names > MAX_NAMES_IN_FLIGHT) throw tooManyInFlight();
    window.namesInFlight += names;
    try {
      const result = await work();
      this.#settleGuess(headers, keyId, missesOf(result));
      return result;
    } finally {
      window.namesInFlight -= names;
    }
  }

  /** What may guess is a lookup. Of the window in which the answer is given: the one in which it was asked may have ended. */
  #settleGuess(headers: AnswerHeaders, keyId: string, misses: number): void {
    const account = this.#at(keyId, 'misses');
    const left = remaining(account);
    if (misses > 0) this.#charge(account, misses);
    this.#describe(headers, [this.#at(keyId, 'lookups'), account]);
    if (left === 0) throw quotaExhausted(account);
    if (misses > left) throw tooManyUnknown(account);
  }

  /** Counts, here at once, and for the whole location where no step that was told covers it. */
  #charge(account: QuotaUsage, times: number): void {
    const { policy, window } = account;
    window.count += times;
    const steps = Math.ceil(Math.min(window.count, policy.limit) / policy.step) - window.steps;
    if (steps <= 0) return;
    window.steps += steps;
    this.#after(this.#tell(account, steps));
  }

  async #tell({ keyId, counted, window }: QuotaUsage, steps: number): Promise<void> {
    try {
      for (let told = 0; told < steps && !window.refused; told += 1) {
        const counting = this.#env[BINDINGS[counted]].limit({ key: keyId });
        const { timer } = this.#runtime;
        const { success } = await withinDeadline(timer, BINDING_DEADLINE_MS, 'RATE_LIMITER', counting);
        if (!success) window.refused = true;
      }
    } catch {
      this.#runtime.log('warn', { event: 'rate_limiter_failed', limiter: counted });
    }
  }

  #at(keyId: string, counted: Quota): QuotaUsage {
    const policy = this.#policies[counted];
    const length = policy.seconds * 1_000;
    const now = this.#runtime.now();
    const number = Math.floor(now / length);
    return {
      keyId,
      counted,
      policy,
      window: this.#memory.at(`${counted} ${keyId}`, number),
      secondsLeft: Math.ceil(((number + 1) * length - now) / 1_000),
    };
  }
}

function remaining({ window, policy }: QuotaUsage): number {
  return window.refused ? 0 : Math.max(policy.limit - window.count, 0);
}

function quotaExhausted({ counted, secondsLeft }: QuotaUsage): AppError {
  return tooMany(secondsLeft, 'Authorization', `has used up its ${counted} for now; wait, and slow down`);
}

function tooManyInFlight(): AppError {
  const message = `has ${MAX_NAMES_IN_FLIGHT} phrases and emails in flight; wait for answers before asking for more`;
  return tooMany(1, 'Authorization', message);
}

function tooManyUnknown({ policy, secondsLeft }: QuotaUsage): AppError {
  const message = `name more that are unknown than the API key may still miss (${policy.limit} in ${policy.seconds} seconds); wait, and ask for at most ${policy.limit} at a time`;
  return tooMany(secondsLeft, 'phrases', message);
}
