/**
 * Which fields are compared, and when two values are the same: if the service would store the file's value as the
 * directory has it. It uses the service's own rules (src/lib), so both sides agree on what a name or a phone number is.
 */
import type { Customer } from '@peere/client';
import { cleanPhone, toE164 } from '../../../../src/lib/phone.ts';
import { cleanText, foldLines, isBlank, keep, type Fold } from '../../../../src/lib/text.ts';
import { hashText } from '../reading/hash.ts';
import type { Customer as FileCustomer } from '../reading/row.ts';

/** UTF-16 units of a value that are normalised: more than the longest field has. */
const MAX_CHARACTERS = 2_048;

const FOLDS = {
  accountName: foldLines,
  gender: (text) => text.toLowerCase(),
  country: (text) => text.toUpperCase(),
  address: foldLines,
  phone: cleanPhone,
  displayPicture: keep,
  state: foldLines,
} satisfies Record<string, Fold>;

/** A field that both a file may have and a read shows. */
export type ComparedField = keyof typeof FOLDS;

export const COMPARED_FIELDS = Object.keys(FOLDS) as ComparedField[];

/**
 * The file's value as the service would store it.
 * @param country of the customer, for a national phone number of a file without countries
 * @returns `''` if there is none
 */
export function stored(field: ComparedField, row: FileCustomer, country = ''): string {
  const sent = row[field];
  if (sent === undefined) return '';
  const text = String(cleanText(sent, MAX_CHARACTERS, FOLDS[field]));
  if (isBlank(text)) return '';
  return field === 'phone' ? (toE164(text, stored('country', row) || country) ?? text) : text;
}

/** @returns `''` if there is none */
export const shown = (field: ComparedField, customer: Customer): string => customer[field] ?? '';

/** The email by which a row is found, in the form of the directory. */
export const emailOf = (row: FileCustomer): string =>
  String(cleanText(row.email ?? '', MAX_CHARACTERS, (text) => text.toLowerCase()));

/** The same for a row and a customer if their email and all of their compared values are the same. */
export const fingerprint = (email: string, values: string[]): number =>
  hashText([email, ...values].join('\0'));
