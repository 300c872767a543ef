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
import { checksOf, maxCharactersRule, safeText, textRule, type TextRule } from '../lib/text-rules.ts';

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

/** Printable ASCII without spaces at its ends. Cleaning changes nothing about it but its case. */
const PLAIN = /^[!-~](?:[ -~]*[!-~])?$/;

/** A shortcut for most values of real batches. With all its parts, a schema takes ten times as long. */
interface PlainReader {
  /** @returns what the schema would return, or null if only the schema can tell */
  readPlain: (sent: unknown) => string | undefined | null;
}

function withPlainReader<Schema extends z.ZodMiniType>(
  schema: Schema,
  maxCharacters: number,
  fold: Fold,
  rules: TextRule[],
  absent: undefined | null,
): Schema & PlainReader {
  const readPlain = (sent: unknown) => {
    if (sent === undefined || sent === null) return absent;
    if (typeof sent !== 'string' || sent.length > maxCharacters || !PLAIN.test(sent)) return null;
    const text = fold(sent);
    return rules.every(({ test }) => test(text)) ? text : null;
  };
  return Object.assign(schema, { readPlain });
}

/** A string that must be present. Its `too_small` and `invalid_type` issues mean that it is missing. */
export function required(maxCharacters: number, fold: Fold = foldLines, ...rules: TextRule[]) {
  const rule = z
    .string(REQUIRED)
    .check(notEmpty, maxCharactersRule(maxCharacters), safeText, ...checksOf(rules));
  const schema = z.pipe(cleaned(maxCharacters, fold, ''), rule);
  return withPlainReader(schema, maxCharacters, fold, rules, null);
}

/** A string that may be absent. Null and blank text mean absent too. */
export function optional(maxCharacters: number, fold: Fold = foldLines, ...rules: TextRule[]) {
  const rule = z.string(TEXT).check(maxCharactersRule(maxCharacters), safeText, ...checksOf(rules));
  const nullIsAbsent = z.transform((value: unknown) => (value === null ? undefined : value));
  const schema = z.pipe(z.pipe(cleaned(maxCharacters, fold, undefined), nullIsAbsent), z.optional(rule));
  return withPlainReader(schema, maxCharacters, fold, rules, undefined);
}

/** For updates: absent leaves the field alone, and it can not be cleared. */
export function replaceable(maxCharacters: number) {
  return z.optional(required(maxCharacters));
}

/** For updates: absent leaves the field alone, null and blank text clear it. */
export function clearable(maxCharacters: number, fold: Fold = foldLines, ...rules: TextRule[]) {
  const rule = z
    .string('must be a string, or null to clear it')
    .check(maxCharactersRule(maxCharacters), safeText, ...checksOf(rules));
  return z.optional(z.pipe(cleaned(maxCharacters, fold, null), z.nullable(rule)));
}

/** A word of a closed set, in any case; may be absent. */
export function optionalWord<const Words extends readonly string[]>(words: Words, fault: string) {
  const schema = z.pipe(optional(MAX_WORD_CHARACTERS, lowerCase), z.optional(z.enum(words, fault)));
  const isWord = textRule((text) => words.includes(text), fault);
  return withPlainReader(schema, MAX_WORD_CHARACTERS, lowerCase, [isWord], undefined);
}

/** Longest word of a closed set that is looked at, in UTF-16 units: a longer one is refused for its length. */
export const MAX_WORD_CHARACTERS = 40;

export const EMAIL_FAULT = 'must be an email address, such as ada@example.com';
/** A format of zod's, so that the reference names it. */
export const emailRule: TextRule = {
  check: z.email({ pattern: EMAIL, error: EMAIL_FAULT }),
  test: (text) => EMAIL.test(text),
};

export const COUNTRY_FAULT = 'must be a country code of two letters (ISO 3166-1), such as NG';
export const countryRule = textRule((code) => COUNTRIES.has(code), COUNTRY_FAULT);

export const GENDER_FAULT = 'must be male, female or other';

/** The fault of a phone number. Whether a national number exists depends on the country: lib/phone.ts. */
export const PHONE_FAULT =
  "must be a valid number, international (+234…) or as dialled in the customer's country";
/** A national number can be validated only with the customer's country, so it passes here. */
export const possiblePhone = textRule((text) => !isInternational(text) || toE164(text) !== null, PHONE_FAULT);

export const SPREADSHEET_FAULT =
  'looks like a number that a spreadsheet has changed; format its column as text, and export it again';
/** A sealed value is never shown again, so nobody would notice the damage later. */
export const undamaged = textRule((text) => !isSpreadsheetDamage(text), SPREADSHEET_FAULT);

const IP_LITERAL = /^(\[.*\]|[\d.]+)$/;

function isPublicHttpsUrl(text: string): boolean {
  const url = URL.parse(text);
  return (
    url?.protocol === 'https:' && url.username === '' && url.password === '' && !IP_LITERAL.test(url.hostname)
  );
}

/** An https URL of a named host, without credentials. It is stored and shown, never fetched. */
export const publicHttpsUrl = textRule(
  isPublicHttpsUrl,
  'must be an https address of a named host, without a user name or password',
);
