/** Phone numbers as people write them, to E.164 (`+2348031234567`). */
import {
  isSupportedCountry,
  parsePhoneNumberFromString,
  type CountryCode,
  type MetadataJson,
} from 'libphonenumber-js/core';
import phoneMetadata from './phone-metadata.json' with { type: 'json' };

/** Made by tools/phone-metadata.ts. */
const metadata = phoneMetadata as unknown as MetadataJson;

/**
 * What is not part of a number, and comes along when one is copied from a page, a chat or a spreadsheet: format
 * characters (text direction, byte order, soft hyphens) go, any white space is a space, and a full-width plus a plus.
 * Full-width and Arabic digits stay: the library reads them.
 */
export function cleanPhone(text: string): string {
  return text
    .replace(/\p{Cf}/gu, '')
    .replace(/[\s\x85]+/g, ' ')
    .trim()
    .replace(/^(tel:)?＋/i, '$1+');
}

/** What stands between digits: the library's VALID_PUNCTUATION, less its x, which begins an extension. */
const PUNCTUATION =
  /[\s()[\].\-/~\u2010-\u2015\u2053\u2212\u223C\u30FC\uFF08\uFF09\uFF0D-\uFF0F\uFF3B\uFF3D\uFF5E]/g;
/** E.164 has at most 15 digits; a prefix for dialling abroad (`011`) and one for home (`0`) may be in front. */
const DIALLED = /^\+?\p{Nd}{2,20}$/u;

/**
 * @param text a number in international form (`+234 803 …`), or as it is dialled inside `country`
 * @param country ISO 3166-1 alpha-2; absent: only international form can be read
 * @returns E.164, or null where no such number can exist
 */
export function toE164(text: string, country?: string): string | null {
  // The library would find a number inside any text ('call 0803 123 4567'), and takes its time for odd ones. An
  // extension has no room in E.164: dropping it without a word would lose part of what was sent.
  const dialled = text.replace(/^tel:/i, '').replace(PUNCTUATION, '');
  if (!DIALLED.test(dialled)) return null;
  const home = country as CountryCode | undefined;
  const known = home !== undefined && isSupportedCountry(home, metadata);
  const options = known ? { extract: false, defaultCountry: home } : { extract: false };
  const parsed = parsePhoneNumberFromString(dialled, options, metadata);
  return parsed?.isValid() ? parsed.number : null;
}

/** Does this number carry its own country, so that it can be read without the customer's? */
export function isInternational(text: string): boolean {
  return /^(tel:)?\+/i.test(text);
}
