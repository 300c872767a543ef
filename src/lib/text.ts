/**
 * Normalises text as people and exports write it, and recognises text that must not be stored. No other file normalises,
 * because the cost must be bounded first.
 */

/**
 * UTF-16 units that one unit of composed text can decompose to: U+1F82 has four. (Unicode's FAQ on normalisation, maximum
 * expansion of NFD in UTF-16.) Longer text is too long in every form.
 */
const MAX_DECOMPOSITION = 4;

/**
 * Sorting a run of combining marks takes quadratic time. UAX #15 (Stream-Safe Text Format) knows no language that writes
 * more than 30 in a row.
 */
const MAX_MARKS = 30;
/** Matches a run from its beginning only: starting at each of its marks, 10 MB of runs of 30 take two seconds. */
const TOO_MANY_MARKS = /(?:^|\P{M})\p{M}{31}/u;

/** For each UTF-16 unit: 1 if it may be a combining mark or half of one, 2 if not, 0 if not computed yet. */
const unitKinds = new Uint8Array(0x1_0000);
const MARK_UNIT = /[\p{M}\p{Cs}]/u;

function mayBeMark(unit: number): boolean {
  unitKinds[unit] ||= MARK_UNIT.test(String.fromCharCode(unit)) ? 1 : 2;
  return unitKinds[unit] === 1;
}

/** Runs the expression, which takes ten times as long, only if some run of units is long enough. */
function hasTooManyMarks(text: string): boolean {
  let run = 0;
  for (let at = 0; at < text.length; at += 1) {
    run = mayBeMark(text.charCodeAt(at)) ? run + 1 : 0;
    if (run > MAX_MARKS) return TOO_MANY_MARKS.test(text);
  }
  return false;
}

/**
 * @param maxCharacters UTF-16 units that the composed text may have
 * @returns null for text that is longer in every form, or has more than 30 combining marks in a row
 */
export function normalise(text: string, form: 'NFC' | 'NFKC', maxCharacters: number): string | null {
  const bounded = text.length <= maxCharacters * MAX_DECOMPOSITION && !hasTooManyMarks(text);
  return bounded ? text.normalize(form) : null;
}

/** Maps texts with the same meaning to one form. */
export type Fold = (text: string) => string;
export const keep: Fold = (text) => text;

/**
 * Trims, composes accents (NFC: `e` + U+0301 becomes `é`), and folds. Text that `normalise` refuses is only trimmed: it
 * is too long or unsafe, and the field's rule refuses it. A value that is not a string is returned unchanged.
 */
export function cleanText(value: unknown, maxCharacters: number, fold: Fold = keep): unknown {
  if (typeof value !== 'string') return value;
  const text = value.trim();
  const normal = normalise(text, 'NFC', maxCharacters);
  return normal === null ? text : fold(normal).trim();
}

// Tabs, and the line ends of Unicode (UTS #18, 1.6).
const LINE_BREAK = /[\t\n\v\f\r\x85\u2028\u2029]/;
const SPACES = /[\s\x85]+/g;

/** Joins lines, which exports have in addresses: a line break or tab, with the spaces next to it, becomes one space. */
export function foldLines(text: string): string {
  if (!LINE_BREAK.test(text)) return text;
  return text.replace(SPACES, (run) => (LINE_BREAK.test(run) ? ' ' : run));
}

// Controls and line separators break logs and exports; bidirectional embeddings, overrides and isolates make one name
// look like another. Joiners (U+200C, U+200D) are allowed, because Persian, Hindi and others need them.
const UNSAFE = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u;

/** Returns whether the text has no control characters, bidirectional overrides, lone surrogates or long runs of marks. */
export function isSafeText(text: string): boolean {
  return text.isWellFormed() && !UNSAFE.test(text) && !hasTooManyMarks(text);
}

// Searches for one visible character: matching a long run to its end overflows the regular expression's stack.
const VISIBLE = /[^\s\p{Cf}]/u;

/** Returns whether the text shows nothing: empty, or only white space and format characters. */
export function isBlank(text: string): boolean {
  return !VISIBLE.test(text);
}
