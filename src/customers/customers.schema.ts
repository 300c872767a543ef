/**
 * What a customer may look like: one rule per field, shared by batches and updates, and the shapes of the
 * requests about customers. Rules clean first (trim, NFC), then judge; their words name the mend, never the value.
 */
import * as z from 'zod/mini';
import { GENDERS } from '../db/tables.ts';
import { LIMITS } from '../env.ts';
import { COUNTRIES } from '../lib/countries.ts';
import { isInternational, toE164 } from '../lib/phone.ts';
import { MOST_ID, once, pageParameters, wholeNumber } from '../lib/parameters.ts';
import { normalisePhrase } from '../lib/phrase.ts';
import { cleanText, isBlank, isSafeText } from '../lib/text.ts';

export const REQUIRED = 'is required, as a string that is not blank';
export const TEXT = 'must be a string';
export const UNSAFE =
  'must not contain control characters, line breaks, text-direction overrides or broken Unicode';

const safe = z.refine<string>(isSafeText, UNSAFE);
/** A text that is too long is told that and no more: one fault a field keeps answers small. */
const atMost = (most: number) => z.maxLength(most, { error: tooLong(most), abort: true });
export const tooLong = (most: number | '#') => `must be at most ${most} characters long`;

/** Cleans what may be absent, which is what null and text that shows nothing mean. */
const cleanOptional = z.transform((value: unknown) => {
  const text = cleanText(value);
  return text === null || (typeof text === 'string' && isBlank(text)) ? undefined : text;
});

type TextRule = z.core.$ZodCheck<string>;

/** Cleans what must be there; text that shows nothing becomes "", and so counts as missing. */
const cleanPresent = (fold = (text: string) => text) =>
  z.transform((value: unknown) => {
    const text = cleanText(value);
    if (typeof text !== 'string') return text;
    return isBlank(text) ? '' : fold(text);
  });

const present = z.minLength(1, { error: REQUIRED, abort: true });

/** A string that must be there. `too_small` and `invalid_type` issues of it mean "missing". */
function required(most: number) {
  return z.pipe(cleanPresent(), z.string(REQUIRED).check(present, atMost(most), safe));
}

function optional(most: number, ...rules: TextRule[]) {
  const rule = z.string(TEXT).check(atMost(most), safe, ...rules);
  return z.pipe(cleanOptional, z.optional(rule));
}

/** For updates: absent leaves the field alone, null (or `""`) clears it. */
function clearable(most: number, ...rules: TextRule[]) {
  const cleared = z.transform((value: unknown) => {
    const text = cleanText(value);
    return typeof text === 'string' && isBlank(text) ? null : text;
  });
  const rule = z.string('must be a string, or null to clear it').check(atMost(most), safe, ...rules);
  return z.optional(z.pipe(cleared, z.nullable(rule)));
}

/** Longest values, in UTF-16 units. Emails: RFC 5321 (254); the rest: generous for real names and references. */
const MOST = {
  name: 100,
  accountName: 200,
  email: 254,
  address: 500,
  phone: 40,
  url: 2_048,
  reference: 128,
  phrase: 128,
};

export const EMAIL_FAULT = 'must be an email address, such as ada@example.com';
const emailRule = z.pipe(
  cleanPresent((text) => text.toLowerCase()),
  z.string(REQUIRED).check(present, atMost(MOST.email), z.email(EMAIL_FAULT)),
);

export const COUNTRY_FAULT = 'must be an ISO 3166-1 alpha-2 code, such as NG';
const countryRule = z.pipe(
  cleanPresent((text) => text.toUpperCase()),
  z.string(REQUIRED).check(
    present,
    z.refine<string>((code) => COUNTRIES.has(code), COUNTRY_FAULT),
  ),
);

/** The words of a phone number's fault. Whether one exists depends on the country: lib/phone.ts. */
export const PHONE_FAULT =
  "must be a valid number, international (+234…) or as dialled in the customer's country";

