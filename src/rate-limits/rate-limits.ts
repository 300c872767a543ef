/**
 * Limits of each API key: on its requests, by class of operation, and on its misses, which are phrases and emails that
 * it names and that are unknown. Misses are limited far more tightly, so that nobody can read out a directory by
 * guessing. (Ids do not count: they are 80 random bits.)
 *
 * An isolate counts the requests that it admits, and refuses at once when a limit is reached. The platform's rate
 * limiter counts for all isolates of a location. No response waits for it: it is told afterwards, and of frequent
 * requests only in steps of up to a hundred. When it refuses a step, the isolate refuses everything until the window ends.
 *
 * Only the result shows whether a name was a miss. So a response is held back if it has more misses than were left by
 * then: an API key learns of no more misses per window than its limit, however many names it asks for at once.
 */
import type { Env } from '../env.ts';
import { tooMany, type AppError } from '../errors.ts';
import { BINDING_DEADLINE_MS, withinDeadline, type Runtime } from '../runtime.ts';
import rateLimits from './rate-limits.json' with { type: 'json' };

export type RateLimitClass = 'lookups' | 'payees' | 'changes' | 'batches';
type Quota = RateLimitClass | 'misses';

export interface RatePolicy {
  limit: number;
  seconds: number;
  /** Requests per call of the platform's limiter. Its own limit is smaller by this factor. */
  step: number;
}
export type RatePolicies = Record<Quota, RatePolicy>;

const BINDINGS = {
  lookups: 'LOOKUP_LIMIT',
  payees: 'PAYEE_LIMIT',
  changes: 'CHANGE_LIMIT',
  batches: 'BATCH_LIMIT',
  misses: 'MISS_LIMIT',
} as const satisfies Record<Quota, keyof Env>;

/** The limits of wrangler.toml, in requests instead of steps. */
export const RATE_POLICIES: RatePolicies = {
  lookups: readPolicy('lookups', 100),
  payees: readPolicy('payees', 100),
  changes: readPolicy('changes', 10),
  batches: readPolicy('batches', 1),
  misses: readPolicy('misses', 1),
};

function readPolicy(quota: Quota, step: number): RatePolicy {
  const { limit, period } = rateLimits[BINDINGS[quota]];
  return { limit: limit * step, seconds: period, step };
}

/**
 * Names of one API key that D1 looks for at the same time: five full filters, or 500 lookups. Bounded, because the work
 * is wasted if the responses are held back.
 */
const MAX_NAMES_IN_FLIGHT = 500;

/** What an isolate knows of one API key's use in the current window. */
interface Window {
  number: number;
  count: number;
  /** Calls of the platform's limiter. */
  steps: number;
  refused: boolean;
  /** Phrases and emails that D1 is looking for. */
  namesInFlight: number;
}

/** One API key's use of one quota in the current window. */
interface QuotaUsage {
  apiKeyId: string;
  quota: Quota;
  policy: RatePolicy;
  window: Window;
  secondsLeft: number;
}

/** The headers of the response, as far as they are known. */
type ResponseHeaders = Record<string, string>;

/** A request that may guess. */
interface GuessingRequest {
  headers: ResponseHeaders;
  apiKeyId: string;
  rateLimitClass: RateLimitClass;
  /** Phrases and emails that the request names. Without any, nothing is counted. */
  names: number;
}

