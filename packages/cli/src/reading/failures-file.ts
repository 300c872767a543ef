/**
 * Makes a file of failures safe to import again: a refused row stays refused until somebody changes it. The service's
 * own rules ensure that, with two exceptions, which this file handles:
 * - a value that could not be read as it was (a number that JSON rounds, surplus cells) would be a valid cell in CSV.
 *   It is marked, with text that survives a spreadsheet, and a marked cell is refused in any file;
 * - a row that repeats another row of its file would be valid on its own. A checksum, in a column of its own, shows
 *   whether the row has been changed.
 */
import { hashText } from './hash.ts';
import type { RowFault } from './row.ts';

/** Columns that the importer adds before and after the cells of a failed row, and drops when it reads them. */
export const COLUMNS_BEFORE = ['row'];
export const COLUMNS_AFTER = ['failure_code', 'failure_reason', 'failure_check'];

/** A file with these columns is a file of failures; those of older versions have no others. */
const IDENTIFYING_COLUMNS = ['failure_code', 'failure_reason'];

const MARK = '#UNREADABLE:';

/** @param text the value as far as it can be shown, for whoever fixes it */
export function mark(text: string): string {
  return isMarked(text) ? text : `${MARK} ${text.toWellFormed().replaceAll('\0', '␀')}`;
}

export function isMarked(cell: string): boolean {
  return cell.startsWith(MARK);
}

/** The cell can't be written as CSV in UTF-8, or would be invisible there: a NUL, half of a surrogate pair. */
export function isUnwritable(cell: string): boolean {
  return cell.includes('\0') || !cell.isWellFormed();
}

/** @param cells of the row, without the importer's columns */
export function checksumOf(cells: string[]): string {
  // It begins with a letter: a spreadsheet would take 12e5… for a number.
  return `x${hashText(JSON.stringify(cells)).toString(16)}`;
}

/** Positions of the importer's own columns. */
export interface OwnColumns {
  positions: ReadonlySet<number>;
  reason: number;
  check: number | undefined;
}

/** @returns undefined if no import wrote the file */
export function findOwnColumns(headers: string[]): OwnColumns | undefined {
  if (!IDENTIFYING_COLUMNS.every((column) => headers.includes(column))) return undefined;
  // The user's columns may have the same names: the importer's are the first and the last ones.
  const positions = [
    ...COLUMNS_BEFORE.map((column) => headers.indexOf(column)),
    ...COLUMNS_AFTER.map((column) => headers.lastIndexOf(column)),
  ].filter((position) => position >= 0);
  const check = headers.lastIndexOf('failure_check');
  const reason = headers.lastIndexOf('failure_reason');
  return { positions: new Set(positions), reason, check: check < 0 ? undefined : check };
}

/** @param check the row's checksum as the file has it; `""` if the row was not refused because of another row */
export function repeatedFault(cells: string[], check: string): RowFault | undefined {
  if (check === '' || check !== checksumOf(cells)) return undefined;
  return {
    code: 'DUPLICATE_IN_BATCH',
    reason: 'has not been changed since it was refused for repeating another row',
  };
}
