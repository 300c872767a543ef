/**
 * The rules that a customer's fields are made of. Each cleans first (trims, composes accents), then validates; its
 * error text names the fix, never the value.
 */
import * as z from 'zod/mini';
import { COUNTRIES } from '../lib/countries.ts';
import { EMAIL } from '../lib/email.ts';
import { isInternational, toE164 } from '../lib/phone.ts';
import { isSpreadsheetDamage } from '../lib/spreadsheet.ts';
import { cleanText, foldLines, isBlank, type Fold } from '../lib/text.ts';
import { maxCharactersRule, safeText, type TextRule } from '../lib/text-rules.ts';

export const REQUIRED = 'is required, as a string that is not blank';
export const TEXT = 'must be a string';

export const lowerCase: Fold = (text) => text.toLowerCase();
export const upperCase: Fold = (text) => text.toUpperCase();

/** Cleans text; blank text becomes `blank`. */
function cleaned(maxCharacters: number, fold: Fold, blank: '' | null | undefined) {
  return z.transform((value: unknown) => {
    const text = cleanText(value, maxCharacters, fold);
    return typeof text === 'string' && isBlank(text) ? blank : text;
  });
}

export const notEmpty = z.minLength(1, { error: REQUIRED, abort: true });

/** A string that must be present. Its `too_small` and `invalid_type` issues mean that it is missing. */
export function required(maxCharacters: number, fold: Fold = foldLines, ...rules: TextRule[]) {
  const rule = z.string(REQUIRED).check(notEmpty, maxCharactersRule(maxCharacters), safeText, ...rules);
  return z.pipe(cleaned(maxCharacters, fold, ''), rule);
}

/** A string that may be absent. Null and blank text mean absent too. */
export function optional(maxCharacters: number, fold: Fold = foldLines, ...rules: TextRule[]) {
  const rule = z.string(TEXT).check(maxCharactersRule(maxCharacters), safeText, ...rules);
  const nullIsAbsent = z.transform((value: unknown) => (value === null ? undefined : value));
  return z.pipe(z.pipe(cleaned(maxCharacters, fold, undefined), nullIsAbsent), z.optional(rule));
}

/** For updates: absent leaves the field alone, and it can not be cleared. */
export function replaceable(maxCharacters: number) {
  return z.optional(required(maxCharacters));
}

/** For updates: absent leaves the field alone, null and blank text clear it. */
export function clearable(maxCharacters: number, fold: Fold = foldLines, ...rules: TextRule[]) {
  const rule = z
    .string('must be a string, or null to clear it')
    .check(maxCharactersRule(maxCharacters), safeText, ...rules);
  return z.optional(z.pipe(cleaned(maxCharacters, fold, null), z.nullable(rule)));
}

/** A word of a closed set, in any case; may be absent. */
export function optionalWord<const Words extends readonly string[]>(words: Words, fault: string) {
  return z.pipe(optional(MAX_WORD_CHARACTERS, lowerCase), z.optional(z.enum(words, fault)));
}

/** Longest word of a closed set that is looked at, in UTF-16 units: a longer one is refused for its length. */
export const MAX_WORD_CHARACTERS = 40;

export const EMAIL_FAULT = 'must be an email address, such as ada@example.com';
export const emailRule = z.email({ pattern: EMAIL, error: EMAIL_FAULT });

export const COUNTRY_FAULT = 'must be an ISO 3166-1 alpha-2 code, such as NG';
export const countryRule = z.refine<string>((code) => COUNTRIES.has(code), COUNTRY_FAULT);

export const GENDER_FAULT = 'must be male, female or other';

/** The fault of a phone number. Whether a national number exists depends on the country: lib/phone.ts. */
export const PHONE_FAULT =
  "must be a valid number, international (+234…) or as dialled in the customer's country";
/** A national number can be validated only with the customer's country, so it passes here. */
export const possiblePhone = z.refine<string>(
  (text) => !isInternational(text) || toE164(text) !== null,
  PHONE_FAULT,
);

export const SPREADSHEET_FAULT =
  'looks like a number that a spreadsheet has changed; format its column as text, and export it again';
/** A sealed value is never shown again, so nobody would notice the damage later. */
export const undamaged = z.refine<string>((text) => !isSpreadsheetDamage(text), {
  error: SPREADSHEET_FAULT,
  abort: true,
});

const IP_LITERAL = /^(\[.*\]|[\d.]+)$/;

function isPublicHttpsUrl(text: string): boolean {
  const url = URL.parse(text);
  return (
    url?.protocol === 'https:' && url.username === '' && url.password === '' && !IP_LITERAL.test(url.hostname)
  );
}

/** An https URL of a named host, without credentials. It is stored and shown, never fetched. */
export const publicHttpsUrl = z.refine<string>(
  isPublicHttpsUrl,
  'must be an https address of a named host, without a user name or password',
);
