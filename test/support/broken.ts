/** Bindings that fail, as the real ones do when the platform has trouble. */
import type { Timer } from '../../src/runtime.ts';

/** What D1 throws: its own words, and SQLite's or the network's as the cause. */
export function d1Error(words: string): Error {
  return new Error(`D1_ERROR: ${words}`, { cause: new Error(words) });
}

/** A D1 of which every call throws `error`; `let` decides which SQL gets through. */
export function brokenDatabase(db: D1Database, error: Error, lets: (sql: string) => boolean): D1Database {
  const fail = () => Promise.reject(error);
  const broken = { bind: () => broken, all: fail, run: fail, first: fail, raw: fail };
  return {
    prepare: (sql: string) => (lets(sql) ? db.prepare(sql) : broken),
    batch: fail,
  } as unknown as D1Database;
}

/** What becomes of a call: `after`, it took effect, and its answer was lost. */
export type Fate = 'works' | 'throws before' | 'throws after' | 'stalls' | 'stalls after';

type Transaction = () => Promise<D1Result[]>;

/** A D1 each of whose transactions goes through `around`: which it is, from 1, and the work itself. */
export function watchedDatabase(
  db: D1Database,
  around: (number: number, work: Transaction) => Promise<D1Result[]>,
): D1Database {
  let number = 0;
  return {
    prepare: (sql: string) => db.prepare(sql),
    batch: (statements: D1PreparedStatement[]) => {
      number += 1;
      return around(number, () => db.batch(statements));
    },
  } as unknown as D1Database;
}

/** Deadlines that pass when something hangs, and not before: no test waits for one. */
export class Deadlines {
  readonly #pending = new Set<() => void>();

  readonly timer: Timer = (_, callback) => {
    this.#pending.add(callback);
    return () => void this.#pending.delete(callback);
  };

  get pending(): number {
    return this.#pending.size;
  }

  /** A call without an answer, for which every deadline passes that is set by then. */
  readonly hang = (): Promise<never> => {
    queueMicrotask(() => {
      const due = [...this.#pending];
      this.#pending.clear();
      for (const callback of due) callback();
    });
    return new Promise<never>(() => {});
  };
}

/** A D1 some of whose calls are never made, nor answered. `hangs` is told which call it is, from 1, and its SQL. */
export function hangingDatabase(
  db: D1Database,
  { hang }: Deadlines,
  hangs: (number: number, sql: string) => boolean,
): D1Database {
  let number = 0;
  const raw = new WeakMap<object, { statement: D1PreparedStatement; sql: string }>();
  const call = async <Result>(sql: string, work: () => Promise<Result>): Promise<Result> => {
    number += 1;
    return hangs(number, sql) ? hang() : work();
  };
  const wrap = (statement: D1PreparedStatement, sql: string): D1PreparedStatement => {
    const wrapped = {
      bind: (...values: unknown[]) => wrap(statement.bind(...values), sql),
      all: () => call(sql, () => statement.all()),
    } as unknown as D1PreparedStatement;
    raw.set(wrapped, { statement, sql });
    return wrapped;
  };
  return {
    prepare: (sql: string) => wrap(db.prepare(sql), sql),
    batch: (statements: D1PreparedStatement[]) => {
      const known = statements.flatMap((statement) => raw.get(statement) ?? []);
      const text = known.map(({ sql }) => sql).join('; ');
      return call(text, () => db.batch(known.map(({ statement }) => statement)));
    },
  } as unknown as D1Database;
}

/** A D1 whose transactions fare as told, in turn; when all is told, they work. */
export function unluckyDatabase(db: D1Database, fates: Fate[], { hang } = new Deadlines()): D1Database {
  const lost = () => Promise.reject(d1Error('Network connection lost.'));
  return watchedDatabase(db, async (number, work) => {
    const fate = fates[number - 1] ?? 'works';
    if (fate === 'throws before') return lost();
    if (fate === 'stalls') return hang();
    const result = await work();
    if (fate === 'throws after') return lost();
    return fate === 'stalls after' ? hang() : result;
  });
}

/** Lets a stand-in for D1 have sessions: one that is its own primary, and has no history. */
export function withSessions(db: D1Database): D1Database {
  if ('withSession' in db) return db;
  const { prepare, batch } = db as Pick<D1Database, 'prepare' | 'batch'>;
  const session = { prepare, batch, getBookmark: () => null };
  return Object.assign(db, { withSession: () => session });
}

type Calls = Pick<D1Database, 'prepare' | 'batch'>;

/** What stands behind a statement that goes around: D1 takes no other, of whatever session it is. */
const raw = new WeakMap<object, D1PreparedStatement>();

/** The same statements, each call of which goes through `around`. */
export function aroundCalls(
  db: Calls,
  around: <Result>(work: () => Promise<Result>) => Promise<Result>,
): Calls {
  const wrap = (statement: D1PreparedStatement): D1PreparedStatement => {
    const wrapped = {
      bind: (...values: unknown[]) => wrap(statement.bind(...values)),
      all: () => around(() => statement.all()),
      run: () => around(() => statement.run()),
      first: () => around(() => statement.first()),
      raw: () => around(() => statement.raw()),
    } as unknown as D1PreparedStatement;
    raw.set(wrapped, statement);
    return wrapped;
  };
  return {
    prepare: (sql) => wrap(db.prepare(sql)),
    batch: (statements) =>
      around(() => db.batch(statements.map((statement) => raw.get(statement) ?? statement))),
  };
}

/** A D1 whose sessions answer so many calls, and then throw `error`. API keys are read all the same. */
export function failingSessions(db: D1Database, error: Error, calls: number): D1Database {
  let left = calls;
  return {
    prepare: (sql: string) => db.prepare(sql),
    withSession: (since?: string) => {
      const session = db.withSession(since);
      const failing = aroundCalls(session, async (work) => {
        left -= 1;
        if (left < 0) throw error;
        return work();
      });
      return { ...failing, getBookmark: () => session.getBookmark() };
    },
  } as unknown as D1Database;
}

/** A D1 whose nearest replica lags behind for ever: without a bookmark it has no rows. Writes and the primary work. */
export function laggingDatabase(db: D1Database): D1Database {
  const withoutRows = <Result>(result: Result): Result =>
    Array.isArray(result) ? (result.map(withoutRows) as Result) : { ...result, results: [] };
  return {
    prepare: (sql: string) => db.prepare(sql),
    withSession: (since?: string) => {
      const session = db.withSession(since);
      if (since !== 'first-unconstrained') return session;
      const lagging = aroundCalls(session, async (work) => withoutRows(await work()));
      return { ...lagging, getBookmark: () => session.getBookmark() };
    },
  } as unknown as D1Database;
}
