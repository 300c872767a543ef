/** What the reference may say of an operation, and answers that many of them give. */
import * as z from 'zod/mini';
import { envelope } from '../http/envelope.ts';
import type { Operation } from '../http/operation.ts';
import { COMPONENTS, type ComponentName } from './components.ts';
import type { AnswerHeader, RequestHeader } from './headers.ts';

export const TAGS = {
  Customers: 'Who is this? By phrase, id or email; in lists; and what may be changed.',
  Batches: 'Bringing customers, up to 10,000 in a request, and watching what becomes of them.',
  Audit: 'Who changed what.',
  Service: 'Is it there?',
} as const;

export interface Parameter {
  description: string;
  /** With those of the others it makes a request that succeeds on a local server. */
  example: unknown;
  /** Where the schema of the code takes text and makes something else of it: the text. */
  schema?: object;
}

interface Success {
  description: string;
  headers?: AnswerHeader[];
  schema?: z.ZodMiniType;
  example?: unknown;
}

export interface Documented {
  operation: Operation;
  tag: keyof typeof TAGS;
  summary: string;
  description: string;
  query: Record<string, Parameter>;
  headers: RequestHeader[];
  body?: unknown;
  successes: Record<string, Success>;
  /** Headers of a failure, by its status, beside those that any such failure has. */
  failureHeaders?: Record<string, AnswerHeader[]>;
}

export const success = (message: string, data: unknown, statusCode = 200) => ({
  statusCode,
  success: true,
  message,
  data,
});
export const schemaOf = (name: ComponentName) => COMPONENTS[name].schema;
export const exampleOf = (name: ComponentName) => COMPONENTS[name].example;
/** A 200 in the envelope. */
export const one = (name: ComponentName, message: string): Success => ({
  description: message,
  schema: envelope(schemaOf(name)),
  example: success(message, exampleOf(name)),
});
const LISTED = 'List retrieved successfully';
/** A page in the envelope. */
export const page = (name: ComponentName, headers: AnswerHeader[] = []): Success => ({
  description: 'A page, and in `Link` the way to its neighbours.',
  headers: ['Link', ...headers],
  schema: envelope(z.array(schemaOf(name))),
  example: success(LISTED, [exampleOf(name)]),
});

/** Of every success, but for a hit of the cache; and of the failures that may come after the database was asked. */
export const BOOKMARK: AnswerHeader = 'X-D1-Bookmark';
export const bookmarked = (...statuses: number[]): Record<string, AnswerHeader[]> =>
  Object.fromEntries(statuses.map((status) => [status, [BOOKMARK]]));
