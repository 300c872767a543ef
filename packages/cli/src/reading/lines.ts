/**
 * Where a row is in its file, as a spreadsheet numbers it: the header counts, blank lines count, and a cell with line
 * breaks does not make its row longer. It remembers only where the distance between the two numbers changes.
 */
export class Lines {
  readonly #changes: { row: number; distance: number }[] = [];

  /** @param row from 1, in ascending order; the header is 0 */
  add(row: number, line: number): void {
    const distance = line - row;
    if (this.#changes.at(-1)?.distance !== distance) this.#changes.push({ row, distance });
  }

  /** @param row that has been read */
  lineOf(row: number): number {
    return row + (this.#changes.findLast((change) => change.row <= row)?.distance ?? 0);
  }
}
