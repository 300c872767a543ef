/** The one shape of every answer, and the one place where a failure becomes an answer. */
import { HTTPException } from 'hono/http-exception';
import { isDatabaseAway } from '../db/client.ts';
import { AppError, ERRORS, invalid, unavailable, type FieldError } from '../errors.ts';
import type { HttpContext } from './context.ts';

/** Faults in one answer: 100 of at most 600 bytes keep an error body under 64 KB, whatever was sent. */
const MOST_ERRORS = 100;

export function succeed(context: HttpContext, status: 200 | 201, message: string, data: unknown): Response {
  return context.json({ statusCode: status, success: true, message, data }, status);
}

/** Answers any thrown value. Needs nothing that may itself have failed. */
export function fail(context: HttpContext, thrown: unknown): Response {
  const error = toAppError(thrown);
  const { status, message } = ERRORS[error.code];
  for (const [name, value] of Object.entries(error.headers)) context.header(name, value);
  const retryAfter = error.headers['Retry-After'];
  return context.json(
    {
      statusCode: status,
      success: false,
      message,
      data: error.data,
      code: error.code,
      requestId: context.get('requestId'),
      ...(retryAfter === undefined ? {} : { retryAfter: Number(retryAfter) }),
      errors: withinBounds(error.errors),
    },
    status,
  );
}

export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  // Hono's validator throws this, and this alone, for a body that JSON.parse refuses.
  if (thrown instanceof HTTPException && thrown.status === 400) return invalid('body', 'must be valid JSON');
  return isDatabaseAway(thrown) ? unavailable(thrown) : new AppError('INTERNAL', { cause: thrown });
}

function withinBounds(errors: FieldError[]): FieldError[] {
  if (errors.length <= MOST_ERRORS) return errors;
  const rest = `${errors.length - MOST_ERRORS + 1} more faults are not listed; mend these first`;
  return [...errors.slice(0, MOST_ERRORS - 1), { field: '…', message: rest }];
}
