/**
 * One operation of the API, as data. Its route (router.ts) and its entry in the reference (src/openapi/) are derived
 * from it, and its handler must return one of its responses, or it does not compile.
 */
import * as z from 'zod/mini';
import type { ErrorCode } from '../errors.ts';
import type { Scope } from '../api-keys/scopes.ts';
import type { BodyRules } from './validation.ts';
import type { RateLimitClass } from '../rate-limits/rate-limits.ts';

/** Headers that an operation may read. `Authorization` and `X-D1-Bookmark` are the service's own matter. */
export type RequestHeader = 'Cache-Control' | 'Idempotency-Key' | 'If-Match' | 'If-None-Match';

/** Headers that an operation may send, besides those of every response. */
export type ResponseHeader =
  'ETag' | 'Idempotent-Replayed' | 'Link' | 'Location' | 'Retry-After' | 'X-Cache' | 'X-Total-Count';

export type ResponseHeaders = { readonly [name in ResponseHeader]?: 'always' | 'sometimes' };

export interface SuccessResponse {
  /** The public message of the envelope. Without one the body is the bare data. */
  readonly message?: string;
  /**
   * Without it the response has no body. A function, because only the reference needs the schema: at startup, all of them
   * would take a quarter of an isolate's time.
   */
  readonly data?: () => z.ZodMiniType;
  readonly headers?: ResponseHeaders;
}

/** Statuses of successes. A closed set, so that the compiler checks what a handler returns for each. */
export type SuccessStatus = 200 | 201 | 304;

export type SuccessResponses = { readonly [status in SuccessStatus]?: SuccessResponse };

/**
 * What an operation's reads see.
 * - `session`: at least the state of the `X-D1-Bookmark` that the request carries; a replica may answer.
 * - `primary`: the latest state, so the request's bookmark is not read.
 * - `none`: nothing of the caller's bank. Responses carry no bookmark; those of the other two do.
 */
export type Consistency = 'session' | 'primary' | 'none';

/** What a handler returns, whatever its operation. */
export interface Success {
  status?: SuccessStatus;
  data?: unknown;
  headers?: { [name: string]: string | undefined } | undefined;
}

/** An operation whose requests name phrases or emails, which might be guesses. Unknown ones count as misses. */
export interface Guesses<Query = unknown, Response = Success> {
  /** How many phrases and emails the request names. */
  names(query: Query): number;
  /** How many of them a success reveals as unknown. A 404 reveals all of them, and no other error reveals any. */
  misses(names: number, response: Response): number;
}

export interface Operation {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** As Hono writes it: `/a/:b`. */
  path: `/${string}`;
  /** What a request counts as for its API key. `nothing`: the operation needs no API key. */
  rateLimitClass: RateLimitClass | 'nothing';
  /** Any one of them is enough. */
  scopes: readonly Scope[];
  consistency: Consistency;
  /** Some responses need no D1, so callers whose API key D1 could not check are let in too. */
  servesCached?: boolean;
  guesses?: Guesses;
  /** A path whose parameters do not match names nothing that exists: the answer is the operation's own 404. */
  params?: z.ZodMiniType;
  query?: z.ZodMiniType;
  body?: BodyRules;
  requestHeaders?: readonly RequestHeader[];
  /** By status. */
  responses: SuccessResponses;
  /** Codes that the handler itself throws, besides those of authentication, validation and the platform. */
  errors: readonly ErrorCode[];
  /** Headers of the operation's own errors. */
  errorHeaders?: { readonly [code in ErrorCode]?: readonly ResponseHeader[] };
}

/** An operation with the types of its schemas, responses and headers. */
export interface TypedOperation<
  Params extends z.ZodMiniType,
  Query extends z.ZodMiniType,
  Body extends z.ZodMiniType,
  Responses extends SuccessResponses,
  Header extends RequestHeader,
> extends Operation {
  guesses?: Guesses<z.output<Query>, ResponseOf<Responses>>;
  params?: Params;
  query?: Query;
  body?: BodyRules<Body>;
  requestHeaders?: readonly Header[];
  responses: Responses;
}

/** Keeps an operation's types, for its handler. */
export function operation<
  Params extends z.ZodMiniType = z.ZodMiniType<undefined>,
  Query extends z.ZodMiniType = z.ZodMiniType<undefined>,
  Body extends z.ZodMiniType = z.ZodMiniType<undefined>,
  const Responses extends SuccessResponses = SuccessResponses,
  Header extends RequestHeader = never,
>(
  described: TypedOperation<Params, Query, Body, Responses, Header>,
): TypedOperation<Params, Query, Body, Responses, Header> {
  return described;
}

/** A page of a list, in the envelope. */
export function page<Row extends z.ZodMiniType>(row: () => Row) {
  return { message: 'List retrieved successfully', data: listOf(row), headers: { Link: 'always' } } as const;
}

export function listOf<Row extends z.ZodMiniType>(row: () => Row): () => z.ZodMiniArray<Row> {
  return () => z.array(row());
}

type StatusOf<Status extends SuccessStatus> = Status extends 200 ? { status?: 200 } : { status: Status };

type DataOf<Response> = Response extends { data: () => infer Data extends z.ZodMiniType }
  ? { data: z.output<Data> }
  : { data?: undefined };

type HeadersOf<Response> = Response extends { headers: infer Headers }
  ? {
      headers: { [Name in keyof Headers as Headers[Name] extends 'always' ? Name : never]: string } & {
        [Name in keyof Headers as Headers[Name] extends 'always' ? never : Name]?: string | undefined;
      };
    }
  : { headers?: undefined };

/** What a handler returns: the data and headers of one of its operation's responses. Without a status it is a 200. */
export type ResponseOf<Responses extends SuccessResponses> = {
  [Status in keyof Responses & SuccessStatus]: StatusOf<Status> &
    DataOf<Responses[Status]> &
    HeadersOf<Responses[Status]>;
}[keyof Responses & SuccessStatus];
