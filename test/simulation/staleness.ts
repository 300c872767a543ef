/** Which answers about a customer are too old, given the changes that were acknowledged before somebody asked. */

/** A change of a customer, as its bank knows it. Moments are numbered in their order. */
export interface ChangeAttempt {
  id: string;
  startedAt: number;
  /** Undefined: it was not acknowledged, so it may take effect at any time, or never. */
  acknowledgedAt: number | undefined;
}

export interface UpdateAttempt extends ChangeAttempt {
  state: string;
}

/** Was the customer erased, as far as its bank had been told by this moment? */
export function wasErased(erasures: readonly ChangeAttempt[], id: string, asOf: number): boolean {
  return erasures.some((attempt) => attempt.id === id && (attempt.acknowledgedAt ?? Infinity) < asOf);
}

/**
 * Is this state of a customer older than an update that had been acknowledged by this moment? Two updates that ran at the
 * same time are made in either order.
 * @param state null: of no update
 */
export function isOutdated(
  updates: readonly UpdateAttempt[],
  id: string,
  state: string | null,
  asOf: number,
): boolean {
  const own = updates.filter((attempt) => attempt.id === id);
  const shown = own.find((attempt) => attempt.state === state);
  const shownSince = shown === undefined ? 0 : (shown.acknowledgedAt ?? Infinity);
  return own.some(
    ({ startedAt, acknowledgedAt = Infinity }) => acknowledgedAt < asOf && startedAt > shownSince,
  );
}
