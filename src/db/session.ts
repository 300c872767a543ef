/**
 * Global reads: one request's session with D1. Its reads may be answered by the nearest replica, its writes by the
 * primary; each sees what the one before it saw. A bookmark says how much that is: an answer carries one, and a
 * request that sends it back reads no older state. What must be the primary's own word (keys, cache fills, batches,
 * read-backs of lost writes) does not go through here: without a session D1 asks the primary.
 */
import type { Database } from './client.ts';

/** As D1 writes them: three counters and a hash, hexadecimal. Anything else is ignored. */
const BOOKMARK = /^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{32}$/;

export class ReadSession implements Database {
  readonly #open: () => D1DatabaseSession;
  #session: D1DatabaseSession | undefined;

  /**
   * Opens nothing before it is used: most lookups never ask D1.
   * @param bookmark how old the state that is read may be; absent or not one of D1's: as old as the nearest has it
   */
  constructor(binding: D1Database, bookmark: string | undefined) {
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
