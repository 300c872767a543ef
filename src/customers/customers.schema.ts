/**
 * What a customer may look like: one rule per field, shared by batches and updates, and the shapes of the
 * requests about customers. Rules clean first (trim, NFC), then judge; their words name the mend, never the value.
 */
import * as z from 'zod/mini';
import { GENDERS } from '../db/tables.ts';
import { LIMITS } from '../env.ts';
import { COUNTRIES } from '../lib/countries.ts';
import { EMAIL, MAX_EMAIL_CHARACTERS } from '../lib/email.ts';
import { cleanPhone, isInternational, toE164 } from '../lib/phone.ts';
import {
  atMost,
  cleanedWithin,
  MOST_ID,
  once,
  pageParameters,
  safe,
  wholeNumber,
  withoutBrackets,
  type TextRule,
} from '../lib/parameters.ts';
import { MAX_PHRASE_CHARACTERS, normalisePhrase } from '../lib/phrase.ts';
import { isSpreadsheetDamage } from '../lib/spreadsheet.ts';
import { asItIs, cleanText, foldLines, isBlank, type Fold } from '../lib/text.ts';

export const REQUIRED = 'is required, as a string that is not blank';
export const TEXT = 'must be a string';

const lowerCase: Fold = (text) => text.toLowerCase();
const upperCase: Fold = (text) => text.toUpperCase();

/** Cleans text; text that shows nothing becomes `blank`. */
function cleaned(maxCharacters: number, fold: Fold, blank: '' | null | undefined) {
  return z.transform((value: unknown) => {
    const text = cleanText(value, maxCharacters, fold);
    return typeof text === 'string' && isBlank(text) ? blank : text;
  });
}

const present = z.minLength(1, { error: REQUIRED, abort: true });

/** A string that must be there. `too_small` and `invalid_type` issues of it mean "missing". */
function required(maxCharacters: number, fold: Fold = foldLines, ...rules: TextRule[]) {
  const rule = z.string(REQUIRED).check(present, atMost(maxCharacters), safe, ...rules);
  return z.pipe(cleaned(maxCharacters, fold, ''), rule);
}

/** What may be absent, which is also what null and text that shows nothing mean. */
function optional(maxCharacters: number, fold: Fold = foldLines, ...rules: TextRule[]) {
  const rule = z.string(TEXT).check(atMost(maxCharacters), safe, ...rules);
  const nullIsAbsent = z.transform((value: unknown) => (value === null ? undefined : value));
  return z.pipe(z.pipe(cleaned(maxCharacters, fold, undefined), nullIsAbsent), z.optional(rule));
}

/** For updates: absent leaves the field alone, null (or `""`) clears it. */
function clearable(maxCharacters: number, fold: Fold = foldLines, ...rules: TextRule[]) {
  const rule = z.string('must be a string, or null to clear it').check(atMost(maxCharacters), safe, ...rules);
  return z.optional(z.pipe(cleaned(maxCharacters, fold, null), z.nullable(rule)));
}

/** Longest values, in UTF-16 units. Generous for real names and references, and for words of a closed set. */
const MAX = {
  name: 100,
  accountName: 200,
  address: 500,
  phone: 40,
  url: 2_048,
  reference: 128,
  word: 40,
};

export const EMAIL_FAULT = 'must be an email address, such as ada@example.com';
const emailRule = z.email({ pattern: EMAIL, error: EMAIL_FAULT });

/** A plus that was not encoded arrives as a space. It is looked for before cleaning, which trims one at either end. */
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
  once(MAX_EMAIL_CHARACTERS, lowerCase, emailRule),
);

export const COUNTRY_FAULT = 'must be an ISO 3166-1 alpha-2 code, such as NG';
const countryRule = z.refine<string>((code) => COUNTRIES.has(code), COUNTRY_FAULT);

export const GENDER_FAULT = 'must be male, female or other';
const gender = z.pipe(optional(MAX.word, lowerCase), z.optional(z.enum(GENDERS, GENDER_FAULT)));

/** The words of a phone number's fault. Whether one exists depends on the country: lib/phone.ts. */
export const PHONE_FAULT =
  "must be a valid number, international (+234…) or as dialled in the customer's country";

export const SPREADSHEET_FAULT =
  'looks like a number that a spreadsheet has changed; format its column as text, and export it again';