/** One isolate's memory: the latest window of every API key and quota. */
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
  readonly #runAfterResponse: (work: Promise<void>) => void;

  constructor(
    env: Env,
    policies: RatePolicies,
    memory: RateWindows,
    runtime: Pick<Runtime, 'now' | 'timer' | 'log'>,
    runAfterResponse: (work: Promise<void>) => void,
  ) {
    this.#env = env;
    this.#policies = policies;
    this.#memory = memory;
    this.#runtime = runtime;
    this.#runAfterResponse = runAfterResponse;
  }

  get policies(): RatePolicies {
    return this.#policies;
  }

  /**
   * Counts a request, and describes in its response's headers what is left.
   * @throws RATE_LIMITED if the class or the misses are used up
   */
  admit(headers: ResponseHeaders, apiKeyId: string, rateLimitClass: RateLimitClass): void {
    const [own, misses] = [this.#at(apiKeyId, rateLimitClass), this.#at(apiKeyId, 'misses')];
    const full = [misses, own].find((usage) => remaining(usage) === 0);
    if (full === undefined) this.#charge(own, 1);
    this.#describe(headers, [own, misses]);
    if (full !== undefined) throw quotaExhausted(full);
  }

  /** Describes in a response's headers the limits of an unused API key. */
  describeUnused(headers: ResponseHeaders, rateLimitClass: RateLimitClass): void {
    this.#describe(headers, [this.#at('', rateLimitClass), this.#at('', 'misses')]);
  }

  #describe(headers: ResponseHeaders, usages: QuotaUsage[]): void {
    headers['RateLimit-Policy'] = usages
      .map(({ quota, policy }) => `"${quota}";q=${policy.limit};w=${policy.seconds}`)
      .join(', ');
    // What this isolate knows. Other isolates may have used more, never less.
    headers['RateLimit'] = usages
      .map((usage) => `"${usage.quota}";r=${remaining(usage)};t=${usage.secondsLeft}`)
      .join(', ');
  }

  /**
   * Does work that may guess, counts its misses, and describes in the response's headers what is left then.
   * @throws RATE_LIMITED if too many names are in flight; if the work missed more often than was left; or if nothing is
   *   left by then: hits are held back too, so that a refusal reveals nothing
   */
  async guess<Result>(
    { names, ...request }: GuessingRequest,
    work: () => Promise<Result>,
    missesOf: (result: Result) => number,
  ): Promise<Result> {
    if (names === 0) return work();
    // The platform may stop a request at any time. Its names then stay in flight until the window ends, and no longer.
    const { window } = this.#at(request.apiKeyId, 'misses');
    if (window.namesInFlight + names > MAX_NAMES_IN_FLIGHT) throw tooManyInFlight();
    window.namesInFlight += names;
    try {
      const result = await work();
      this.#settleGuess(request, missesOf(result));
      return result;
    } finally {
      window.namesInFlight -= names;
    }
  }

  /** Counts in the window of the response: that of the request may have ended. */
  #settleGuess({ headers, apiKeyId, rateLimitClass }: Omit<GuessingRequest, 'names'>, misses: number): void {
    const usage = this.#at(apiKeyId, 'misses');
    const left = remaining(usage);
    if (misses > 0) this.#charge(usage, misses);
    this.#describe(headers, [this.#at(apiKeyId, rateLimitClass), usage]);
    if (left === 0) throw quotaExhausted(usage);
    if (misses > left) throw tooManyUnknown(usage);
  }

  /** Counts here at once, and tells the platform's limiter if the steps so far do not cover it. */
  #charge(usage: QuotaUsage, times: number): void {
    const { policy, window } = usage;
    window.count += times;
    const steps = Math.ceil(Math.min(window.count, policy.limit) / policy.step) - window.steps;
    if (steps <= 0) return;
    window.steps += steps;
    this.#runAfterResponse(this.#report(usage, steps));
  }

  async #report({ apiKeyId, quota, window }: QuotaUsage, steps: number): Promise<void> {
    try {
      for (let sent = 0; sent < steps && !window.refused; sent += 1) {
        const counting = this.#env[BINDINGS[quota]].limit({ key: apiKeyId });
        const { timer } = this.#runtime;
        const { success } = await withinDeadline(timer, BINDING_DEADLINE_MS, 'RATE_LIMITER', counting);
        if (!success) window.refused = true;
      }
    } catch {
      this.#runtime.log('warn', { event: 'rate_limiter_failed', limiter: quota });
    }
  }

  #at(apiKeyId: string, quota: Quota): QuotaUsage {
    const policy = this.#policies[quota];
    const length = policy.seconds * 1_000;
    const now = this.#runtime.now();
    const number = Math.floor(now / length);
    return {
      apiKeyId,
      quota,
      policy,
      window: this.#memory.at(`${quota} ${apiKeyId}`, number),
      secondsLeft: Math.ceil(((number + 1) * length - now) / 1_000),
    };
  }
}

function remaining({ window, policy }: QuotaUsage): number {
  return window.refused ? 0 : Math.max(policy.limit - window.count, 0);
}

function quotaExhausted({ quota, secondsLeft }: QuotaUsage): AppError {
  return tooMany(secondsLeft, 'Authorization', `has used up its ${quota} for now; wait, and slow down`);
}

function tooManyInFlight(): AppError {
  const message = `has ${MAX_NAMES_IN_FLIGHT} phrases and emails in flight; wait for the responses before asking for more`;
  return tooMany(1, 'Authorization', message);
}

function tooManyUnknown({ policy, secondsLeft }: QuotaUsage): AppError {
  const message = `name more unknown phrases than the API key may still miss (${policy.limit} in ${policy.seconds} seconds); wait, and ask for at most ${policy.limit} at a time`;
  return tooMany(secondsLeft, 'phrases', message);
}
