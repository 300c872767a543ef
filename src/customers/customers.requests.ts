/** The shapes of the requests about customers. What a field may hold: fields.ts. */
import * as z from 'zod/mini';
import { LIMITS } from '../limits.ts';
import { EMAIL, MAX_EMAIL_CHARACTERS } from '../lib/email.ts';
import { cleanText } from '../lib/text.ts';
import { MAX_PHRASE_CHARACTERS, normalisePhrase } from '../lib/phrase.ts';
import { maxCharactersRule, safeText } from '../lib/text-rules.ts';
import {
  cleanedWithin,
  MAX_ID_CHARACTERS,
  single,
  pageParameters,
  wholeNumber,
  withoutBrackets,
} from '../http/parameters.ts';
import { EMAIL_FAULT, emailRule, lowerCase, notEmpty, REQUIRED } from './field-rules.ts';
import { BATCH_RULES, MAX_ACCOUNT_NAME_CHARACTERS, UPDATE_RULES } from './fields.ts';

/** One customer of a batch, as the contract has it. Unknown keys are dropped. */
export const customerRow = z.object(BATCH_RULES);
export type CustomerRow = z.output<typeof customerRow>;

export const customerUpdate = z.strictObject(
  {
    id: z.pipe(
      cleanedWithin(MAX_ID_CHARACTERS),
      z.string(REQUIRED).check(notEmpty, maxCharactersRule(MAX_ID_CHARACTERS), safeText),
    ),
    update: z
      .strictObject(UPDATE_RULES, 'must be an object with the fields to change')
      .check(
        z.refine(
          (update) => Object.values(update).some((value) => value !== undefined),
          `must change at least one of ${Object.keys(UPDATE_RULES).join(', ')}`,
        ),
      ),
  },
  'must be an object with id and update',
);
export type CustomerUpdate = z.output<typeof customerUpdate>['update'];

/** An unencoded plus in a URL arrives as a space. Checked before cleaning, which trims one at either end. */
const plusIsEncoded = z.refine<unknown>(
  (sent) =>
    typeof sent !== 'string' ||
    sent.length > MAX_EMAIL_CHARACTERS ||
    !sent.includes(' ') ||
    EMAIL.test(String(cleanText(sent, MAX_EMAIL_CHARACTERS))),
  { error: `${EMAIL_FAULT}; in a URL, + is written as %2B`, abort: true },
);
const emailParameter = z.pipe(
  z.unknown().check(plusIsEncoded),
  single(MAX_EMAIL_CHARACTERS, lowerCase, emailRule),
);

export const customerLookup = z
  .strictObject({
    id: z.optional(single(MAX_ID_CHARACTERS)),
    email: z.optional(emailParameter),
    phrase: z.optional(single(MAX_PHRASE_CHARACTERS)),
  })
  .check(
    z.refine(
      (query) => query.id !== undefined || query.email !== undefined || query.phrase !== undefined,
      'needs at least one of id, email and phrase',
    ),
  );
export type CustomerLookup = z.output<typeof customerLookup>;

export const SORT_FIELDS = ['createdAt', 'id', 'accountName', 'email'] as const;
export type SortField = (typeof SORT_FIELDS)[number];
/** Longest values of sort fields whose length must not show in a cursor, in UTF-16 units. */
export const PRIVATE_SORT_CHARACTERS: { [field in SortField]?: number } = {
  accountName: MAX_ACCOUNT_NAME_CHARACTERS,
  email: MAX_EMAIL_CHARACTERS,
};
const SORTS = SORT_FIELDS.flatMap((field) => [field, `-${field}`]);

/** Reads `a,b`, `a&…=b` and a mix of both as one list without repetitions. */
const listOf = (maxCharacters: number) =>
  z.pipe(
    z.transform((value: unknown) => {
      const texts = (Array.isArray(value) ? value : [value]).flatMap((text) => String(text).split(','));
      // Spaces count towards the length, as in a parameter with one value.
      const trimmed = texts.map((text) => (text.length > maxCharacters ? text : text.trim()));
      return [...new Set(trimmed.filter((text) => text !== ''))];
    }),
    z
      .array(z.string().check(maxCharactersRule(maxCharacters), safeText))
      .check(
        z.minLength(1, 'must name at least one'),
        z.maxLength(LIMITS.filterValues, `must name at most ${LIMITS.filterValues}`),
      ),
  );

const PAGE = `must be a whole number from 1, and page × limit must be at most ${LIMITS.maxNumberedRow}; to read further, follow the cursor in the Link header, which reaches any depth`;

const listParameters = z
  .strictObject({
    ids: z.optional(listOf(MAX_ID_CHARACTERS)),
    phrases: z.optional(listOf(MAX_PHRASE_CHARACTERS)),
    sortBy: z._default(
      z.pipe(
        z.string('must be given once').check(
          z.refine((sort) => SORTS.includes(sort), {
            error: `must be one of ${SORT_FIELDS.join(', ')}, with - before it for descending`,
            abort: true,
          }),
        ),
        z.transform((sort: string) => ({
          field: sort.replace('-', '') as SortField,
          descending: sort.startsWith('-'),
        })),
      ),
      { field: 'createdAt', descending: true },
    ),
    page: z.optional(wholeNumber(LIMITS.maxNumberedRow, PAGE)),
    ...pageParameters(LIMITS.maxCustomerPageRows),
  })
  .check(
    z.refine((query) => query.page === undefined || query.cursor === undefined, {
      error: 'can not be combined with page: a cursor says where its page begins',
      path: ['cursor'],
    }),
    z.refine((query) => (query.page ?? 1) * query.limit <= LIMITS.maxNumberedRow, {
      error: PAGE,
      path: ['page'],
    }),
  );
export const customerList = z.pipe(withoutBrackets('ids', 'phrases'), listParameters);
export type CustomerList = z.output<typeof customerList>;

/** Returns the phrases of a filter as they are stored, without those that can not exist: they match nothing. */
export function possiblePhrases(phrases: string[]): string[] {
  return phrases.map(normalisePhrase).filter((phrase) => phrase !== null);
}
