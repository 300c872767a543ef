/** The one shape of every response, and the one place that turns a failure into a response. */
import type { ErrorResponse } from './envelope.ts';
import { isDatabaseUnavailable, TenantNotOpenError } from '../db/errors.ts';
import { AppError, ERRORS, unavailable, type FieldError } from '../errors.ts';
import type { HttpContext } from './context.ts';
import type { Success, SuccessResponses } from './operation.ts';
import { publicUrl } from './public-url.ts';

/** How much of the database's history a response has seen, and how much a request wants to see. */
export const BOOKMARK_HEADER = 'X-D1-Bookmark';

/** Faults in one response: 100 of at most 600 bytes keep an error body under 64 KB, whatever was sent. */
const MAX_ERRORS = 100;

/** Sends what a handler returned, as its operation's responses say. */
export function respondWithSuccess(
  context: HttpContext,
  responses: SuccessResponses,
  { status = 200, data, headers = {} }: Success,
): Response {
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) context.get('headers')[name] = value;
  }
  const message = responses[status]?.message;
  return message === undefined
    ? respond(context, status, data)
    : respondWithData(context, status, message, data);
}

/** A success in the envelope. */
export function respondWithData(
  context: HttpContext,
  status: number,
  message: string,
  data: unknown,
): Response {
  return respond(context, status, { statusCode: status, success: true, message, data });
}

/**
 * Makes every response of the service, its headers in one step: to set them one by one, on the request's context or on
 * a finished response, costs more than to find a cached customer.
 * @param body undefined: none
 */
function respond(context: HttpContext, status: number, body?: unknown): Response {
  const headers = context.get('headers') ?? {};
  const bookmark = context.get('deps')?.databases.bookmark ?? null;
  if (bookmark !== null) headers[BOOKMARK_HEADER] = bookmark;
  if (body === undefined) return new Response(null, { status, headers });
  headers['Content-Type'] = 'application/json';
  return new Response(JSON.stringify(body), { status, headers });
}

/** Turns any thrown value into a response. Needs nothing that may itself have failed. */
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
    errors: limitErrors(error.errors),
  };
  return respond(context, status, body);
}

export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const isAway = isDatabaseUnavailable(thrown) || thrown instanceof TenantNotOpenError;
  return isAway ? unavailable(thrown) : new AppError('INTERNAL', { cause: thrown });
}

function limitErrors(errors: FieldError[]): FieldError[] {
  if (errors.length <= MAX_ERRORS) return errors;
  const rest = `${errors.length - MAX_ERRORS + 1} more faults are not listed; fix these first`;
  return [...errors.slice(0, MAX_ERRORS - 1), { field: '…', message: rest }];
}
