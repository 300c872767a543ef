/** The responses of an operation in the reference, all derived from the operation. */
import * as z from 'zod/mini';
import { ERRORS, type ErrorCode } from '../errors.ts';
import { envelope } from '../http/envelope.ts';
import type { Operation, SuccessResponse, SuccessStatus } from '../http/operation.ts';
import type { Component } from './component.ts';
import { COMPONENTS } from './components.ts';
import type { Documented } from './documented.ts';
import { ERROR_GUIDE } from './error-guide.ts';
import { EXAMPLE_HOST } from './examples.ts';
import type { DocumentedHeader } from './headers.ts';
import { toJsonSchema } from './json-schema.ts';

const EVERY_RESPONSE: DocumentedHeader[] = ['X-Request-Id'];
const WITH_API_KEY: DocumentedHeader[] = ['RateLimit', 'RateLimit-Policy'];

/** Codes whose errors carry `Retry-After`. */
const RETRYABLE: ErrorCode[] = ['RATE_LIMITED', 'UNAVAILABLE', 'IDEMPOTENCY_IN_PROGRESS'];

/** Every error code that an operation can return. */
export function errorCodesOf({ body, errors, rateLimitClass }: Operation): ErrorCode[] {
  const ofBody: ErrorCode[] = body === undefined ? [] : ['PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'];
  const ofApiKey: ErrorCode[] = rateLimitClass === 'nothing' ? [] : ['UNAUTHENTICATED', 'FORBIDDEN'];
  const codes = new Set<ErrorCode>([
    'INVALID_REQUEST',
    ...ofApiKey,
    'URI_TOO_LONG',
    'RATE_LIMITED',
    'INTERNAL',
    'UNAVAILABLE',
    ...ofBody,
    ...errors,
  ]);
  return [...codes];
}

export function responsesOf(documented: Documented): Record<string, object> {
  return { ...successesOf(documented), ...failuresOf(documented.operation) };
}

function successesOf({ operation, responses = {} }: Documented): Record<string, object> {
  const entries = Object.entries(operation.responses) as [`${SuccessStatus}`, SuccessResponse][];
  return Object.fromEntries(
    entries.map(([status, response]) => {
      const { description = response.message, data } = responses[status] ?? {};
      const headers = [
        ...commonHeadersOf(operation),
        ...bookmarkOf(operation.consistency !== 'none'),
        ...(Object.keys(response.headers ?? {}) as DocumentedHeader[]),
      ];
      const content = contentOf(Number(status), response, data);
      return [status, { description, headers: headerRefs(headers), ...content }];
    }),
  );
}

/** @param example of the data; undefined: that of its component */
function contentOf(statusCode: number, { message, data }: SuccessResponse, example?: unknown): object {
  if (data === undefined) return {};
  const dataSchema = data();
  const shown = example ?? exampleOf(dataSchema);
  const body =
    message === undefined
      ? { schema: toJsonSchema(dataSchema), example: shown }
      : {
          schema: toJsonSchema(envelope(dataSchema)),
          example: { statusCode, success: true, message, data: shown },
        };
  return { content: { 'application/json': body } };
}

/** An example of what a schema describes: a component's, or a list of one. */
function exampleOf(schema: z.ZodMiniType): unknown {
  if (schema instanceof z.ZodMiniArray) return [exampleOf(schema.def.element as z.ZodMiniType)];
  const known = Object.values<Component>(COMPONENTS).find((named) => named.schema === schema);
  if (known === undefined)
    throw new Error('A response whose data is no component needs an example of its own');
  return known.example;
}

/** One response for each status: its codes, and an example of each. */
function failuresOf(operation: Operation): Record<string, object> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of errorCodesOf(operation)) {
    const { status } = ERRORS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => {
      const description = codes.map((code) => `\`${code}\`: ${ERROR_GUIDE[code].cause}`).join('\n\n');
      const examples: Record<string, object> = {};
      for (const code of codes) examples[code] = { value: errorExample(code) };
      const schema = { $ref: '#/components/schemas/ErrorResponse' };
      const content = { 'application/json': { schema, examples } };
      return [
        String(status),
        { description, headers: headerRefs(failureHeadersOf(operation, codes)), content },
      ];
    }),
  );
}

function failureHeadersOf(operation: Operation, codes: ErrorCode[]): DocumentedHeader[] {
  return [
    ...commonHeadersOf(operation),
    ...codes.flatMap((code) => operation.errorHeaders?.[code] ?? []),
    ...bookmarkOf(codes.some((code) => mayFollowD1(operation, code))),
    ...(codes.includes('UNAUTHENTICATED') ? (['WWW-Authenticate'] as const) : []),
    ...(codes.some((code) => RETRYABLE.includes(code)) ? (['Retry-After'] as const) : []),
  ];
}

/** May this error come after D1 was asked, so that it carries a bookmark? */
function mayFollowD1({ consistency, errors, guesses, method }: Operation, code: ErrorCode): boolean {
  if (consistency === 'none') return false;
  // The handler's own errors. All of them but this one follow from what D1 returned.
  if (errors.includes(code)) return code !== 'IDEMPOTENCY_IN_PROGRESS';
  if (code === 'RATE_LIMITED') return guesses !== undefined;
  if (ERRORS[code].status < 500) return false;
  // A failed call has no bookmark of its own. A session has the request's, and a change asks D1 more than once.
  return consistency === 'session' || method !== 'GET';
}

function commonHeadersOf({ rateLimitClass }: Operation): DocumentedHeader[] {
  return rateLimitClass === 'nothing' ? EVERY_RESPONSE : [...EVERY_RESPONSE, ...WITH_API_KEY];
}

function bookmarkOf(isCarried: boolean): DocumentedHeader[] {
  return isCarried ? ['X-D1-Bookmark'] : [];
}

function headerRefs(names: DocumentedHeader[]): object {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function errorExample(code: ErrorCode): object {
  const { status, message } = ERRORS[code];
  return {
    ...COMPONENTS.ErrorResponse.example,
    statusCode: status,
    message,
    code,
    docs: `${EXAMPLE_HOST}/errors#${code}`,
    ...(RETRYABLE.includes(code) ? { retryAfter: 5 } : {}),
  };
}
