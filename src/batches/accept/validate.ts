/**
 * Finds the rows of a batch that can become customers, and the faults of the others. Pure: accept.service.ts compares
 * the valid rows with the customers in D1 afterwards.
 */
import type * as z from 'zod/mini';
import { customerRow, type CustomerRow } from '../../customers/customers.requests.ts';
import { PHONE_FAULT } from '../../customers/field-rules.ts';
import type { FailureCode } from '../../db/schema.ts';
import type { FieldError } from '../../errors.ts';
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

/** Cleans and validates every row, in input order. Each row ends in exactly one of the two lists. */
export function validateRows(rows: unknown[]): { valid: ValidRow[]; failures: RowFailure[] } {
  const valid: ValidRow[] = [];
  const failures: RowFailure[] = [];
  const seen = { email: new Map<string, number>(), clientRef: new Map<string, number>() };

  for (const [index, sent] of rows.entries()) {
    const result = validateRow(index, sent);
    if ('code' in result) {
      failures.push(result);
      continue;
    }
    const { row } = result;
    const errors = (['email', 'clientRef'] as const).flatMap((field) => {
      const earlier = seen[field].get(row[field]);
      return earlier === undefined ? [] : [{ field, message: sameAsRow(earlier) }];
    });
    if (errors.length > 0) {
      failures.push(toFailure(index, row.clientRef, 'DUPLICATE_IN_BATCH', errors));
      continue;
    }
    seen.email.set(row.email, index);
    seen.clientRef.set(row.clientRef, index);
    valid.push(result);
  }
  return { valid, failures };
}

/** Found by validating an empty row. */
const REQUIRED_FIELDS = new Set(customerRow.safeParse({}).error?.issues.map(({ path }) => path[0]));

function validateRow(index: number, sent: unknown): ValidRow | RowFailure {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) {
    return toFailure(index, null, 'INVALID_DATA', [{ field: 'customer', message: NOT_AN_OBJECT }]);
  }
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

/** Returns whether a required field is absent, blank or of the wrong type. */
function isMissing(issue: z.core.$ZodIssue): boolean {
  const missing = issue.code === 'invalid_type' || issue.code === 'too_small';
  return missing && REQUIRED_FIELDS.has(issue.path[0]);
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
