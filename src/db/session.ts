/**
 * A request's two connections to a shard: the session, whose reads the nearest replica may answer, and the primary. Each has a
 * bookmark of how much of the database's history it has seen. A response carries the newer of the two, and a request
 * that sends it back reads no older state.
 */
import type { Timer } from '../runtime.ts';
import type { Database } from './statements.ts';

/** D1's format: three counters and a hash, hexadecimal. Anything else is ignored. */
const BOOKMARK = /^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{32}$/;

/** The nearest replica may answer reads, the primary answers writes; each sees what the one before it saw. */
export class ReadSession implements Database {
  readonly timer: Timer;
  readonly #open: () => D1DatabaseSession;
  #session: D1DatabaseSession | undefined;

  /**
   * Opens its session on first use: most lookups never ask D1.
   * @param since a bookmark: reads see at least this state. `first-primary`: the primary's. If it is absent or malformed,
   *   the nearest replica's.
   */
  constructor(binding: D1Database, since: string | undefined, timer: Timer) {
    this.timer = timer;
    const isKnown = since !== undefined && (since === 'first-primary' || BOOKMARK.test(since));
    this.#open = () => binding.withSession(isKnown ? since : 'first-unconstrained');
  }

  prepare(query: string): D1PreparedStatement {
    return this.#used().prepare(query);
  }

  batch<Row>(statements: D1PreparedStatement[]): Promise<D1Result<Row>[]> {
    return this.#used().batch<Row>(statements);
  }

  /** What this request has seen; null if it has asked D1 nothing. */
  get bookmark(): string | null {
    return this.#session?.getBookmark() ?? null;
  }

  #used(): D1DatabaseSession {
    this.#session ??= this.#open();
    return this.#session;
  }
}

/**
 * For what only the primary can answer: batches, cache fills, read-backs of lost writes. Each call has a session of its
 * own, because a replica may answer the second call of a session.
 */
export class PrimarySession implements Database {
  readonly timer: Timer;
  readonly #binding: D1Database;
  readonly #calls: D1DatabaseSession[] = [];

  constructor(binding: D1Database, timer: Timer) {
    this.timer = timer;
    this.#binding = binding;
  }

  prepare(query: string): D1PreparedStatement {
    return this.#open().prepare(query);
  }

  batch<Row>(statements: D1PreparedStatement[]): Promise<D1Result<Row>[]> {
    return this.#open().batch<Row>(statements);
  }

  /** The newest that a call returned; null if this request has asked the primary nothing. */
  get bookmark(): string | null {
    return this.#calls.map((call) => call.getBookmark()).reduce(newerBookmark, null);
  }

  #open(): D1DatabaseSession {
    const call = this.#binding.withSession('first-primary');
    this.#calls.push(call);
    return call;
  }
}

/** Bookmarks sort as text, from the oldest to the newest: developers.cloudflare.com/d1/reference/glossary. */
export function newerBookmark(one: string | null, other: string | null): string | null {
  return one === null || (other !== null && other > one) ? other : one;
}
