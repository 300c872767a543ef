/**
 * Finds the rows of a batch that can become customers, and the faults of the others. Pure: accept.service.ts compares
 * the valid rows with the customers in D1 afterwards.
 */
import type * as z from 'zod/mini';
import { customerRow, type CustomerRow } from '../../customers/customers.requests.ts';
import { BATCH_RULES } from '../../customers/fields.ts';
import { PHONE_FAULT } from '../../customers/field-rules.ts';
import type { FailureCode } from '../../db/schema.ts';
import type { FieldError } from '../../errors.ts';
import { once } from '../../lib/once.ts';
import { isInternational, toE164 } from '../../lib/phone.ts';
import type { RowFailure } from '../batches.responses.ts';
import { FAILURE_MESSAGES, NOT_AN_OBJECT, sameAsRow } from '../failures.ts';

export interface ValidRow {
  /** Position in the request, from 0. */
  index: number;
  row: CustomerRow;
}

function toFailure(
  index: number,
  clientRef: string | null,
  code: FailureCode,
  errors: FieldError[],
): RowFailure {
  return { index, clientRef, code, message: FAILURE_MESSAGES[code], errors };
}

/** Cleans and validates the rows of one batch. Each row ends in exactly one of the two lists, in input order. */
export class RowValidator {
  readonly valid: ValidRow[] = [];
  readonly failures: RowFailure[] = [];
  readonly #seen = { email: new Map<string, number>(), clientRef: new Map<string, number>() };

  /** @param rows the next rows of the batch */
  add(rows: unknown[]): this {
    for (const sent of rows) this.#add(this.valid.length + this.failures.length, sent);
    return this;
  }

  #add(index: number, sent: unknown): void {
    const result = validateRow(index, sent);
    if ('code' in result) {
      this.failures.push(result);
      return;
    }
    const { row } = result;
    const errors = (['email', 'clientRef'] as const).flatMap((field) => {
      const earlier = this.#seen[field].get(row[field]);
      return earlier === undefined ? [] : [{ field, message: sameAsRow(earlier) }];
    });
    if (errors.length > 0) {
      this.failures.push(toFailure(index, row.clientRef, 'DUPLICATE_IN_BATCH', errors));
      return;
    }
    this.#seen.email.set(row.email, index);
    this.#seen.clientRef.set(row.clientRef, index);
    this.valid.push(result);
  }
}

/** Found by validating an empty row, which takes 2 ms: too long for the start of every isolate. */
const requiredFields = once(
  () => new Set(customerRow.safeParse({}).error?.issues.map(({ path }) => path[0])),
);

function validateRow(index: number, sent: unknown): ValidRow | RowFailure {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) {
    return toFailure(index, null, 'INVALID_DATA', [{ field: 'customer', message: NOT_AN_OBJECT }]);
  }
  const plain = readPlainRow(sent);
  if (plain !== null) return { index, row: plain };
  const result = customerRow.safeParse(sent);
  const issues = result.error?.issues ?? [];
  const errors = issues.map(({ path, message }) => ({ field: path.join('.'), message }));
  // Validated even if other fields are faulty, so that one response names all faults of the row.
  const phone = validatePhone(
    result.data ?? { phone: readField(sent, 'phone'), country: readField(sent, 'country') },
  );
  if (phone === null) errors.push({ field: 'phone', message: PHONE_FAULT });

  if (result.success && phone !== null) return { index, row: { ...result.data, phone } };
  const code = issues.some(isMissing) ? 'INVALID_DATA' : 'VALIDATION_ERROR';
  return toFailure(index, readField(sent, 'clientRef') ?? null, code, errors);
}

const PLAIN_READERS = Object.entries(BATCH_RULES).map(([field, { readPlain }]) => ({ field, readPlain }));

/** Reads a row whose fields are all plain and valid, as most are; null for any other row. */
function readPlainRow(sent: object): CustomerRow | null {
  const row: Record<string, string> = {};
  for (const { field, readPlain } of PLAIN_READERS) {
    const value = readPlain(Reflect.get(sent, field));
    if (value === null) return null;
    if (value !== undefined) row[field] = value;
  }
  const phone = validatePhone(row);
  if (phone === null) return null;
  if (phone !== undefined) row['phone'] = phone;
  return row as CustomerRow;
}

/** Returns whether a required field is absent, blank or of the wrong type. */
function isMissing(issue: z.core.$ZodIssue): boolean {
  const missing = issue.code === 'invalid_type' || issue.code === 'too_small';
  return missing && requiredFields().has(issue.path[0]);
}

type Dialled = { [field in 'phone' | 'country']?: string | undefined };

/** @returns E.164; undefined if there is no number, or no valid country to read it with; null if it is not valid */
function validatePhone({ phone, country }: Dialled): string | null | undefined {
  if (phone === undefined || (country === undefined && !isInternational(phone))) return undefined;
  return toE164(phone, country);
}

/** Reads one field of a faulty row; undefined if the field is absent or faulty itself. */
function readField(sent: object, field: 'clientRef' | 'phone' | 'country'): string | undefined {
  return customerRow.shape[field].safeParse(Reflect.get(sent, field)).data;
}
