/**
 * Every way in which a request can fail: a closed set of codes, each with its status and public message.
 * Only the public message is sent. The cause is for the log.
 */

export interface FieldError {
  /** Path of the fault in the request: `update.phone`, `customers`, `limit`. */
  field: string;
  /** What is wrong and how to fix it. Never repeats the value. */
  message: string;
}

export const ERRORS = {
  INVALID_REQUEST: { status: 400, message: 'Invalid customer data' },
  UNAUTHENTICATED: { status: 401, message: 'Authentication required' },
  FORBIDDEN: { status: 403, message: 'Insufficient permissions' },
  CUSTOMER_NOT_FOUND: { status: 404, message: 'Customer not found' },
  PAYEE_NOT_FOUND: { status: 404, message: 'Payee not found' },
  BATCH_NOT_FOUND: { status: 404, message: 'Batch not found' },
  WEBHOOK_NOT_FOUND: { status: 404, message: 'Webhook not found' },
  ROUTE_NOT_FOUND: { status: 404, message: 'There is nothing at this URL' },
  METHOD_NOT_ALLOWED: { status: 405, message: 'This URL does not support this method' },
  CUSTOMER_EXISTS: { status: 409, message: 'Customer with this email already exists' },
  IDEMPOTENCY_IN_PROGRESS: {
    status: 409,
    message: 'A request with this Idempotency-Key is still in progress',
  },
  WEBHOOK_LIMIT_REACHED: { status: 409, message: 'Your bank has as many webhooks as it may' },
  EVENTS_EXPIRED: { status: 410, message: 'Some of these events are not kept any more' },
  PRECONDITION_FAILED: { status: 412, message: 'The customer has changed since you read it' },
  PAYLOAD_TOO_LARGE: { status: 413, message: 'The body is too large' },
  URI_TOO_LONG: { status: 414, message: 'The URL is too long; ask for less at a time' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, message: 'The body must be plain application/json' },
  IDEMPOTENCY_KEY_REUSED: { status: 422, message: 'This Idempotency-Key was used with another body' },
  RATE_LIMITED: { status: 429, message: 'Rate limit exceeded' },
  UNAVAILABLE: { status: 503, message: 'The service is busy; try again shortly' },
  INTERNAL: { status: 500, message: 'Something went wrong on our side' },
} as const satisfies Record<string, { status: number; message: string }>;

export type ErrorCode = keyof typeof ERRORS;

interface Details {
  errors?: FieldError[];
  /** Extra headers of the response, such as `Allow`. */
  headers?: Record<string, string>;
  /** The contract's `data`, for the failures that have some: a batch without an accepted row. */
  data?: unknown;
  /** The private cause. Logged by name only, never sent. */
  cause?: unknown;
}

/** A failure with a code of the closed set. Thrown anywhere, turned into a response in one place (http/responses.ts). */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly errors: FieldError[];
  readonly headers: Record<string, string>;
  readonly data: unknown;

  constructor(code: ErrorCode, details: Details = {}) {
    super(ERRORS[code].message, { cause: details.cause });
    this.code = code;
    this.errors = details.errors ?? [];
    this.headers = details.headers ?? {};
    this.data = details.data ?? null;
  }
}

/** A 400 that names one field. */
export function invalid(field: string, message: string): AppError {
  return new AppError('INVALID_REQUEST', { errors: [{ field, message }] });
}

/** When D1 is unavailable: its restarts and failovers take a few seconds. */
const RETRY_AFTER_SECONDS = 5;

/** A 503. `cause` is only logged. */
export function unavailable(cause: unknown, errors: FieldError[] = []): AppError {
  const headers = { 'Retry-After': String(RETRY_AFTER_SECONDS) };
  return new AppError('UNAVAILABLE', { cause, headers, errors });
}

/** A 429. @param message names the limit, and what to do instead */
export function tooMany(retryAfterSeconds: number, field: string, message: string): AppError {
  return new AppError('RATE_LIMITED', {
    headers: { 'Retry-After': String(retryAfterSeconds) },
    errors: [{ field, message }],
  });
}
