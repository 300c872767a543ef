/** What goes wrong, by a closed set of codes: the service's own, and two for when it can not be heard. */
import type { BatchReport, ErrorAnswer, FieldError } from './types.ts';

export type PeereErrorCode =
  | ErrorAnswer['code']
  /** Nothing answered in time, in all tries. Whether a change was made is not known. */
  | 'NO_ANSWER'
  /** Something answered that is not this service. */
  | 'UNREADABLE_ANSWER';

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
  /** HTTP; undefined where nothing answered. */
  readonly status: number | undefined;
  /** Every fault by its field. */
  readonly errors: FieldError[];
  /** Finds the request in the service's logs. */
  readonly requestId: string | undefined;
  /** A page with cause and cure. */
  readonly docs: string | undefined;
  /** Seconds. */
  readonly retryAfter: number | undefined;
  /** Of a batch of which no row was accepted: what was wrong with each. */
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
 * The service's answer, as an error whose message says all that the answer does.
 * @param origin of the service: an answer may link to its pages by path alone
 */
export function toError(status: number, answer: unknown, retryAfter?: number, origin = ''): PeereError {
  if (!isErrorAnswer(answer)) {
    return new PeereError('UNREADABLE_ANSWER', explainStranger(status), { status, retryAfter });
  }
  const faults = answer.errors.map(({ field, message }) => `${field} ${message}`);
  return new PeereError(answer.code, [answer.message, ...faults].join('; '), {
    ...answer,
    docs: answer.docs.startsWith('/') ? origin + answer.docs : answer.docs,
    status,
    retryAfter: answer.retryAfter ?? retryAfter,
  });
}

/** @param status of an answer that is not the service's */
function explainStranger(status: number): string {
  // From 520 on: Cloudflare could not reach the service (its documentation of 5xx errors).
  if ([502, 503, 504].includes(status) || status >= 520) {
    return `A gateway answered with ${status} because it could not reach the service: try again later.`;
  }
  if (status === 407) {
    return 'A proxy answered with 407 because it wants a name and a password: put them into its URL, as in http://name:password@proxy:port.';
  }
  return `What answered (status ${status}) is not the Peere customers API: check the URL, from http:// or https:// to the port.`;
}

function isErrorAnswer(answer: unknown): answer is ErrorAnswer {
  return (
    typeof answer === 'object' &&
    answer !== null &&
    'code' in answer &&
    'errors' in answer &&
    Array.isArray(answer.errors) &&
    'docs' in answer &&
    typeof answer.docs === 'string'
  );
}
