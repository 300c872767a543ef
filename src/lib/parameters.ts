/** Rules of query parameters that every list shares. */
import * as z from 'zod/mini';
import { LIMITS } from '../env.ts';
import { cleanText, isSafeText, type Fold } from './text.ts';

export type TextRule = z.core.$ZodCheck<string>;

export const tooLong = (maxCharacters: number | '#') => `must be at most ${maxCharacters} characters long`;
/** A text that is too long is told that and no more: one fault a field keeps answers small. */
export const atMost = (maxCharacters: number) =>
  z.maxLength(maxCharacters, { error: tooLong(maxCharacters), abort: true });

export const UNSAFE =
  'must not contain control characters, text-direction overrides, broken Unicode or more than 30 combining marks in a row';
export const safe = z.refine<string>(isSafeText, { error: UNSAFE, abort: true });

/** Cleans text that has at most so many characters as it is sent, spaces included; longer text stays too long. */
export function cleanedWithin(maxCharacters: number, fold?: Fold) {
  return z.transform((value: unknown) =>
    typeof value === 'string' && value.length > maxCharacters ? value : cleanText(value, maxCharacters, fold),
  );
}

/** A parameter that may be given once. An array is what one given twice arrives as. */
export function once(maxCharacters: number, fold?: Fold, ...rules: TextRule[]) {
  return z.pipe(
    cleanedWithin(maxCharacters, fold),
    z
      .string('must be given once')
      .check(
        z.minLength(1, { error: 'must not be empty', abort: true }),
        atMost(maxCharacters),
        safe,
        ...rules,
      ),
  );
}

/** Of these lists, `name[]=a` and `name[0]=a`, as some HTTP clients write them, are `name=a`. */
export function withoutBrackets(...names: string[]) {
  const bracketed = new RegExp(`^(${names.join('|')})\\[\\d*\\]$`);
  return z.transform((query: Record<string, unknown>) => {
    const plain = new Map<string, unknown[]>();
    for (const [name, value] of Object.entries(query)) {
      const key = bracketed.exec(name)?.[1] ?? name;
      const values = plain.get(key) ?? [];
      values.push(...(Array.isArray(value) ? value : [value]));
      plain.set(key, values);
    }
    return Object.fromEntries(
      [...plain].map(([key, values]) => [key, values.length === 1 ? values[0] : values]),
    );
  });
}

/** A whole number from `least` to `most`. One that is not is told so once, and nothing is judged by it. */
export function wholeNumber(most: number, fault: string, least = 1) {
  return z.pipe(
    z.pipe(z.string(fault).check(z.regex(/^\d{1,16}$/, { error: fault, abort: true })), z.transform(Number)),
    z
      .number()
      .check(z.minimum(least, { error: fault, abort: true }), z.maximum(most, { error: fault, abort: true })),
  );
}

/** Longest id that is looked for. Ours have 30 characters. */
export const MOST_ID = 64;

/** Longest cursor: a name of 200 characters, an id, and 28 bytes of sealing, in base64. */
export const MOST_CURSOR = 2_048;

/** Where a page begins. Clients made of the reference send what they have, be it nothing: the list's beginning. */
const cursor = z.pipe(
  z.transform((value: unknown) => (value === '' ? undefined : value)),
  z.optional(once(MOST_CURSOR)),
);

/** @param most rows of a page */
export function pageParameters(most: number = LIMITS.pageMost) {
  return {
    limit: z._default(wholeNumber(most, `must be a whole number from 1 to ${most}`), LIMITS.pageDefault),
    cursor: z.optional(cursor),
  };
}
