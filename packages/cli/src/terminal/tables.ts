/** Aligns values in columns for a terminal. */
import { printable } from './words.ts';

const GAP = '  ';

/** Makes one line of each row. The last column is not padded; columns of numbers are aligned on the right. */
export function alignRows(rows: readonly (readonly string[])[]): string[] {
  const texts = rows.map((row) => row.map(printable));
  const widths = (texts[0] ?? []).map((_, column) =>
    Math.max(...texts.map((row) => (row[column] ?? '').length)),
  );
  const isNumeric = widths.map((_, column) =>
    texts.slice(1).every((row) => /^[\d,]+$/.test(row[column] ?? '')),
  );
  return texts.map((row) =>
    row
      .map((text, column) => {
        const width = widths[column] ?? 0;
        return isNumeric[column] === true ? text.padStart(width) : text.padEnd(width);
      })
      .join(GAP)
      .trimEnd(),
  );
}

/** Makes a line of each name and value. Null is shown as a dash. */
export function alignPairs(values: object): string[] {
  const rows = Object.entries(values as Record<string, string | null>);
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}${GAP}${value ?? '–'}`);
}
