/** Text for people, as a terminal shows it. */

/** @returns a whole number, as in 1,000,000 */
export const count = (value: number) => Math.round(value).toLocaleString('en');

export const countRows = (value: number) => `${count(value)} ${Math.round(value) === 1 ? 'row' : 'rows'}`;

/** What commands a terminal, ends a line, or turns the order of letters around. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/**
 * A line that a terminal shows as it is. What a server, a file or its name says may hold anything, and a terminal obeys:
 * it could hide what was printed, or print what nobody said.
 */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
