/** Bounds the contents of a JSON text without parsing it, so that a body that costs too much is never parsed. */

export interface JsonBounds {
  /** All values, nested ones included. Each takes up to 80 bytes when parsed. */
  maxValues: number;
  /** Bounds the elements of the array under this key of the outermost object. */
  list?: { key: string; maxElements: number } | undefined;
}

const utf8 = new TextEncoder();
const byteOf = (character: string) => character.charCodeAt(0);
const [QUOTE, BACKSLASH, OPEN_ARRAY] = [byteOf('"'), byteOf('\\'), byteOf('[')];

/** The meaning of each byte outside of a string; 0: none. */
const MEANING = new Uint8Array(256);
const BEGINS_STRING = 1;
const COMMA = 2;
const OPENS = 3;
const CLOSES = 4;
MEANING[QUOTE] = BEGINS_STRING;
MEANING[byteOf(',')] = COMMA;
for (const character of '[{') MEANING[byteOf(character)] = OPENS;
for (const character of ']}') MEANING[byteOf(character)] = CLOSES;

/**
 * Scans a JSON text until it exceeds a bound. Does not check that it is valid JSON. A key that is written with escapes
 * is not recognised: its elements count as values only.
 * @param bytes UTF-8, where JSON's own bytes are part of no other character
 * @returns the bound that is exceeded, or undefined
 */
export function findExcess(
  bytes: Uint8Array,
  { maxValues, list }: JsonBounds,
): 'values' | 'elements' | undefined {
  const key = utf8.encode(list?.key);
  const maxCommas = list === undefined ? Infinity : list.maxElements - 1;
  let [values, commasOfList, depth] = [1, 0, 0];
  let inList = false;
  /** Start and end of the last string in the outermost object: before an array, this is its key. */
  let [start, end] = [0, 0];
  for (let at = 0; at < bytes.length; at += 1) {
    const meaning = MEANING[bytes[at] ?? 0];
    if (meaning === 0) continue;
    if (meaning === BEGINS_STRING) {
      const closing = endOfString(bytes, at + 1);
      if (depth === 1) [start, end] = [at + 1, closing];
      at = closing;
    } else if (meaning === CLOSES) {
      depth -= 1;
    } else {
      values += 1;
      if (values > maxValues) return 'values';
      if (meaning === OPENS) {
        if (depth === 1) inList = bytes[at] === OPEN_ARRAY && isSame(bytes.subarray(start, end), key);
        depth += 1;
      } else if (inList && depth === 2) {
        commasOfList += 1;
        if (commasOfList > maxCommas) return 'elements';
      }
    }
  }
  return undefined;
}

/** Returns the position of the closing quotation mark. */
function endOfString(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}

function isSame(some: Uint8Array, others: Uint8Array): boolean {
  return some.length === others.length && some.every((byte, index) => byte === others[index]);
}
