/**
 * Paging by opaque cursors. A cursor names the row at which a page begins by its sort key and id, so that reading on
 * costs the same at any depth. Sort keys are names and emails: a cursor is encrypted with its bank's key, because it
 * travels in URLs and a caller may sort by more than it may see. For the same reason its length reveals nothing. It
 * opens for the bank and list it was made for only, and grants nothing: every statement names the bank itself.
 */
import * as z from 'zod/mini';
import { invalid } from '../errors.ts';
import { importSealingKey, seal, unseal } from '../crypto/aes-gcm.ts';

export interface Position {
  /** `from`: the page begins with this row. `before`: the page ends in front of it. */
  side: 'from' | 'before';
  /** The row's sort key in the list's order, including its id. */
  key: (string | number)[];
}

/** The list that a cursor belongs to. */
export interface List {
  /** What is listed and how it is sorted. */
  name: string;
  /** The bank's cursor key: 256 bits, hexadecimal. */
  key: string;
  /** The longest sort key in UTF-16 units, if a cursor's length must not reveal it. */
  maxKeyCharacters?: number;
}

/** Bytes of a position besides its text: 35 of JSON, and an id of 30. */
const POSITION_BYTES = 72;
/** The most bytes that a UTF-16 unit takes in JSON as UTF-8, in text without control characters. */
const UNIT_BYTES = 3;

const utf8 = new TextEncoder();

/** Pads with spaces, which JSON ignores, so that every cursor of the list is equally long. */
function padded(text: string, { maxKeyCharacters }: List): string {
  if (maxKeyCharacters === undefined) return text;
  const bytes = POSITION_BYTES + UNIT_BYTES * maxKeyCharacters;
  return text + ' '.repeat(Math.max(bytes - utf8.encode(text).length, 0));
}

const cursorContent = z.strictObject({
  side: z.enum(['from', 'before']),
  key: z.array(z.union([z.string(), z.number()])),
});

/** Imported cursor keys that an isolate caches. */
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

/** @throws a 400 for anything that `encodeCursor` did not make for this list */
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

/** Returns the position that a cursor names; undefined for the beginning of the list. */
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
  /** Where the neighbouring pages begin, if there are any. */
  next?: Position;
  previous?: Position;
}

/** Returns how many rows to read: forwards one more than the page shows, with which the next page begins. */
export function rowsToRead(limit: number, position: Position | undefined): number {
  return position?.side === 'before' ? limit : limit + 1;
}

/**
 * Makes a page from the rows of a statement, which are at most `rowsToRead` and in reverse for `before`.
 * A full page that was read backwards names a previous page without looking for it, so that page may turn out empty at
 * the front of a list. Looking would read one row more per page.
 * @param started does anything come before a page without a cursor (a page number above 1)?
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
