/** Recognises values that a spreadsheet took for numbers, and changed. */

const DAMAGE = [
  // 12345678901 as shown in a narrow column, and then saved: 1.23457E+10, 1,23457E+10, 1E+10.
  /^[+-]?\d+(?:[.,]\d+)?E[+-]\d+$/i,
  /^[+-]?\d+[.,]\d+E\d+$/i,
  // 123456789.0 or 123456789.: a number with a fraction, as data tools write whole numbers of a column with gaps. (12.0
  // may be a name.)
  /^[+-]?\d{4,}[.,]0*$/,
  // 1,234,567: digits in groups. What was in front, such as zeros, is lost.
  /^\d{1,3}(?:,\d{3}){2,}(?:\.\d+)?$/,
  // ="0123456789" and any other formula; '0123456789, whose apostrophe only marked it as text.
  /^=/,
  /^'\d/,
  // #REF!, #NAME?, #DIV/0! and their translations (#WERT!, #¿NOMBRE?).
  /^#\S*[!?]$/,
  // Errors without a punctuation mark, and ######## for a column that is too narrow.
  /^#(?:N\/[AD]|NV|GETTING_DATA|#+)$/i,
  // LibreOffice's errors.
  /^Err:\d+$/i,
];

/** Direction marks and zero-width characters, which copying cells adds. They must not hide damage. */
const INVISIBLE = /\p{Cf}/gu;

/** Double quotes around a cell, which are part of its text once a file was quoted twice. */
const OUTER_QUOTES = /^["“”„«»\s]+|["“”„«»\s]+$/g;

/** Is this what a spreadsheet makes of a number that it should have left alone? */
export function isSpreadsheetDamage(text: string): boolean {
  const bare = text.replace(INVISIBLE, '').replace(OUTER_QUOTES, '');
  return DAMAGE.some((pattern) => pattern.test(bare));
}
