/** How much a JSON text holds, found without parsing it: what a body would cost is known before it is paid. */

export interface JsonBounds {
  /** Values in all, those inside of others included: each takes up to 80 bytes once it is parsed. */
  maxValues: number;
  /** Elements of the array under this key of the outermost object. */
  list?: { key: string; maxElements: number } | undefined;
}

const utf8 = new TextEncoder();
const byteOf = (character: string) => character.charCodeAt(0);
const [QUOTE, BACKSLASH, OPEN_ARRAY] = [byteOf('"'), byteOf('\\'), byteOf('[')];

/** What a byte means outside of a text; 0: nothing. */
const MEANING = new Uint8Array(256);
const BEGINS_TEXT = 1;
const COMMA = 2;
const OPENS = 3;
const CLOSES = 4;
MEANING[QUOTE] = BEGINS_TEXT;
MEANING[byteOf(',')] = COMMA;
for (const character of '[{') MEANING[byteOf(character)] = OPENS;
for (const character of ']}') MEANING[byteOf(character)] = CLOSES;

/**
 * Reads a JSON text up to where it holds too much. Whether it is JSON at all is for the parser to say. A key that is
 * written with escapes is not recognised: its elements count as values only.
 * @param bytes UTF-8, in which no other character has a byte of those that JSON is made of
 * @returns what there is too much of; undefined: nothing
 */
export function findExcess(
  bytes: Uint8Array,
  { maxValues, list }: JsonBounds,
): 'values' | 'elements' | undefined {
  const key = utf8.encode(list?.key);
  const maxCommas = list === undefined ? Infinity : list.maxElements - 1;
  let [values, commasOfList, depth] = [1, 0, 0];
  let inList = false;
  /** Where the newest text of the outermost object begins and ends: before an array, its key. */
  let [start, end] = [0, 0];
  for (let at = 0; at < bytes.length; at += 1) {
    const meaning = MEANING[bytes[at] ?? 0];
    if (meaning === 0) continue;
    if (meaning === BEGINS_TEXT) {
      const closing = endOfText(bytes, at + 1);
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

/** Where the text that begins here has its closing quotation mark. */
function endOfText(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}

function isSame(some: Uint8Array, others: Uint8Array): boolean {
  return some.length === others.length && some.every((byte, index) => byte === others[index]);
}
