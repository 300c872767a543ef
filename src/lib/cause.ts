/** What a thrown value may tell a log. */

/**
 * The text of the innermost cause. Drizzle's own message holds the bound values, personal data included; what
 * D1 threw below it names tables and columns only.
 */
export function rootMessage(error: unknown): string {
  const cause = rootCause(error);
  return cause instanceof Error ? cause.message : '';
}

/**
 * One line for a log: D1's words, or for any other error its class and where it was thrown, because the text of
 * an unforeseen error may repeat what somebody sent.
 */
export function describeCause(error: unknown): string | null {
  const cause = rootCause(error);
  if (cause === undefined) return null;
  if (!(cause instanceof Error)) return typeof cause;
  if (cause.message.startsWith('D1_')) return cause.message;
  const frame = cause.stack?.split('\n').find((line) => line.trimStart().startsWith('at '));
  return `${cause.name} ${frame?.trim() ?? ''}`.trim();
}

function rootCause(error: unknown): unknown {
  let cause = error;
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause;
  return cause;
}