export const GENDER_FAULT = 'must be male, female or other';

/** One customer of a batch, as the contract has it. Unknown keys are dropped. */
export const customerRow = z.object({
  clientRef: required(MOST.reference),
  firstname: required(MOST.name),
  lastname: required(MOST.name),
  middlename: optional(MOST.name),
  accountName: required(MOST.accountName),
  email: emailRule,
  country: countryRule,
  address: optional(MOST.address),
  gender: z.pipe(cleanOptional, z.optional(z.enum(GENDERS, GENDER_FAULT))),
  phone: optional(MOST.phone),
  accountNumber: required(MOST.reference),
  reference: required(MOST.reference),
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
  firstname: z.optional(required(MOST.name)),
  middlename: clearable(MOST.name),
  lastname: z.optional(required(MOST.name)),
  accountName: z.optional(required(MOST.accountName)),
  address: clearable(MOST.address),
  phone: clearable(MOST.phone, possiblePhone),
  displayPicture: clearable(
    MOST.url,
    z.refine(isPublicHttpsUrl, 'must be an https address of a named host, without a user name or password'),
  ),
  state: clearable(MOST.name),
};

const UPDATABLE = Object.keys(updateFields);

export const customerUpdate = z.strictObject(
  {
    id: required(MOST_ID),
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
    email: z.optional(
      z.pipe(
        once(MOST.email),
        z.pipe(
          z.transform((text: string) => text.toLowerCase()),
          z.string().check(z.email(EMAIL_FAULT)),
        ),
      ),
    ),
    phrase: z.optional(once(MOST.phrase)),
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
const SORTS = SORT_FIELDS.flatMap((field) => [field, `-${field}`]);

/** `a,b`, `a&…=b` and a mix of both, as one list without repetitions. */
const listOf = (most: number) =>
  z.pipe(
    z.transform((value: unknown) => {
      const texts = (Array.isArray(value) ? value : [value]).flatMap((text) => String(text).split(','));
      return [...new Set(texts.map((text) => text.trim()).filter((text) => text !== ''))];
    }),
    z
      .array(z.string().check(atMost(most), safe))
      .check(
        z.minLength(1, 'must name at least one'),
        z.maxLength(LIMITS.filterValues, `must name at most ${LIMITS.filterValues}`),
      ),
  );

/** Deepest page: beyond it, page times limit would leave the safe integers. */
const MOST_PAGES = Math.floor(Number.MAX_SAFE_INTEGER / LIMITS.pageMost);

/** `ids[]=a`, as some HTTP clients write lists, is `ids=a`. */
const withoutBrackets = z.transform((query: Record<string, unknown>) => {
  const plain = new Map<string, unknown[]>();
  for (const [name, value] of Object.entries(query)) {
    const key = name === 'ids[]' || name === 'phrases[]' ? name.slice(0, -2) : name;
    plain.set(key, [...(plain.get(key) ?? []), ...(Array.isArray(value) ? value : [value])]);
  }
  return Object.fromEntries(
    [...plain].map(([key, values]) => [key, values.length === 1 ? values[0] : values]),
  );
});

const listParameters = z
  .strictObject({
    ids: z.optional(listOf(MOST_ID)),
    phrases: z.optional(listOf(MOST.phrase)),
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
    page: z.optional(wholeNumber(MOST_PAGES, 'must be a whole number from 1')),
    ...pageParameters(),
  })
  .check(
    z.refine((query) => query.page === undefined || query.cursor === undefined, {
      error: 'can not be combined with page: a cursor says where its page begins',
      path: ['cursor'],
    }),
  );
export const customerList = z.pipe(withoutBrackets, listParameters);
export type CustomerList = z.output<typeof customerList>;

/** Phrases of a filter as they are stored; those that can't exist match nothing and are left out. */
export function possiblePhrases(phrases: string[]): string[] {
  return phrases.map(normalisePhrase).filter((phrase) => phrase !== null);
}
