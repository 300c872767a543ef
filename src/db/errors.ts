/** What a D1 call throws, and what the error says: to code that decides by it, and to a log. */

/** A D1 call that failed or was not answered in time. Its cause is what D1 said, if it said anything. */
export class DatabaseError extends Error {}

/**
 * A change that was refused, because the bank's data is elsewhere, or is being moved: nothing was changed. Not a
 * DatabaseError, and without a cause, so that nothing takes it for a bad row or a failure of D1.
 */
export class TenantNotOpenError extends Error {
  constructor(shard: string) {
    super(`D1_TENANT: the bank is not open in ${shard}`);
  }
}

/** Did the guard refuse the transaction? It is a constraint to SQLite, so ask this before anything else. */
export function isRefusedByGuard(error: unknown): boolean {
  return hasMessage(error, /tenant is not open here/);
}

/** Did two customers draw the same phrase? */
export function isPhraseCollision(error: unknown): boolean {
  return hasMessage(error, /UNIQUE constraint failed: customers\.phrase/);
}

/** Would the batch pass its bank's daily limit of failures? See `addRefusedRowCount`. */
export function isOverFailureLimit(error: unknown): boolean {
  return hasMessage(error, /NOT NULL constraint failed: tenants\.failure_day_count/);
}

/** Does a bank already have as many open batches as it may? See `insertBatch`. */
export function isOverOpenLimit(error: unknown): boolean {
  return hasMessage(error, /NOT NULL constraint failed: batches\.status/);
}

/** Did SQLite refuse a row? Trying again would end the same way. */
export function isConstraintFailure(error: unknown): boolean {
  return hasMessage(error, /constraint failed|SQLITE_CONSTRAINT/);
}

/**
 * Is D1 itself unavailable: silent, overloaded, restarting, unreachable or full? Any other SQLite error is about a
 * statement, and so is a bug of ours; so is a TypeError.
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof DatabaseError) || error.cause instanceof TypeError) return false;
  return (
    hasMessage(error, /SQLITE_(BUSY|FULL|IOERR|NOMEM|LOCKED)/) ||
    !hasMessage(error, /SQLITE_|constraint failed/)
  );
}

/** Has D1 no room for this write? Trying again would end the same way, until something is removed. */
export function isDatabaseFull(error: unknown): boolean {
  return hasMessage(error, /SQLITE_FULL|disk is full|Exceeded maximum DB size/);
}

function hasMessage(error: unknown, pattern: RegExp): boolean {
  return messagesOf(error).some((message) => pattern.test(message));
}

/**
 * The messages of an error and its causes, outermost first. D1 throws `D1_ERROR: …` with SQLite's message as the
 * cause; neither holds bound values.
 */
function messagesOf(error: unknown): string[] {
  const messages: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) {
    messages.push(at.message);
  }
  return messages;
}

/** Messages that hold no value that somebody sent: D1's name tables and columns only. */
const FREE_OF_VALUES = /^(?:D1_|[A-Z_]+_TIMEOUT: no answer within \d+ ms$)/;

/**
 * One line for a log: D1's message, or that a binding timed out; for any other error its class and where it was thrown,
 * because the message of an unforeseen error may repeat what somebody sent.
 */
export function describeCause(error: unknown): string | null {
  if (error === undefined) return null;
  const known = messagesOf(error).find((message) => FREE_OF_VALUES.test(message));
  if (known !== undefined) return known;
  let root = error;
  while (root instanceof Error && root.cause !== undefined) root = root.cause;
  if (!(root instanceof Error)) return typeof root;
  const frame = root.stack?.split('\n').find((line) => line.trimStart().startsWith('at '));
  return `${root.name} ${frame?.trim() ?? ''}`.trim();
}
