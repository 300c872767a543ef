/**
 * Cells that a spreadsheet would run as a formula. The files that an import writes are opened in spreadsheets: a
 * customer called `=HYPERLINK(…)` must stay a name. A leading apostrophe prevents it, and is removed when the cell is
 * imported again. A cell that has one already gets one more, so that each cell comes back as it was.
 */
const FORMULA = /^'*[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;
const ESCAPED = /^'+[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;

export function escapeFormula(cell: string): string {
  return FORMULA.test(cell) ? `'${cell}` : cell;
}

export function unescapeFormula(cell: string): string {
  return ESCAPED.test(cell) ? cell.slice(1) : cell;
}
