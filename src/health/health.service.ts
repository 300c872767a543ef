/**
 * Checks that the service's bindings answer, with calls that change nothing. Anybody may ask, so the cost is bounded per
 * isolate, whoever asks and however often: a result is reused for some seconds, and only a few checks may begin in a
 * window.
 */
import { describeCause } from '../db/errors.ts';
import type { Databases } from '../databases/databases.ts';
import { execute } from '../db/statements.ts';
import { withinDeadline, type Runtime } from '../runtime.ts';
import { tooMany } from '../errors.ts';
import { selectDirectoryProbe, selectShardProbe } from './health.store.ts';

/** Milliseconds that a binding has to answer. D1 on another continent takes 300. */
export const CHECK_WITHIN_MS = 2_000;
/** How long a result is reused. Monitors ask every 10 to 60 s, each from several places. */
const RESULT_KEPT_MS = 5_000;
/** Checks that may begin in one window: two after each other, and two that began at once. */
const MAX_CHECKS = 4;
/** Requests of one client in one window. */
const MAX_REQUESTS = 30;
const WINDOW_MS = 10_000;
/** Clients that are counted apart in one window, about 100 bytes each; all others count as one. */
const MAX_CLIENTS = 1_000;

/** What the service cannot work without, by name: a shard has the name of its binding. */
export interface Checked {
  checked: string[];
  /** Did not answer in time. */
  failed: string[];
}

/** One isolate's state: the last result, and each client's requests in the current window. */
export class HealthMemory {
  last: ({ at: number } & Checked) | undefined;
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
    if (count >= MAX_REQUESTS) throw tooManyChecks(secondsLeft);
    this.#clients.set(client, count + 1);
  }

  /** @throws RATE_LIMITED if too many checks have begun */
  admitCheck(now: number): void {
    const secondsLeft = this.#turnTo(now);
    if (this.#checks >= MAX_CHECKS) throw tooManyChecks(secondsLeft);
    this.#checks += 1;
  }

  /** @returns the seconds left in the window */
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

export interface HealthDeps {
  networkDatabases: Pick<Databases, 'directory' | 'shards' | 'primary'>;
  /** Asks the cache something that changes nothing. */
  phraseCache: { check: () => Promise<void> };
  batchQueue: { check: () => Promise<void> };
  healthMemory: HealthMemory;
  runtime: Pick<Runtime, 'now' | 'timer' | 'log'>;
}

const tooManyChecks = (secondsLeft: number) =>
  tooMany(secondsLeft, 'client', 'asks for /health too often; once in 10 seconds is enough');

/**
 * Checks everything at the same time: a shard that is down is named, and the banks of the others are served.
 * @returns the previous result, if it is recent
 * @throws RATE_LIMITED if too many others are asking
 */
export async function checkDependencies(deps: HealthDeps): Promise<Checked> {
  const { networkDatabases: databases, healthMemory, runtime } = deps;
  const { last } = healthMemory;
  if (last !== undefined && runtime.now() - last.at < RESULT_KEPT_MS) return last;
  healthMemory.admitCheck(runtime.now());
  const checks: [string, Promise<unknown>][] = [
    ['directory', execute(databases.directory, selectDirectoryProbe())],
    ...databases.shards.map((shard): [string, Promise<unknown>] => [
      shard,
      execute(databases.primary(shard), selectShardProbe()),
    ]),
    ['cache', deps.phraseCache.check()],
    ['queue', deps.batchQueue.check()],
  ];
  const answered = await Promise.all(checks.map(([name, work]) => isAvailable(deps, name, work)));
  const checked = checks.map(([name]) => name);
  const failed = checked.filter((_, index) => answered[index] !== true);
  healthMemory.last = { at: runtime.now(), checked, failed };
  return healthMemory.last;
}

/** Never throws. */
async function isAvailable(
  { runtime }: HealthDeps,
  dependency: string,
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
