/** When a failed delivery is tried again, and when never. */

/**
 * Shortest time between two requests to a receiver that a bank causes by a test or a change: whoever holds an API key must
 * not aim us at somebody's server.
 */
export const MIN_INTERVAL_MS = 10_000;

/** The first retry comes after at most this. */
const FIRST_DELAY_MS = 5_000;
export const MAX_DELAY_MS = 6 * 3_600_000;
/** An endpoint that has failed for so long is disabled. */
export const DISABLED_AFTER_MS = 72 * 3_600_000;
/** How often the cron finds endpoints that are due, as in wrangler.toml. The queue carries the retries before that. */
export const CRON_INTERVAL_MS = 60_000;

/**
 * Doubles with each failure, up to MAX_DELAY_MS. At least half of it is waited: the other half is random, so that endpoints
 * that failed together do not all come back at the same moment.
 * @param failures attempts that failed before this one
 */
export function retryDelayMs(failures: number, random: () => number): number {
  const delay = Math.min(FIRST_DELAY_MS * 2 ** failures, MAX_DELAY_MS);
  return Math.round(delay * (0.5 + random() / 2));
}