/** Nobody ever sees it again once it is sealed, so nobody could find out. */
const undamaged = z.refine<string>((text) => !isSpreadsheetDamage(text), {
  error: SPREADSHEET_FAULT,
  abort: true,
});

const reference = required(MAX.reference, foldLines, undamaged);

/** One customer of a batch, as the contract has it. Unknown keys are dropped. */
export const customerRow = z.object({
  clientRef: reference,
  firstname: required(MAX.name),
  lastname: required(MAX.name),
  middlename: optional(MAX.name),
  accountName: required(MAX.accountName),
  email: required(MAX_EMAIL_CHARACTERS, lowerCase, emailRule),
  country: required(MAX.word, upperCase, countryRule),
  address: optional(MAX.address),
  gender,
  phone: optional(MAX.phone, cleanPhone, undamaged),
  accountNumber: reference,
  reference,
});
export type CustomerRow = z.output<typeof customerRow>;

const IP_LITERAL = /^(\[.*\]|[\d.]+)$/;

/** An https address of a named host, without credentials. It is stored and shown, never fetched. */
function isPublicHttpsUrl(text: string): boolean {
  const url = URL.parse(text);
  return (
    url?.protocol === 'https:' && url.username === '' && url.password === '' && !IP_LITERAL.test(url.hostname)
  );
}

/** A number as dialled at home can be judged only with its customer's country, and so later. */
const possiblePhone = z.refine<string>(
  (text) => !isInternational(text) || toE164(text) !== null,
  PHONE_FAULT,
);

const updateFields = {
  firstname: z.optional(required(MAX.name)),
  middlename: clearable(MAX.name),
  lastname: z.optional(required(MAX.name)),
  accountName: z.optional(required(MAX.accountName)),
  address: clearable(MAX.address),
  phone: clearable(MAX.phone, cleanPhone, undamaged, possiblePhone),
  displayPicture: clearable(
    MAX.url,
    asItIs,
    z.refine(isPublicHttpsUrl, 'must be an https address of a named host, without a user name or password'),
  ),
  state: clearable(MAX.name),
};

const UPDATABLE = Object.keys(updateFields);

export const customerUpdate = z.strictObject(
  {
    id: z.pipe(cleanedWithin(MOST_ID), z.string(REQUIRED).check(present, atMost(MOST_ID), safe)),
    update: z
      .strictObject(updateFields, 'must be an object with the fields to change')
      .check(
        z.refine(
          (update) => Object.values(update).some((value) => value !== undefined),
          `must change at least one of ${UPDATABLE.join(', ')}`,
        ),
      ),
  },
  'must be an object with id and update',
);
export type CustomerUpdate = z.output<typeof customerUpdate>['update'];

export const customerLookup = z
  .strictObject({
    id: z.optional(once(MOST_ID)),
    email: z.optional(emailParameter),
    phrase: z.optional(once(MAX_PHRASE_CHARACTERS)),
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
/** Those that not every reader may see, and how long they can be: their length must not show either. */
export const PRIVATE_SORT_CHARACTERS: { [field in SortField]?: number } = {
  accountName: MAX.accountName,
  email: MAX_EMAIL_CHARACTERS,
};
const SORTS = SORT_FIELDS.flatMap((field) => [field, `-${field}`]);

/** `a,b`, `a&…=b` and a mix of both, as one list without repetitions. */
const listOf = (most: number) =>
  z.pipe(
    z.transform((value: unknown) => {
      const texts = (Array.isArray(value) ? value : [value]).flatMap((text) => String(text).split(','));
      // As for a parameter of one value, spaces count.
      const trimmed = texts.map((text) => (text.length > most ? text : text.trim()));
      return [...new Set(trimmed.filter((text) => text !== ''))];
    }),
    z
      .array(z.string().check(atMost(most), safe))
      .check(
        z.minLength(1, 'must name at least one'),
        z.maxLength(LIMITS.filterValues, `must name at most ${LIMITS.filterValues}`),
      ),
  );

const PAGE = `must be a whole number from 1, and page × limit must be at most ${LIMITS.maxNumberedRow}; to read further, follow the cursor in the Link header, which reaches any depth`;

const listParameters = z
  .strictObject({
    ids: z.optional(listOf(MOST_ID)),
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
    ...pageParameters(),
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

/** Phrases of a filter as they are stored; those that can't exist match nothing and are left out. */
export function possiblePhrases(phrases: string[]): string[] {
  return phrases.map(normalisePhrase).filter((phrase) => phrase !== null);
}
