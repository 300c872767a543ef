/**
 * Cells that a spreadsheet would take for a formula. What an import writes is opened in one: a customer called
 * `=HYPERLINK(…)` must stay a name. An apostrophe before it does that, and is taken away when the cell is sent again;
 * one more is put before a cell that has one already, so that each comes back as it was.
 */
const FORMULA = /^'*[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;
const DEFUSED = /^'+[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;

export function defuse(cell: string): string {
  return FORMULA.test(cell) ? `'${cell}` : cell;
}

export function undefuse(cell: string): string {
  return DEFUSED.test(cell) ? cell.slice(1) : cell;
}
