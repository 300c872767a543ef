/**
 * Sends a request, and repeats it while that can help: after the time that the service asks for, plus a random delay so
 * that clients do not all come back at the same moment.
 */
import { explainConnectionError } from './connection-errors.ts';
import { PeereError, toError } from './errors.ts';

/** The part of `fetch` that the client uses. */
export type Fetch = (
  url: string,
  init: { method: string; headers: Record<string, string>; body?: string; signal: AbortSignal },
) => Promise<{
  ok: boolean;
  status: number;
  headers: ResponseHeaders;
  text: () => Promise<string>;
}>;

export interface ResponseHeaders {
  get: (name: string) => string | null;
}

export interface ClientOptions {
  /** Origin of the service, such as `https://api.example.com`. */
  url: string;
  /** API key of your bank: `peere_live_…` or `peere_test_…`. */
  key: string;
  /** Attempts after the first one; 5 by default. */
  retries?: number;
  /** Milliseconds that one attempt may take; 30,000 by default. */
  timeoutMs?: number;
  /** Replaces the global `fetch`, for example with that of a Worker's service binding. */
  fetch?: Fetch;
  /** Replaces the timer between attempts; for tests. */
  sleep?: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

export interface ClientRequest {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Path and query, or a full URL from a response of the service. */
  path: string;
  query?: object | undefined;
  /** A string is sent as it is: it must be JSON. Anything else is serialised. */
  body?: unknown;
  headers?: Record<string, string | undefined>;
  /** Sending it again does no harm, even if the first attempt took effect. */
  repeatable: boolean;
  signal?: AbortSignal | undefined;
}

export interface ClientResponse<Body> {
  status: number;
  headers: ResponseHeaders;
  body: Body;
}

const RETRIES = 5;
const TIMEOUT_MS = 30_000;
/** Delays between attempts if the service asks for none: 0.2 s, doubled each time, at most 10 s. */
const MIN_DELAY_MS = 200;
const MAX_DELAY_MS = 10_000;
/** The longest `Retry-After` that the client waits for, in seconds: a longer one is for a person to decide. */
export const MAX_RETRY_AFTER_SECONDS = 60;

/** Codes that say that what is to be deleted does not exist. */
const GONE = new Set<string>(['CUSTOMER_NOT_FOUND', 'WEBHOOK_NOT_FOUND']);
/** Codes that say that nothing was done: any request may be sent again. */
const NOT_PROCESSED = new Set<string>(['RATE_LIMITED', 'IDEMPOTENCY_IN_PROGRESS']);
/** Statuses after which the request may or may not have taken effect; 520 to 530 are Cloudflare's own. */
const isTransient = (status: number) =>
  [500, 502, 503, 504].includes(status) || (status >= 520 && status <= 530);

export class Transport {
  readonly #options: ClientOptions;
  readonly #base: URL;
  /** The newest bookmark of all responses: the next request sees at least the database state that they saw. */
  #bookmark = '';

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#base = readBaseUrl(options.url);
    if (!/^[\x21-\x7E]+$/.test(options.key)) {
      throw new TypeError(
        'key must be the API key of your bank: visible characters, without spaces or line breaks',
      );
    }
  }

