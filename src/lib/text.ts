/**
 * Text as people and exports write it, made comparable; and text that nobody should be able to store.
 * The only file that normalises, because what that costs must be bounded before it is paid.
 */

/**
 * UTF-16 units that one unit of composed text takes at most when it is decomposed: U+1F82 is four. (Unicode's FAQ on
 * normalisation, maximum expansion of NFD in UTF-16.) Text that is longer than that is too long in any form.
 */
const MAX_DECOMPOSITION = 4;

/**
 * Sorting a run of combining marks takes time that grows with its square. UAX #15 (Stream-Safe Text Format) knows of
 * no language that writes more than 30 in a row.
 */
const MAX_MARKS = 30;
/** A run is looked at from its beginning alone: tried from each of its marks, 10 MB of runs of 30 take two seconds. */
const TOO_MANY_MARKS = /(?:^|\P{M})\p{M}{31}/u;

/** Of each UTF-16 unit: may it be a combining mark, or half of one? 0 where nobody has asked yet. */
const unitKinds = new Uint8Array(0x1_0000);
const MARK_UNIT = /[\p{M}\p{Cs}]/u;

function mayBeMark(unit: number): boolean {
  unitKinds[unit] ||= MARK_UNIT.test(String.fromCharCode(unit)) ? 1 : 2;
  return unitKinds[unit] === 1;
}

/** The expression decides, and is spared where no run of units is long enough: it takes ten times as long. */
function hasTooManyMarks(text: string): boolean {
  let run = 0;
  for (let at = 0; at < text.length; at += 1) {
    run = mayBeMark(text.charCodeAt(at)) ? run + 1 : 0;
    if (run > MAX_MARKS) return TOO_MANY_MARKS.test(text);
  }
  return false;
}

/**
 * @param maxCharacters UTF-16 units that the text may have when it is composed
 * @returns null for text that can't be that short, or has more than 30 combining marks in a row
 */
export function normalise(text: string, form: 'NFC' | 'NFKC', maxCharacters: number): string | null {
  const bounded = text.length <= maxCharacters * MAX_DECOMPOSITION && !hasTooManyMarks(text);
  return bounded ? text.normalize(form) : null;
}

/** Makes texts alike that mean the same. */
export type Fold = (text: string) => string;
export const keep: Fold = (text) => text;

/**
 * Trims, composes accents (NFC: `e` + U+0301 and `é` become one), and folds. Text that `normalise` refuses is only
 * trimmed: it is too long for its field or not safe, and whoever judges it says so. Anything but a string passes as
 * it is.
 */
export function cleanText(value: unknown, maxCharacters: number, fold: Fold = keep): unknown {
  if (typeof value !== 'string') return value;
  const text = value.trim();
  const normal = normalise(text, 'NFC', maxCharacters);
  return normal === null ? text : fold(normal).trim();
}

// Tabs, and what Unicode counts as the end of a line (UTS #18, 1.6).
const LINE_BREAK = /[\t\n\v\f\r\x85\u2028\u2029]/;
const SPACES = /[\s\x85]+/g;

/** Makes one line of several, as exports hold addresses: line breaks and tabs, and spaces beside them, are one space. */
export function foldLines(text: string): string {
  if (!LINE_BREAK.test(text)) return text;
  return text.replace(SPACES, (run) => (LINE_BREAK.test(run) ? ' ' : run));
}

// Controls and line separators break logs and exports; bidirectional embeddings, overrides and isolates make a
// name read as another one. Joiners (U+200C, U+200D) are letters' business in Persian, Hindi and others: allowed.
const UNSAFE = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u;

/** Is this text free of control characters, bidirectional overrides, lone surrogates and endless combining marks? */
export function isSafeText(text: string): boolean {
  return text.isWellFormed() && !UNSAFE.test(text) && !hasTooManyMarks(text);
}

// Looked for, not matched to the end: a long run that has to match fills the regular expression's stack.
const VISIBLE = /[^\s\p{Cf}]/u;

/** Nothing that a reader could see: empty, white space, or format characters alone. */
export function isBlank(text: string): boolean {
  return !VISIBLE.test(text);
}
