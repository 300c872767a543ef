/**
 * One request's two ways to D1: the session, whose reads the nearest replica may answer, and the primary. Each knows how
 * much of the database's history it has seen, as a bookmark: an answer carries the newer of the two, and a request that
 * sends it back reads no older state.
 */
import type { Timer } from '../runtime.ts';
import type { Database } from './statements.ts';

/** As D1 writes them: three counters and a hash, hexadecimal. Anything else is ignored. */
const BOOKMARK = /^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{32}$/;

/** Reads may be answered by the nearest replica, writes by the primary; each sees what the one before it saw. */
export class ReadSession implements Database {
  readonly timer: Timer;
  readonly #open: () => D1DatabaseSession;
  #session: D1DatabaseSession | undefined;

  /**
   * Opens nothing before it is used: most lookups never ask D1.
   * @param bookmark how old the state that is read may be; absent or not one of D1's: as old as the nearest has it
   */
  constructor(binding: D1Database, bookmark: string | undefined, timer: Timer) {
    this.timer = timer;
    const since = bookmark !== undefined && BOOKMARK.test(bookmark) ? bookmark : 'first-unconstrained';
    this.#open = () => binding.withSession(since);
  }

  prepare(query: string): D1PreparedStatement {
    return this.#used().prepare(query);
  }

  batch<Row>(statements: D1PreparedStatement[]): Promise<D1Result<Row>[]> {
    return this.#used().batch<Row>(statements);
  }

  /** Where this request has got to; null where it asked D1 nothing. */
  get bookmark(): string | null {
    return this.#session?.getBookmark() ?? null;
  }

  #used(): D1DatabaseSession {
    this.#session ??= this.#open();
    return this.#session;
  }
}

/**
 * For what must be the primary's own word: batches, cache fills, read-backs of lost writes. Each call asks it in a
 * session of its own, because the second call of a session may be answered by a replica that has seen no more than the
 * first.
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

  /** The newest that a call has returned; null if this request has asked the primary nothing. */
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
