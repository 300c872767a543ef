/** Errors, by a closed set of codes: the service's own, and two for when no response of the service arrived. */
import type { BatchReport, ErrorResponse, FieldError } from './types.ts';

export type PeereErrorCode =
  | ErrorResponse['code']
  /** No response arrived in time, in any attempt. Whether a change took effect is unknown. */
  | 'NO_RESPONSE'
  /** The response did not come from this service. */
  | 'UNREADABLE_RESPONSE';

interface Details {
  status?: number | undefined;
  errors?: FieldError[] | undefined;
  requestId?: string | undefined;
  docs?: string | undefined;
  retryAfter?: number | undefined;
  data?: unknown;
  cause?: unknown;
}

export class PeereError extends Error {
  override readonly name = 'PeereError';
  readonly code: PeereErrorCode;
  /** The HTTP status; undefined if no response arrived. */
  readonly status: number | undefined;
  /** Every fault, with the field that it is in. */
  readonly errors: FieldError[];
  /** Identifies the request in the service's logs. */
  readonly requestId: string | undefined;
  /** URL of a page that explains the cause and the fix. */
  readonly docs: string | undefined;
  /** Seconds to wait before the next attempt. */
  readonly retryAfter: number | undefined;
  /** If every row of a batch was refused: what was wrong with each of them. */
  readonly report: BatchReport | undefined;

  constructor(code: PeereErrorCode, message: string, details: Details = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.status = details.status;
    this.errors = details.errors ?? [];
    this.requestId = details.requestId;
    this.docs = details.docs;
    this.retryAfter = details.retryAfter;
    this.report = isReport(details.data) ? details.data : undefined;
  }
}

function isReport(data: unknown): data is BatchReport {
  return typeof data === 'object' && data !== null && 'summary' in data;
}

/**
 * Turns an error response into a `PeereError` whose message includes every fault.
 * @param body of the response, as parsed JSON; undefined if it was not JSON
 * @param retryAfter seconds, from the response's header
 * @param origin of the service: a response may link to its pages by path alone
 */
export function toError(status: number, body: unknown, retryAfter?: number, origin = ''): PeereError {
  if (!isErrorBody(body)) {
    return new PeereError('UNREADABLE_RESPONSE', explainForeignResponse(status), { status, retryAfter });
  }
  const faults = body.errors.map(({ field, message }) => `${field} ${message}`);
  return new PeereError(body.code, [body.message, ...faults].join('; '), {
    ...body,
    docs: body.docs.startsWith('/') ? origin + body.docs : body.docs,
    status,
    retryAfter: body.retryAfter ?? retryAfter,
  });
}

/** @param status of a response that did not come from the service */
function explainForeignResponse(status: number): string {
  // From 520 on: Cloudflare could not reach the service (its documentation of 5xx errors).
  if ([502, 503, 504].includes(status) || status >= 520) {
    return `A gateway returned ${status} because it could not reach the service: try again later.`;
  }
  if (status === 407) {
    return 'A proxy returned 407 because it requires a username and password: put them in its URL, as in http://name:password@proxy:port.';
  }
  return `The server that responded (status ${status}) is not the Peere customers API: check the URL, from http:// or https:// to the port.`;
}

function isErrorBody(body: unknown): body is ErrorResponse {
  return (
    typeof body === 'object' &&
    body !== null &&
    'code' in body &&
    'errors' in body &&
    Array.isArray(body.errors) &&
    'docs' in body &&
    typeof body.docs === 'string'
  );
}
