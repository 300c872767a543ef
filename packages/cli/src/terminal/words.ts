/** Formats text for a terminal. */

/** Rounds and formats a number, as in 1,000,000. */
export const count = (value: number) => Math.round(value).toLocaleString('en');

export const countRows = (value: number) => `${count(value)} ${Math.round(value) === 1 ? 'row' : 'rows'}`;

/** Characters that control a terminal, end a line, or reverse the direction of text. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

const hexadecimal = (character: string) => (character.codePointAt(0) ?? 0).toString(16);

/**
 * Escapes control characters. Text from a server, a file or a file name may contain anything, and a terminal would obey
 * it: it could hide what was printed, or fake output of this program.
 */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) => `\\u{${hexadecimal(character)}}`);
}

/** Makes JSON on one line. It escapes what `printable` does, in the notation of JSON. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    UNPRINTABLE,
    (character) => `\\u${hexadecimal(character).padStart(4, '0')}`,
  );
}
