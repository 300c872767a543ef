/**
 * How failures are stored: as letters of closed tables instead of sentences, so that a row takes 100 bytes instead of
 * 800. A letter is never changed or reused, because failures are kept for 30 days: a new sentence gets a new letter.
 */
import {
  COUNTRY_FAULT,
  EMAIL_FAULT,
  GENDER_FAULT,
  PHONE_FAULT,
  REQUIRED,
  SPREADSHEET_FAULT,
  TEXT,
} from '../customers/field-rules.ts';
import { FAILURE_LETTERS } from '../customers/fields.ts';
import type { FailureCode } from '../db/schema.ts';
import type { FieldError } from '../errors.ts';
import { tooLong, UNSAFE } from '../lib/text-rules.ts';
import type { RowFailure } from './batches.responses.ts';

/** Faults of a row as a whole, and faults found by comparing it with its batch and its bank. */
export const NOT_AN_OBJECT = 'must be an object';
export const EXISTS = 'belongs to a customer that this bank already has';
export const NOT_STORABLE = 'could not be stored as it was sent';
export const sameAsRow = (index: number | '#') => `is the same as in row ${index}`;

export const FAILURE_MESSAGES: Record<FailureCode, string> = {
  INVALID_DATA: 'A required field is missing or not readable',
  VALIDATION_ERROR: 'A field is not in the right format',
  DUPLICATE_IN_BATCH: 'An earlier row of this batch is the same customer',
  EXISTING_CUSTOMER: 'Customer with this email already exists',
};

export const CODE_LETTERS = {
  INVALID_DATA: 'I',
  VALIDATION_ERROR: 'V',
  DUPLICATE_IN_BATCH: 'D',
  EXISTING_CUSTOMER: 'E',
} as const satisfies Record<FailureCode, string>;

/** `customer` stands for the row as a whole. */
const FIELD_LETTERS = { customer: 'X', ...FAILURE_LETTERS };

/** `#` stands for a number, which is stored after the letter. */
const FAULT_LETTERS = {
  [REQUIRED]: 'r',
  [TEXT]: 't',
  [UNSAFE]: 'u',
  [tooLong('#')]: 'l',
  [EMAIL_FAULT]: 'e',
  [COUNTRY_FAULT]: 'n',
  [GENDER_FAULT]: 'g',
  [PHONE_FAULT]: 'p',
  [SPREADSHEET_FAULT]: 'c',
  [NOT_AN_OBJECT]: 'o',
  [sameAsRow('#')]: 'd',
  [EXISTS]: 'x',
  [NOT_STORABLE]: 's',
};

/** An encoded fault: the letter of the field, the letter of the sentence, and its number if it has one. */
const FAULT = /([A-Z])([a-z])(\d*)/g;
const NUMBER = /\d+/;

const letters = {
  codes: new Map<string, string>(Object.entries(CODE_LETTERS)),
  fields: new Map<string, string>(Object.entries(FIELD_LETTERS)),
  faults: new Map<string, string>(Object.entries(FAULT_LETTERS)),
};
const words = {
  codes: inverse(letters.codes),
  fields: inverse(letters.fields),
  faults: inverse(letters.faults),
};

function inverse(map: Map<string, string>): Map<string, string> {
  return new Map([...map].map(([key, value]) => [value, key]));
}

/** A failure whose text does not depend on the row. */
export type KnownFailure = Omit<RowFailure, 'index' | 'clientRef'>;

/** The email belongs to a customer of the bank, who existed before or was created while the batch was processed. */
export const EXISTING_FAILURE: KnownFailure = {
  code: 'EXISTING_CUSTOMER',
  message: FAILURE_MESSAGES.EXISTING_CUSTOMER,
  errors: [{ field: 'email', message: EXISTS }],
};

/** The row passed every rule, but a constraint of the database refused it. */
export const REJECTED_FAILURE: KnownFailure = {
  code: 'VALIDATION_ERROR',
  message: FAILURE_MESSAGES.VALIDATION_ERROR,
  errors: [{ field: 'customer', message: NOT_STORABLE }],
};

/** The stored part of a failure, besides the row's index and `clientRef`. */
export interface StoredFailure {
  code: string;
  faults: string;
}

export function encodeFailure({ code, errors }: Pick<RowFailure, 'code' | 'errors'>): StoredFailure {
  const faults = errors.map(encodeFault);
  // A fault without letters is a bug that a test finds. Stored in full, nothing is lost.
  const known = faults.every((fault) => fault !== undefined);
  return { code: CODE_LETTERS[code], faults: known ? faults.join('') : JSON.stringify(errors) };
}

function encodeFault({ field, message }: FieldError): string | undefined {
  const letter = letters.fields.get(field);
  if (letter === undefined) return undefined;
  const fault = letters.faults.get(message);
  if (fault !== undefined) return letter + fault;
  const numbered = letters.faults.get(message.replace(NUMBER, '#'));
  return numbered === undefined ? undefined : `${letter}${numbered}${NUMBER.exec(message)?.[0]}`;
}

export function decodeFailure({
  code,
  faults,
}: StoredFailure): Pick<RowFailure, 'code' | 'message' | 'errors'> {
  const name = words.codes.get(code) as FailureCode;
  return { code: name, message: FAILURE_MESSAGES[name], errors: decodeFaults(faults) };
}

function decodeFaults(faults: string): FieldError[] {
  if (faults.startsWith('[')) return JSON.parse(faults) as FieldError[];
  return [...faults.matchAll(FAULT)].map(([, field = '', fault = '', number = '']) => ({
    field: words.fields.get(field) ?? 'customer',
    message: (words.faults.get(fault) ?? NOT_STORABLE).replace('#', number),
  }));
}
