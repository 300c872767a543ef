/**
 * Identifiers: a prefix that says of what, and a ULID (48 bits of time, 80 random bits), so that they rise with
 * time and D1 appends instead of inserting in the middle.
 */
import { incrementBase32, ulid } from 'ulid';

type Prefix = 'bat' | 'cus' | 'req';

/** What an id is made from: the time in milliseconds, and a number from 0 up to 1. */
export interface IdSource {
  now: () => number;
  random: () => number;
}

export function createId(prefix: Prefix, source: IdSource): string {
  return `${prefix}_${ulid(source.now(), source.random)}`;
}

/**
 * `count` ids, each the one before plus one: they rise, and the first and the count tell all of them.
 * @param first an id of `createId`
 */
export function idSequence(first: string, count: number): string[] {
  const ids: string[] = [];
  const prefix = first.slice(0, 4);
  let current = first.slice(4);
  while (ids.length < count) {
    ids.push(prefix + current);
    current = incrementBase32(current);
  }
  return ids;
}
