/** The one shape of every answer, and the one place where a failure becomes an answer. */
import type { ErrorResponse } from './envelope.ts';
import { isDatabaseUnavailable } from '../db/errors.ts';
import { newerBookmark } from '../db/session.ts';
import { AppError, ERRORS, unavailable, type FieldError } from '../errors.ts';
import type { HttpContext } from './context.ts';
import { publicUrl } from './public-url.ts';

/** How much of the database's history an answer has seen, and a request wants seen. */
export const BOOKMARK_HEADER = 'X-D1-Bookmark';

/** Faults in one answer: 100 of at most 600 bytes keep an error body under 64 KB, whatever was sent. */
const MAX_ERRORS = 100;

export function respondWithData(
  context: HttpContext,
  status: 200 | 201,
  message: string,
  data: unknown,
): Response {
  return respond(context, status, { statusCode: status, success: true, message, data });
}

/**
 * Every answer of the service is made here, its headers in one step: set one by one, on the request's context or on
 * a finished answer, they cost more than finding a cached customer.
 * @param body undefined: none
 */
export function respond(context: HttpContext, status: number, body?: unknown): Response {
  const headers = context.get('headers') ?? {};
  const deps = context.get('deps');
  const bookmark = newerBookmark(deps?.session.bookmark ?? null, deps?.db.bookmark ?? null);
  if (bookmark !== null) headers[BOOKMARK_HEADER] = bookmark;
  if (body === undefined) return new Response(null, { status, headers });
  headers['Content-Type'] = 'application/json';
  return new Response(JSON.stringify(body), { status, headers });
}

/** Answers any thrown value. Needs nothing that may itself have failed. */
export function respondWithError(context: HttpContext, thrown: unknown): Response {
  const error = toAppError(thrown);
  const { status, message } = ERRORS[error.code];
  Object.assign(context.get('headers') ?? {}, error.headers);
  const retryAfter = error.headers['Retry-After'];
  const body: ErrorResponse = {
    statusCode: status,
    success: false,
    message,
    data: error.data,
    code: error.code,
    docs: publicUrl(context, `/errors#${error.code}`),
    requestId: context.get('requestId'),
    ...(retryAfter === undefined ? {} : { retryAfter: Number(retryAfter) }),
    errors: withinBounds(error.errors),
  };
  return respond(context, status, body);
}

export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  return isDatabaseUnavailable(thrown) ? unavailable(thrown) : new AppError('INTERNAL', { cause: thrown });
}

function withinBounds(errors: FieldError[]): FieldError[] {
  if (errors.length <= MAX_ERRORS) return errors;
  const rest = `${errors.length - MAX_ERRORS + 1} more faults are not listed; mend these first`;
  return [...errors.slice(0, MAX_ERRORS - 1), { field: '…', message: rest }];
}
