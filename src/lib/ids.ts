/**
 * Identifiers: a prefix for the kind, and a ULID (48 bits of time, 80 random bits). They rise with time, so that D1
 * appends rows instead of inserting them in the middle.
 */
import { incrementBase32, ulid } from 'ulid';

type Prefix = 'bat' | 'cus' | 'dlv' | 'png' | 'req' | 'whk';

/** `now` in milliseconds; `random` from 0 up to 1. */
export interface IdSource {
  now: () => number;
  random: () => number;
}

export function createId(prefix: Prefix, source: IdSource): string {
  return `${prefix}_${ulid(source.now(), source.random)}`;
}

/**
 * Returns `count` consecutive ids, so that the first and the count determine all of them.
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
