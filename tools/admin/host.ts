/** Sends requests to a deployed host; every failure is one sentence. */
import type { ErrorResponse } from '@peere/client';

/** Scopes that the API key must have. */
export const REQUIRED_SCOPES = ['customers:read', 'customers:write', 'customers:erase', 'audit:read'];

/** Of a request from far away and on a busy machine. */
export const MAX_RESPONSE_MS = 30_000;

/** @typeParam Body of a response with the expected status; others have an error */
export interface HostResponse<Body = unknown> {
  status: number;
  headers: Headers;
  body: Body;
}

/** The body of a success, around its data. */
export interface Envelope<Data> {
  data: Data;
}

interface RequestOptions {
  /** Null for none; the host's API key by default. */
  key?: string | null;
  headers?: Record<string, string>;
  body?: unknown;
  signal?: AbortSignal;
}

export interface Host {
  /** Such as `https://api.example.com`. */
  url: string;
  key: string;
  /** Ends the check early; the customers that it created are erased all the same. */
  signal: AbortSignal;
  /** Called for each check that passed. */
  passed: (what: string, milliseconds: number) => void;
}

/**
 * @param request method and path, `GET /health`
 * @throws with a sentence if there is no response; with the signal's reason if the check was ended
 */
export async function send<Body = Partial<ErrorResponse>>(
  { url, key, signal }: Host,
  request: string,
  options: RequestOptions = {},
): Promise<HostResponse<Body>> {
  const [method = '', path = ''] = request.split(' ');
  const apiKey = options.key === undefined ? key : options.key;
  const stop = options.signal ?? signal;
  try {
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(apiKey === null ? {} : { Authorization: `Bearer ${apiKey}` }),
        ...(options.body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...options.headers,
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      // A redirect could send the API key to another host.
      redirect: 'error',
      signal: AbortSignal.any([stop, AbortSignal.timeout(MAX_RESPONSE_MS)]),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: readJson(text) as Body };
  } catch (error) {
    stop.throwIfAborted();
    const { name, cause } = error as Error & { cause?: { code?: string; message: string } };
    const [route] = path.split('?');
    throw new Error(
      `No response to ${method} ${url}${route} (${cause?.code ?? cause?.message ?? name}): check --url and the network.`,
      { cause: error },
    );
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Sends a request and checks the status. @throws with a sentence that names the check */
export async function expectStatus<Body = Partial<ErrorResponse>>(
  host: Host,
  what: string,
  status: number,
  request: string,
  options: RequestOptions = {},
): Promise<HostResponse<Body>> {
  const startedAt = performance.now();
  const response = await send<Body>(host, request, options);
  if (response.status === 403) {
    throw new Error(
      `The API key lacks a scope: it needs ${REQUIRED_SCOPES.join(', ')}. Create one with npm run key.`,
    );
  }
  if (response.status !== status) {
    const { code = 'no code' } = (response.body ?? {}) as Partial<ErrorResponse>;
    const id = response.headers.get('X-Request-Id') ?? 'none';
    throw new Error(
      `${what}: ${request.split('?')[0]} returned ${response.status} (${code}), not ${status}; request id ${id}.`,
    );
  }
  host.passed(what, performance.now() - startedAt);
  return response;
}

export function expectThat(what: string, holds: boolean): void {
  if (!holds) throw new Error(`${what}: the response has other values.`);
}

/** @returns a header with which a later read sees this change, on any replica */
export function bookmarkOf({ headers }: HostResponse): Record<string, string> {
  const bookmark = headers.get('X-D1-Bookmark');
  return bookmark === null ? {} : { 'X-D1-Bookmark': bookmark };
}
