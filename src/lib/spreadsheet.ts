/** Recognises values that a spreadsheet took for numbers, and changed. */

const DAMAGE = [
  // 12345678901 as shown in a narrow column, and then saved: 1.23457E+10, 1,23457E+10, 1E+10.
  /^[+-]?\d+(?:[.,]\d+)?E[+-]\d+$/i,
  /^[+-]?\d+[.,]\d+E\d+$/i,
  // 123456789.0: data tools write whole numbers this way if the column has gaps. (12.0 may be a name.)
  /^[+-]?\d{4,}[.,]0+$/,
  // 1,234,567: grouped digits. Leading zeros are lost.
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

/** Returns whether the text looks like a number that a spreadsheet has changed. */
export function isSpreadsheetDamage(text: string): boolean {
  const visible = text.replace(INVISIBLE, '').trim();
  return DAMAGE.some((pattern) => pattern.test(visible));
}