  /** @throws PeereError */
  async send<Body>(request: ClientRequest): Promise<ClientResponse<Body>> {
    const retries = this.#options.retries ?? RETRIES;
    // An earlier attempt may have taken effect.
    let uncertain = false;
    for (let attempt = 0; ; attempt += 1) {
      const result = await this.#attempt(request);
      if (!(result instanceof PeereError)) return result as ClientResponse<Body>;
      const lost = result.code === 'NO_RESPONSE' || isTransient(result.status ?? 0);
      const mayRepeat =
        NOT_PROCESSED.has(result.code) || result.status === 429 || (lost && request.repeatable);
      const isSoon = (result.retryAfter ?? 0) <= MAX_RETRY_AFTER_SECONDS;
      if (!mayRepeat || !isSoon || attempt >= retries) {
        // It was found missing after an attempt whose response was lost: that attempt removed it, or somebody else did.
        // Either way it is gone.
        if (uncertain && request.method === 'DELETE' && GONE.has(result.code)) {
          return { status: 200, headers: { get: () => null }, body: undefined as Body };
        }
        throw result;
      }
      uncertain ||= lost;
      await this.sleep(delayAfter(result, attempt), request.signal);
    }
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return (this.#options.sleep ?? sleep)(milliseconds, signal);
  }

  async #attempt(request: ClientRequest): Promise<PeereError | ClientResponse<unknown>> {
    request.signal?.throwIfAborted();
    // Outside of the try block: an invalid request is the caller's mistake and must not be sent again.
    const { url, init } = this.#toFetchArguments(request);
    try {
      const response = await this.#fetch(url, init);
      this.#keepNewest(response.headers.get('X-D1-Bookmark'));
      const body = readJson(await response.text());
      const retryAfter = readSeconds(response.headers.get('Retry-After'));
      if (!response.ok) return toError(response.status, body, retryAfter, this.#base.origin);
      if (!isSuccessBody(body)) return toError(response.status, undefined, retryAfter);
      return { status: response.status, headers: response.headers, body };
    } catch (cause) {
      request.signal?.throwIfAborted();
      return new PeereError('NO_RESPONSE', explainConnectionError(cause, this.#base.origin), { cause });
    }
  }

  /**
   * Responses to concurrent requests arrive in any order. Bookmarks of one database, whose name they begin with, sort as
   * text, from old to new. The bank's database changes only when the bank is moved.
   */
  #keepNewest(bookmark: string | null): void {
    if (bookmark === null) return;
    const isOfSame = databaseOf(bookmark) === databaseOf(this.#bookmark);
    if (!isOfSame || bookmark > this.#bookmark) this.#bookmark = bookmark;
  }

  #fetch(url: string, init: Parameters<Fetch>[1]): ReturnType<Fetch> {
    // Called by name, not as a method: browsers and Workers refuse `fetch` with a foreign `this`.
    const own = this.#options.fetch;
    return own === undefined ? fetch(url, init) : own(url, init);
  }

  #toFetchArguments({ method, path, query, body, headers = {}, signal }: ClientRequest): {
    url: string;
    init: Parameters<Fetch>[1];
  } {
    const url = new URL(path, this.#base);
    // The URL of the next page comes from a response. The API key must not be sent to another host.
    if (url.origin !== this.#base.origin) throw new TypeError('a response led to another host');
    for (const [name, value] of Object.entries(query ?? {})) {
      for (const one of Array.isArray(value) ? value : [value]) {
        if (one !== undefined) url.searchParams.append(name, String(one));
      }
    }
    const all: Record<string, string> = {
      Authorization: `Bearer ${this.#options.key}`,
      Accept: 'application/json',
    };
    if (body !== undefined) all['Content-Type'] = 'application/json';
    if (this.#bookmark !== '') all['X-D1-Bookmark'] = this.#bookmark;
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) all[name] = value;
    const timeout = AbortSignal.timeout(this.#options.timeoutMs ?? TIMEOUT_MS);
    const init = {
      method,
      headers: all,
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    };
    return { url: url.href, init };
  }
}

function readBaseUrl(url: string): URL {
  const base = URL.canParse(url) ? new URL(url) : undefined;
  if (base === undefined || !/^https?:$/.test(base.protocol) || base.pathname !== '/') {
    throw new TypeError('url must be the URL of the service without a path, such as https://api.example.com');
  }
  return base;
}

/** Every success of the service is an envelope or a list. */
function isSuccessBody(body: unknown): boolean {
  return Array.isArray(body) || (typeof body === 'object' && body !== null && 'data' in body);
}

function readSeconds(header: string | null): number | undefined {
  const seconds = Number(header ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds : undefined;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Milliseconds: what the service asks for, plus half to all of the client's own delay, at random. */
function delayAfter({ retryAfter }: PeereError, attempt: number): number {
  const requested = (retryAfter ?? 0) * 1_000;
  const own = Math.min(MIN_DELAY_MS * 2 ** attempt, MAX_DELAY_MS);
  return requested + own * (0.5 + Math.random() / 2);
}

function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.reject(signal.reason as Error);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(onTimeout, milliseconds);
    function onTimeout(): void {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }
    function onAbort(): void {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    }
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

const databaseOf = (bookmark: string) => bookmark.slice(0, bookmark.indexOf(':') + 1);
