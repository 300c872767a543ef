/** Text as people and exports write it, made comparable; and text that nobody should be able to store. */

/** Trims, and composes accents (NFC): `e` + U+0301 and `é` become one. Anything but a string passes as it is. */
export function cleanText(value: unknown): unknown {
  return typeof value === 'string' ? value.trim().normalize('NFC') : value;
}

// Controls and line separators break logs and exports; bidirectional embeddings, overrides and isolates make a
// name read as another one. Joiners (U+200C, U+200D) are letters' business in Persian, Hindi and others: allowed.
const UNSAFE = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u;

/** Is this text free of control characters, bidirectional overrides and lone surrogates? */
export function isSafeText(text: string): boolean {
  return text.isWellFormed() && !UNSAFE.test(text);
}

const INVISIBLE = /^[\s\p{Cf}]*$/u;

/** Nothing that a reader could see: empty, white space, or format characters alone. */
export function isBlank(text: string): boolean {
  return INVISIBLE.test(text);
}
