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
 * @param text a number in international form (`+234 803 …`), or as it is dialled inside `country`
 * @param country ISO 3166-1 alpha-2; absent: only international form can be read
 * @returns E.164, or null where no such number can exist
 */
export function toE164(text: string, country?: string): string | null {
  // Without `extract: false` the library finds a number inside any text: 'call 0803 123 4567'.
  const home = country as CountryCode | undefined;
  const known = home !== undefined && isSupportedCountry(home, metadata);
  const options = known ? { extract: false, defaultCountry: home } : { extract: false };
  const parsed = parsePhoneNumberFromString(text, options, metadata);
  // E.164 has no room for an extension; dropping it without a word would lose part of what was sent.
  return parsed?.isValid() && parsed.ext === undefined ? parsed.number : null;
}

/** Does this number carry its own country, so that it can be read without the customer's? */
export function isInternational(text: string): boolean {
  return text.startsWith('+');
}
