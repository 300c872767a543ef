/**
 * What of a file of failures makes it safe to import again: a row that was refused stays refused until somebody has
 * changed it. The service sees to that by its own rules, with two exceptions that are seen to here:
 * - a value that could not be read as it was (a number that JSON rounds, what a row has too much) would be a good cell
 *   in CSV. It is marked, by text that survives a spreadsheet, and a marked cell is refused in any file;
 * - a row that repeats another row of its file is a good row without it. The row's check, in a column of its own, tells
 *   whether the row has been changed.
 */
import { hashText } from './hash.ts';
import type { Fault } from './row.ts';

/** What the importer writes before and behind the cells of a row that failed, and drops when it reads them. */
export const COLUMNS_BEFORE = ['row'];
export const COLUMNS_BEHIND = ['failure_code', 'failure_reason', 'failure_check'];

/** By these it is known; files of older versions have no others. */
const KNOWN_BY = ['failure_code', 'failure_reason'];

const MARK = '#UNREADABLE:';

/** @param text the value as far as it can be shown, for whoever puts it right */
export function mark(text: string): string {
  return isMarked(text) ? text : `${MARK} ${text.toWellFormed().replaceAll('\0', '␀')}`;
}

export function isMarked(cell: string): boolean {
  return cell.startsWith(MARK);
}

/** CSV in UTF-8 can't hold it, or nobody could see it there: a NUL, half of a surrogate pair. */
export function isUnwritable(cell: string): boolean {
  return cell.includes('\0') || !cell.isWellFormed();
}

/** @param cells of the row, without what the importer adds */
export function checkOf(cells: string[]): string {
  // A letter first: a spreadsheet takes 12e5… for a number.
  return `x${hashText(JSON.stringify(cells)).toString(16)}`;
}

/** Positions of the importer's own columns. */
export interface OwnColumns {
  positions: ReadonlySet<number>;
  reason: number;
  check: number | undefined;
}

/** @returns undefined for a file that no import wrote */
export function ownColumns(headers: string[]): OwnColumns | undefined {
  if (!KNOWN_BY.every((column) => headers.includes(column))) return undefined;
  // Columns of the user may have the same names: those of the importer stand before all and behind all.
  const positions = [
    ...COLUMNS_BEFORE.map((column) => headers.indexOf(column)),
    ...COLUMNS_BEHIND.map((column) => headers.lastIndexOf(column)),
  ].filter((position) => position >= 0);
  const check = headers.lastIndexOf('failure_check');
  const reason = headers.lastIndexOf('failure_reason');
  return { positions: new Set(positions), reason, check: check < 0 ? undefined : check };
}

/** @param check what the row's check column says; `""` if its refusal does not depend on other rows */
export function repeatedFault(cells: string[], check: string): Fault | undefined {
  if (check === '' || check !== checkOf(cells)) return undefined;
  return {
    code: 'DUPLICATE_IN_BATCH',
    reason: 'has not been changed since it was refused for repeating another row',
  };
}
