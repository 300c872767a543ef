/** What a thrown value may tell: to code that decides by it, and to a log. */

/**
 * The texts of an error and its causes, outermost first. D1 throws `D1_ERROR: …` with SQLite's own words as the
 * cause; neither holds bound values.
 */
export function messagesOf(error: unknown): string[] {
  const messages: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) {
    messages.push(at.message);
  }
  return messages;
}

const FREE_OF_VALUES = /^(?:D1_|[A-Z_]+_TIMEOUT: no answer within \d+ ms$)/;

/**
 * One line for a log: D1's words, which name tables and columns only; that a binding did not answer in time; or for any
 * other error its class and where it was thrown, because the text of an unforeseen error may repeat what somebody sent.
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
