/** A host that the service is deployed on, as its API shows it; every failure is one sentence. */
import type { ErrorAnswer } from '../../packages/client/src/types.ts';

/** What the API key must be allowed. */
export const NEEDED_SCOPES = ['customers:read', 'customers:write', 'customers:erase', 'audit:read'];

/** Milliseconds that a request may take, from far away and on a busy machine. */
export const ANSWER_WITHIN_MS = 30_000;

/** @typeParam Body what the status that is expected brings; of another one, an error */
export interface Reply<Body = unknown> {
  status: number;
  headers: Headers;
  body: Body;
}

/** A success, around its data. */
export interface Envelope<Data> {
  data: Data;
}

interface Ask {
  /** Null: without an API key. */
  key?: string | null;
  headers?: Record<string, string>;
  body?: unknown;
  signal?: AbortSignal;
}

export interface Host {
  /** Such as `https://api.example.com`. */
  url: string;
  key: string;
  /** Ends the check early; what it made is erased all the same. */
  signal: AbortSignal;
  /** Told of each check that passed. */
  passed: (what: string, milliseconds: number) => void;
}

/**
 * @param request method and path, `GET /health`
 * @throws with a sentence where nothing answers; with the signal's own reason where the check was ended
 */
export async function ask<Body = Partial<ErrorAnswer>>(
  { url, key, signal }: Host,
  request: string,
  asked: Ask = {},
): Promise<Reply<Body>> {
  const [method = '', path = ''] = request.split(' ');
  const wanted = asked.key === undefined ? key : asked.key;
  const ended = asked.signal ?? signal;
  try {
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(wanted === null ? {} : { Authorization: `Bearer ${wanted}` }),
        ...(asked.body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...asked.headers,
      },
      ...(asked.body === undefined ? {} : { body: JSON.stringify(asked.body) }),
      // The API key goes to this host and no other.
      redirect: 'error',
      signal: AbortSignal.any([ended, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: readJson(text) as Body };
  } catch (error) {
    ended.throwIfAborted();
    const { name, cause } = error as Error & { cause?: { code?: string; message: string } };
    const [route] = path.split('?');
    throw new Error(
      `Nothing answers ${method} ${url}${route} (${cause?.code ?? cause?.message ?? name}): check --url and the network.`,
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

/** Asks, and holds the answer to a status. @throws with a sentence that names the check */
export async function expectStatus<Body = Partial<ErrorAnswer>>(
  host: Host,
  what: string,
  status: number,
  request: string,
  asked: Ask = {},
): Promise<Reply<Body>> {
  const startedAt = performance.now();
  const reply = await ask<Body>(host, request, asked);
  if (reply.status === 403) {
    throw new Error(
      `The API key lacks a scope: it needs ${NEEDED_SCOPES.join(', ')}. Make one by npm run key.`,
    );
  }
  if (reply.status !== status) {
    const { code = 'no code' } = (reply.body ?? {}) as Partial<ErrorAnswer>;
    const id = reply.headers.get('X-Request-Id') ?? 'none';
    throw new Error(
      `${what}: ${request.split('?')[0]} was answered with ${reply.status} (${code}), not ${status}; request id ${id}.`,
    );
  }
  host.passed(what, performance.now() - startedAt);
  return reply;
}

export function expectThat(what: string, holds: boolean): void {
  if (!holds) throw new Error(`${what}: the answer says something else.`);
}

/** What a change has done is seen by a read that sends its bookmark, from whichever replica. */
export function bookmarkOf({ headers }: Reply): Record<string, string> {
  const bookmark = headers.get('X-D1-Bookmark');
  return bookmark === null ? {} : { 'X-D1-Bookmark': bookmark };
}
