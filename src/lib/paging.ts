/**
 * Paging by opaque cursors. A cursor says where a page begins by the sort key and id of the row beside it, so that reading on costs the
 * same at any depth. It is bound to the bank and the list it was made for; it grants nothing: every statement
 * names the bank itself.
 */
import * as z from 'zod/mini';
import { invalid } from '../errors.ts';

export interface Position {
  /** `from`: the page begins with this row. `before`: it ends in front of it. */
  side: 'from' | 'before';
  /** The row's sort key in the list's order of sorting, its id included. */
  key: (string | number)[];
}

const cursorContent = z.strictObject({
  list: z.string(),
  side: z.enum(['from', 'before']),
  key: z.array(z.union([z.string(), z.number()])),
});

/**
 * @param list what the cursor is for: bank, list and order. It only reads back for the same.
 * @returns base64url text
 */
export function encodeCursor(list: string, position: Position): string {
  const bytes = new TextEncoder().encode(JSON.stringify({ list, ...position }));
  return bytes.toBase64({ alphabet: 'base64url', omitPadding: true });
}

/** @throws a 400 for anything that `encodeCursor` did not make for this very list */
export function decodeCursor(list: string, keyLength: number, cursor: string): Position {
  const content = cursorContent.safeParse(readJson(cursor));
  if (!content.success || content.data.list !== list || content.data.key.length !== keyLength) {
    throw invalid(
      'cursor',
      'must be one that a Link header of this very list gave; leave it out to begin anew',
    );
  }
  return { side: content.data.side, key: content.data.key };
}

function readJson(cursor: string): unknown {
  try {
    const bytes = Uint8Array.fromBase64(cursor, { alphabet: 'base64url' });
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch {
    return undefined;
  }
}

export interface Page<Row> {
  rows: Row[];
  /** Where the neighbouring pages begin; absent where there is none. */
  next?: Position;
  previous?: Position;
}

/** Rows to read for a page: forwards one more than it shows, which is the one that the next page begins with. */
export function rowsOfPage(limit: number, position: Position | undefined): number {
  return position?.side === 'before' ? limit : limit + 1;
}

/**
 * Makes a page of what a statement found, which was at most `rowsOfPage`, backwards for `before`.
 * A full page that was read backwards names a previous one without having looked: at the very front of a list
 * that may turn out empty. Looking would cost each page a row more.
 * @param started is there anything in front of a page that no cursor asked for (a page number above 1)?
 */
export function toPage<Row>(
  found: Row[],
  limit: number,
  position: Position | undefined,
  keyOf: (row: Row) => (string | number)[],
  started = false,
): Page<Row> {
  const backwards = position?.side === 'before';
  const rows = backwards ? found.toReversed() : found.slice(0, limit);
  const page: Page<Row> = { rows };
  const behind = found[limit];
  if (backwards) page.next = { side: 'from', key: position.key };
  else if (behind !== undefined) page.next = { side: 'from', key: keyOf(behind) };
  const first = rows[0];
  const hasPrevious = backwards ? rows.length === limit : position !== undefined || started;
  if (first !== undefined && hasPrevious) page.previous = { side: 'before', key: keyOf(first) };
  return page;
}
