/**
 * Headers of requests and responses, each described once. Interactive references and generated clients fill in the
 * examples, so each example lets the request succeed.
 */
import type { RequestHeader, ResponseHeader } from '../http/operation.ts';

interface Header {
  description: string;
  schema: object;
}

interface SentHeader extends Header {
  example: string;
}

const text = { type: 'string' };
const number = { type: 'integer', minimum: 0 };

export const REQUEST_HEADERS: Record<RequestHeader | 'X-D1-Bookmark', SentHeader> = {
  'Idempotency-Key': {
    description:
      'Send one with every batch, and the same one when you send the batch again: you get the first response, and nothing is created twice. 1 to 255 visible ASCII characters. Remembered for 72 hours.',
    schema: { type: 'string', minLength: 1, maxLength: 257 },
    example: 'import-2026-11-25-1',
  },
  'If-Match': {
    description:
      'The ETag of the customer as you read it, with or without `W/`. `*` matches any. If the customer has changed since, the response is a 412.',
    schema: text,
    example: '*',
  },
  'If-None-Match': {
    description:
      'The ETag that you have. If the customer has not changed, the response is a 304 without a body.',
    schema: text,
    example: '"one-that-it-never-had"',
  },
  'Cache-Control': {
    description: '`no-cache`: bypass the edge cache.',
    schema: text,
    example: 'no-cache',
  },
  'X-D1-Bookmark': {
    description: 'From an earlier response: this response sees at least what that one saw.',
    schema: text,
    example: 'SHARD_1:00000001-00000000-00000000-00000000000000000000000000000000',
  },
};

/** A header that a response may have. */
export type DocumentedHeader =
  ResponseHeader | 'RateLimit' | 'RateLimit-Policy' | 'WWW-Authenticate' | 'X-D1-Bookmark' | 'X-Request-Id';

export const RESPONSE_HEADERS: Record<DocumentedHeader, Header> = {
  'X-Request-Id': {
    description: 'Identifies this request in our logs and in the audit log.',
    schema: text,
  },
  'RateLimit-Policy': {
    description: 'The limits of the API key on requests and on misses: quota `q` in `w` seconds.',
    schema: text,
  },
  RateLimit: {
    description:
      'What remains of each limit (`r`) for how many seconds (`t`), as far as the responding server knows. With a 401: the limits of an unused API key.',
    schema: text,
  },
  'X-D1-Bookmark': {
    description:
      'The state of the database that this response has seen. Send it back to read your own write.',
    schema: text,
  },
  ETag: {
    description: 'Changes whenever the customer does. For `If-Match` and `If-None-Match`.',
    schema: text,
  },
  'X-Cache': {
    description: 'HIT: from the edge cache. MISS: not cached yet. BYPASS: straight from the database.',
    schema: { type: 'string', enum: ['HIT', 'MISS', 'BYPASS'] },
  },
  Link: {
    description:
      'RFC 8288: the URLs of the `next`, `prev` and `first` pages. Follow them instead of building them. Those of a filtered list name the customers that the filters found. Events have `next`, or `monitor` if there are no more yet: the URL to ask again later. The header stays under 7 KB, if necessary without `first` and `prev`.',
    schema: text,
  },
  'X-Total-Count': { description: 'The number of customers in the whole list.', schema: number },
  Location: { description: 'The URL of the batch or the webhook.', schema: text },
  'Idempotent-Replayed': {
    description: '`true`: this is the response to an earlier request with the same Idempotency-Key.',
    schema: { type: 'string', enum: ['true'] },
  },
  'Retry-After': { description: 'Seconds to wait before the next request.', schema: number },
  'WWW-Authenticate': { description: 'The authentication scheme that the service needs.', schema: text },
};
