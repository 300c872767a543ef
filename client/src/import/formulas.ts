/**
 * Cells that a spreadsheet would take for a formula. What an import writes is opened in one: a customer called
 * `=HYPERLINK(…)` must stay a name. csv-stringify puts an apostrophe before them; here it is taken away again.
 */
const FORMULA = /^'[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/;

export function isDefused(cell: string): boolean {
  return FORMULA.test(cell);
}

export function undefuse(cell: string): string {
  return cell.slice(1);
}
