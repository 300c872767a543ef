/** Rules of query parameters. */
import * as z from 'zod/mini';
import { LIMITS } from '../limits.ts';
import { cleanText, type Fold } from '../lib/text.ts';
import { checksOf, maxCharactersRule, safeText, type TextRule } from '../lib/text-rules.ts';

/** Cleans a text unless it is too long as it was sent, spaces included. Longer texts are left to `maxCharactersRule`. */
export function cleanedWithin(maxCharacters: number, fold?: Fold) {
  return z.transform((value: unknown) =>
    typeof value === 'string' && value.length > maxCharacters ? value : cleanText(value, maxCharacters, fold),
  );
}

/** A parameter that may be given once. One that is given twice arrives as an array. */
export function single(maxCharacters: number, fold?: Fold, ...rules: TextRule[]) {
  return z.pipe(
    cleanedWithin(maxCharacters, fold),
    z
      .string('must be given once')
      .check(
        z.minLength(1, { error: 'must not be empty', abort: true }),
        maxCharactersRule(maxCharacters),
        safeText,
        ...checksOf(rules),
      ),
  );
}

/** Reads `name[]=a` and `name[0]=a`, as some HTTP clients write lists, as `name=a`. */
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

/** A whole number from `min` to `max`. Anything else is one fault, and aborts further rules. */
export function wholeNumber(max: number, fault: string, min = 1) {
  return z.pipe(
    z.pipe(z.string(fault).check(z.regex(/^\d{1,16}$/, { error: fault, abort: true })), z.transform(Number)),
    z
      .number()
      .check(z.minimum(min, { error: fault, abort: true }), z.maximum(max, { error: fault, abort: true })),
  );
}

/** For operations that take none. */
export const noParameters = z.strictObject({});

/** Ids of this service have 30 characters. */
export const MAX_ID_CHARACTERS = 64;

/** An id in a path. */
export const pathId = z.string().check(z.minLength(1), z.maxLength(MAX_ID_CHARACTERS));

/** The longest cursor holds a name of 200 characters, an id and 28 bytes of encryption, in base64. */
export const MAX_CURSOR_CHARACTERS = 2_048;

/** Clients that are generated from the reference send an empty cursor for the first page. */
const cursor = z.pipe(
  z.transform((value: unknown) => (value === '' ? undefined : value)),
  z.optional(single(MAX_CURSOR_CHARACTERS)),
);

export function pageParameters(maxRows: number = LIMITS.maxPageRows) {
  return {
    limit: z._default(
      wholeNumber(maxRows, `must be a whole number from 1 to ${maxRows}`),
      LIMITS.defaultPageRows,
    ),
    cursor: z.optional(cursor),
  };
}
