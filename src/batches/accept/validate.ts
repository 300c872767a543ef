/**
 * Which rows of a batch can become customers, and why the others can't. Pure: what D1 knows (emails that are
 * customers already) is asked and judged afterwards, in batches.service.ts.
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
  /** Position in what was sent, from 0. */
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

/** Cleans and judges every row, in input order. Each row ends in exactly one of the two lists. */
export function validateRows(rows: unknown[]): { valid: ValidRow[]; failures: RowFailure[] } {
  const valid: ValidRow[] = [];
  const failures: RowFailure[] = [];
  const seen = { email: new Map<string, number>(), clientRef: new Map<string, number>() };

  for (const [index, sent] of rows.entries()) {
    const judged = validateRow(index, sent);
    if ('code' in judged) {
      failures.push(judged);
      continue;
    }
    const { row } = judged;
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
    valid.push(judged);
  }
  return { valid, failures };
}

/** What an empty row is found to lack: asked of the schema, so that the two can't differ. */
const REQUIRED_FIELDS = new Set(customerRow.safeParse({}).error?.issues.map(({ path }) => path[0]));

function validateRow(index: number, sent: unknown): ValidRow | RowFailure {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) {
    return toFailure(index, null, 'INVALID_DATA', [{ field: 'customer', message: NOT_AN_OBJECT }]);
  }
  const result = customerRow.safeParse(sent);
  const issues = result.error?.issues ?? [];
  const errors = issues.map(({ path, message }) => ({ field: path.join('.'), message }));
  // Judged beside the rest, so that a row with two faults is told both at once.
  const phone = validatePhone(
    result.data ?? { phone: readField(sent, 'phone'), country: readField(sent, 'country') },
  );
  if (phone === null) errors.push({ field: 'phone', message: PHONE_FAULT });

  if (result.success && phone !== null) return { index, row: { ...result.data, phone } };
  const code = issues.some(isMissing) ? 'INVALID_DATA' : 'VALIDATION_ERROR';
  return toFailure(index, readField(sent, 'clientRef') ?? null, code, errors);
}

/** Absent, blank or of the wrong type, in a field that must be there. */
function isMissing(issue: z.core.$ZodIssue): boolean {
  const missing = issue.code === 'invalid_type' || issue.code === 'too_small';
  return missing && REQUIRED_FIELDS.has(issue.path[0]);
}

/** What a phone number is judged by. */
type Dialled = { [field in 'phone' | 'country']?: string | undefined };

/** @returns E.164; undefined where there is no number, or no telling yet; null for a fault */
function validatePhone({ phone, country }: Dialled): string | null | undefined {
  if (phone === undefined || (country === undefined && !isInternational(phone))) return undefined;
  return toE164(phone, country);
}

/** One field of a row that has faults; undefined where this one is absent or faulty itself. */
function readField(sent: object, field: 'clientRef' | 'phone' | 'country'): string | undefined {
  return customerRow.shape[field].safeParse(Reflect.get(sent, field)).data;
}
