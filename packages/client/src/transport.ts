/**
 * One request, as often as it takes. What can be tried again is: after the time that the service names, and never all
 * clients at once.
 */
import { explainNoAnswer } from './connection-errors.ts';
import { PeereError, toError } from './errors.ts';

/** As much of `fetch` as is needed here. */
export type Fetch = (
  url: string,
  init: { method: string; headers: Record<string, string>; body?: string; signal: AbortSignal },
) => Promise<{
  ok: boolean;
  status: number;
  headers: AnswerHeaders;
  text: () => Promise<string>;
}>;

export interface AnswerHeaders {
  get: (name: string) => string | null;
}

export interface ClientOptions {
  /** Of the service, such as `https://api.example.com`. */
  url: string;
  /** `peere_live_…` or `peere_test_…`. */
  key: string;
  /** Tries after the first: 5. */
  retries?: number;
  /** Milliseconds that one try may take: 30,000. */
  timeoutMs?: number;
  /** Another way to fetch, such as a Worker's binding to the service has. */
  fetch?: Fetch;
  /** Another way to wait; for tests. */
  sleep?: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

export interface Ask {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Path and query, or a whole address that an answer gave. */
  path: string;
  query?: object | undefined;
  /** Made JSON of, unless it is text, which is JSON already. */
  body?: unknown;
  headers?: Record<string, string | undefined>;
  /** Trying it twice is no more than once, even if the first try took effect. */
  repeatable: boolean;
  signal?: AbortSignal | undefined;
}

export interface Answer<Body> {
  status: number;
  headers: AnswerHeaders;
  body: Body;
}

const RETRIES = 5;
const TIMEOUT_MS = 30_000;
/** Waits between tries, where the service names none: 0.2 s, doubled each time, at most 10 s. */
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 10_000;
/** Seconds that a `Retry-After` may ask for; a server that wants an hour should be heard by a person. */
export const MAX_RETRY_AFTER_SECONDS = 60;

/** What says that nothing was done: safe to try again, whatever it is. */
const NOT_DONE = new Set<string>(['RATE_LIMITED', 'IDEMPOTENCY_IN_PROGRESS']);
/** What a try may have been lost in; from 520 on it is Cloudflare that could not hear the service. */
const isTransient = (status: number) =>
  [500, 502, 503, 504].includes(status) || (status >= 520 && status <= 530);

export class Transport {
  readonly #options: ClientOptions;
  readonly #base: URL;
  /** The newest of all answers: what is asked next sees at least as much of the database as any of them. */
  #bookmark = '';

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#base = readBase(options.url);
    if (!/^[\x21-\x7E]+$/.test(options.key)) {
      throw new TypeError(
        'key must be the API key of your bank: visible characters, without spaces or line breaks',
      );
    }
  }

  /** @throws PeereError */
  async ask<Body>(ask: Ask): Promise<Answer<Body>> {
    const retries = this.#options.retries ?? RETRIES;
    // An earlier try may have taken effect.
    let uncertain = false;
    for (let attempt = 0; ; attempt += 1) {
      const tried = await this.#try(ask);
      if (!(tried instanceof PeereError)) return tried as Answer<Body>;
      const lost = tried.code === 'NO_ANSWER' || isTransient(tried.status ?? 0);
      const worthIt = NOT_DONE.has(tried.code) || tried.status === 429 || (lost && ask.repeatable);
      const soon = (tried.retryAfter ?? 0) <= MAX_RETRY_AFTER_SECONDS;
      if (!worthIt || !soon || attempt >= retries) {
        // What came of an earlier try that was lost can't be told apart from somebody else's doing.
        if (uncertain && ask.method === 'DELETE' && tried.code === 'CUSTOMER_NOT_FOUND') {
          return { status: 200, headers: { get: () => null }, body: undefined as Body };
        }
        throw tried;
      }
      uncertain ||= lost;
      await this.sleep(waitAfter(tried, attempt), ask.signal);
    }
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return (this.#options.sleep ?? sleep)(milliseconds, signal);
  }

  async #try(ask: Ask): Promise<PeereError | Answer<unknown>> {
    ask.signal?.throwIfAborted();
    // What can't be made a request of is the caller's fault, and no try.
    const { url, init } = this.#requestOf(ask);
    try {
      const response = await this.#fetch(url, init);
      this.#remember(response.headers.get('X-D1-Bookmark'));
      const body = readJson(await response.text());
      const retryAfter = readSeconds(response.headers.get('Retry-After'));
      if (!response.ok) return toError(response.status, body, retryAfter, this.#base.origin);
      // Every success is an envelope or a list; anything else comes from somebody else.
      if (!isAnswer(body)) return toError(response.status, undefined, retryAfter);
      return { status: response.status, headers: response.headers, body };
    } catch (cause) {
      ask.signal?.throwIfAborted();
      return new PeereError('NO_ANSWER', explainNoAnswer(cause, this.#base.origin), { cause });
    }
  }

  /** Requests that are in flight together are answered in any order. Bookmarks sort as text, from old to new. */
  #remember(bookmark: string | null): void {
    if (bookmark !== null && bookmark > this.#bookmark) this.#bookmark = bookmark;
  }

  #fetch(url: string, init: Parameters<Fetch>[1]): ReturnType<Fetch> {
    // By name, and not as a method of anything: browsers and Workers refuse that.
    const own = this.#options.fetch;
    return own === undefined ? fetch(url, init) : own(url, init);
  }

  #requestOf({ method, path, query, body, headers = {}, signal }: Ask): {
    url: string;
    init: Parameters<Fetch>[1];
  } {
    const url = new URL(path, this.#base);
    // The next page's address comes from an answer: the key goes nowhere else for it.
    if (url.origin !== this.#base.origin) throw new TypeError('an answer led to another host');
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

function readBase(url: string): URL {
  const base = URL.canParse(url) ? new URL(url) : undefined;
  if (base === undefined || !/^https?:$/.test(base.protocol) || base.pathname !== '/') {
    throw new TypeError(
      'url must be the address of the service without a path, such as https://api.example.com',
    );
  }
  return base;
}

function isAnswer(body: unknown): boolean {
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

/** At least what the service asks for, and by chance up to a wait of our own on top. */
function waitAfter({ retryAfter }: PeereError, attempt: number): number {
  const asked = (retryAfter ?? 0) * 1_000;
  const own = Math.min(FIRST_WAIT_MS * 2 ** attempt, LONGEST_WAIT_MS);
  return asked + own * (0.5 + Math.random() / 2);
}

function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.reject(signal.reason as Error);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, milliseconds);
    function done(): void {
      signal?.removeEventListener('abort', stopped);
      resolve();
    }
    function stopped(): void {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    }
    signal?.addEventListener('abort', stopped, { once: true });
  });
}
