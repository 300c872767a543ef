/**
 * Headers of requests and of answers, each described once. A reference that can be tried, and a client made of it, fill
 * in the examples: each lets the request succeed that it is sent with.
 */

interface Header {
  description: string;
  schema: object;
}

interface SentHeader extends Header {
  example: string;
}

const text = { type: 'string' };
const number = { type: 'integer', minimum: 0 };

export const REQUEST_HEADERS = {
  'Idempotency-Key': {
    description:
      'Send one with every batch, and the same one when it is sent again: the answer is the first one, and nothing is made twice. 1 to 255 visible ASCII characters. Known for 72 hours.',
    schema: { type: 'string', minLength: 1, maxLength: 257 },
    example: 'import-2026-11-25-1',
  },
  'If-Match': {
    description:
      'The ETag of the customer as you read it, with or without `W/`; `*`: any. If the customer has changed since, the answer is a 412.',
    schema: text,
    example: '*',
  },
  'If-None-Match': {
    description:
      'The ETag that you have. If the customer has not changed, the answer is a 304 without a body.',
    schema: text,
    example: '"one-that-it-never-had"',
  },
  'Cache-Control': {
    description: '`no-cache`: do not answer from the edge.',
    schema: text,
    example: 'no-cache',
  },
  'X-D1-Bookmark': {
    description: 'Of an earlier answer: what that one had seen, this one sees too.',
    schema: text,
    example: '00000001-00000000-00000000-00000000000000000000000000000000',
  },
} as const satisfies Record<string, SentHeader>;
export type RequestHeader = keyof typeof REQUEST_HEADERS;

export const ANSWER_HEADERS = {
  'X-Request-Id': { description: 'Finds this request in our logs and in the audit log.', schema: text },
  'RateLimit-Policy': {
    description: 'How much the key may ask for, and how often it may miss: quota `q` in `w` seconds.',
    schema: text,
  },
  RateLimit: {
    description:
      'How much of it remains (`r`) for how many seconds (`t`), as far as the answering server knows; with a 401, of an API key that has used nothing.',
    schema: text,
  },
  'X-D1-Bookmark': {
    description:
      'How much of the database’s history this answer has seen. Send it back to read your own write.',
    schema: text,
  },
  ETag: {
    description: 'Changes whenever the customer does. For `If-Match` and `If-None-Match`.',
    schema: text,
  },
  'X-Cache': {
    description: 'HIT: from the edge. MISS: not there yet. BYPASS: the database’s own answer.',
    schema: { type: 'string', enum: ['HIT', 'MISS', 'BYPASS'] },
  },
  Link: {
    description:
      'RFC 8288: the addresses of the `next`, `prev` and `first` pages. Follow them, do not make them. Those of a filtered list name the customers that the filters found. The header stays under 7 KB: if need be without `first` and `prev`.',
    schema: text,
  },
  'X-Total-Count': { description: 'How many customers the whole list has.', schema: number },
  Location: { description: 'The address of the batch.', schema: text },
  'Idempotent-Replayed': {
    description: '`true`: this is the answer to an earlier request with the same Idempotency-Key.',
    schema: { type: 'string', enum: ['true'] },
  },
  'Retry-After': { description: 'Seconds after which asking again is worth it.', schema: number },
  'WWW-Authenticate': { description: 'What kind of key is asked for.', schema: text },
} as const satisfies Record<string, Header>;
export type AnswerHeader = keyof typeof ANSWER_HEADERS;
