/**
 * Paging by opaque cursors. A cursor says where a page begins by the sort key and id of the row beside it, so that
 * reading on costs the same at any depth. Sort keys are names and emails: a cursor is encrypted with a key of its
 * bank, because it travels in addresses, and because a caller may sort by more than it may see; for the same reason
 * its length tells nothing of them. It reads back for the bank and the list it was made for, and grants nothing: every
 * statement names the bank itself.
 */
import * as z from 'zod/mini';
import { invalid } from '../errors.ts';
import { importSealingKey, seal, unseal } from '../crypto/aes-gcm.ts';

export interface Position {
  /** `from`: the page begins with this row. `before`: it ends in front of it. */
  side: 'from' | 'before';
  /** The row's sort key in the list's order of sorting, its id included. */
  key: (string | number)[];
}

/** A list that has cursors. */
export interface List {
  /** What of: rooms, batch, order. */
  name: string;
  /** 256 bits, hexadecimal: the bank's own. */
  key: string;
  /** Characters (UTF-16 units) that a sort key has at most, where its length must not show in a cursor's. */
  maxKeyCharacters?: number;
}

/** Bytes of a position besides a sort key that is text: 35 of JSON, and an id of 30. */
const POSITION_BYTES = 72;
/** Bytes that a UTF-16 unit takes at most in JSON as UTF-8, of text without control characters. */
const UNIT_BYTES = 3;

const utf8 = new TextEncoder();

/** Fills up with spaces, which JSON does not mind, so that every cursor of the list is equally long. */
function padded(text: string, { maxKeyCharacters }: List): string {
  if (maxKeyCharacters === undefined) return text;
  const bytes = POSITION_BYTES + UNIT_BYTES * maxKeyCharacters;
  return text + ' '.repeat(Math.max(bytes - utf8.encode(text).length, 0));
}

const cursorContent = z.strictObject({
  side: z.enum(['from', 'before']),
  key: z.array(z.union([z.string(), z.number()])),
});

/** Banks' keys that an isolate remembers in the form that it needs. */
const KEYS_MOST = 1_000;
const secrets = new Map<string, Promise<CryptoKey>>();

function secretOf(key: string): Promise<CryptoKey> {
  const known = secrets.get(key);
  if (known !== undefined) return known;
  if (secrets.size >= KEYS_MOST) secrets.clear();
  const secret = importSealingKey(Uint8Array.fromHex(key));
  secrets.set(key, secret);
  return secret;
}

/** @returns base64url text */
export async function encodeCursor(list: List, position: Position): Promise<string> {
  const text = padded(JSON.stringify(position), list);
  return seal(await secretOf(list.key), list.name, text, (bytes) =>
    bytes.toBase64({ alphabet: 'base64url', omitPadding: true }),
  );
}

/** @throws a 400 for anything that `encodeCursor` did not make for this very list */
export async function decodeCursor(list: List, keyLength: number, cursor: string): Promise<Position> {
  const content = cursorContent.safeParse(await readCursor(list, cursor).catch(() => undefined));
  if (!content.success || content.data.key.length !== keyLength) {
    throw invalid(
      'cursor',
      'must be one that a Link header of this very list gave; leave it out to begin anew',
    );
  }
  return content.data;
}

/** The position that a cursor names; undefined where the list is read from its beginning. */
export async function readPosition(
  list: List,
  keyLength: number,
  cursor: string | undefined,
): Promise<Position | undefined> {
  return cursor === undefined ? undefined : decodeCursor(list, keyLength, cursor);
}

async function readCursor({ name, key }: List, cursor: string): Promise<unknown> {
  const bytes = Uint8Array.fromBase64(cursor, { alphabet: 'base64url' });
  return JSON.parse(await unseal(await secretOf(key), name, bytes));
}

export interface Page<Row> {
  rows: Row[];
  /** Where the neighbouring pages begin; absent where there is none. */
  next?: Position;
  previous?: Position;
}

/** Rows to read for a page: forwards one more than it shows, which is the one that the next page begins with. */
export function rowsToRead(limit: number, position: Position | undefined): number {
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
