/** Rules of query parameters that every list shares. */
import * as z from 'zod/mini';
import { LIMITS } from '../env.ts';
import { cleanText, isSafeText } from './text.ts';

/** A parameter that may be given once. An array is what one given twice arrives as. */
export function once(most: number) {
  return z.pipe(
    z.transform(cleanText),
    z
      .string('must be given once')
      .check(
        z.minLength(1, 'must not be empty'),
        z.maxLength(most, `must be at most ${most} characters long`),
        z.refine(isSafeText, 'must not contain control characters'),
      ),
  );
}

/** A whole number from `least` to `most`. */
export function wholeNumber(most: number, fault: string, least = 1) {
  return z.pipe(
    z.pipe(z.string(fault).check(z.regex(/^\d{1,16}$/, fault)), z.transform(Number)),
    z.number().check(z.minimum(least, fault), z.maximum(most, fault)),
  );
}

/** Longest id that is looked for. Ours have 30 characters. */
export const MOST_ID = 64;

/** Longest cursor: a name of 200 characters, an id, and 28 bytes of sealing, in base64. */
const MOST_CURSOR = 2_048;

/** @param most rows of a page */
export function pageParameters(most: number = LIMITS.pageMost) {
  return {
    limit: z._default(wholeNumber(most, `must be a whole number from 1 to ${most}`), LIMITS.pageDefault),
    cursor: z.optional(once(MOST_CURSOR)),
  };
}
