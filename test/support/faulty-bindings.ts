/** Bindings that fail as the real ones do when the platform has trouble. */
import type { Env } from '../../src/env.ts';
import type { Timer } from '../../src/runtime.ts';

/** Returns an error as D1 throws it: the message has a prefix, and the cause is SQLite's or the network's error. */
export function d1Error(message: string): Error {
  return new Error(`D1_ERROR: ${message}`, { cause: new Error(message) });
}

/** The error of a D1 that can't be reached. */
export const connectionLost = () => d1Error('Network connection lost.');

/** Returns a D1 whose calls throw `error` unless `lets` returns true for the SQL of each of their statements. */
export function brokenDatabase(
  db: D1Database,
  error: Error,
  lets: (sql: string) => boolean = () => false,
): D1Database {
  const fail = () => Promise.reject(error);
  const broken = { bind: () => broken, all: fail, run: fail, first: fail, raw: fail };
  return {
    prepare: (sql: string) => (lets(sql) ? db.prepare(sql) : broken),
    batch: (statements: unknown[]) =>
      statements.includes(broken) ? fail() : db.batch(statements as D1PreparedStatement[]),
  } as unknown as D1Database;
}

/** Returns a queue whose sends throw `message`. */
export function brokenQueue(message: string): Queue {
  return { sendBatch: () => Promise.reject(new Error(message)) } as unknown as Queue;
}

/** What happens to a call. `after`: it takes effect, and its response is lost. */
export type CallOutcome = 'works' | 'throws before' | 'throws after' | 'stalls' | 'stalls after';

type Transaction = () => Promise<D1Result[]>;

/** Returns a D1 whose transactions go through `around`, which gets the number of the transaction, from 1. */
export function interceptTransactions(
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

/** Deadlines that pass as soon as a call hangs, and never before: no test waits for one. */
export class Deadlines {
  readonly #pending = new Set<() => void>();

  readonly timer: Timer = (_, callback) => {
    this.#pending.add(callback);
    return () => void this.#pending.delete(callback);
  };

  get pending(): number {
    return this.#pending.size;
  }

  /** A call that never returns. Every deadline that is set by then passes. */
  readonly hang = (): Promise<never> => {
    queueMicrotask(() => {
      const due = [...this.#pending];
      this.#pending.clear();
      for (const callback of due) callback();
    });
    return new Promise<never>(() => {});
  };
}

/** Returns a D1 that never makes some calls. `hangs` gets the number of the call, from 1, and its SQL. */
export function hangingDatabase(
  db: D1Database,
  { hang }: Deadlines,
  hangs: (number: number, sql: string) => boolean,
): D1Database {
  let number = 0;
  return interceptCalls(db, async (work, sql) => {
    number += 1;
    return hangs(number, sql) ? hang() : work();
  }) as D1Database;
}

/** Returns a D1 whose first transactions have these outcomes, in order. Later ones work. */
export function faultyDatabase(
  db: D1Database,
  outcomes: CallOutcome[],
  { hang } = new Deadlines(),
): D1Database {
  return interceptTransactions(db, async (number, work) => {
    const outcome = outcomes[number - 1] ?? 'works';
    if (outcome === 'throws before') throw connectionLost();
    if (outcome === 'stalls') return hang();
    const result = await work();
    if (outcome === 'throws after') throw connectionLost();
    return outcome === 'stalls after' ? hang() : result;
  });
}

/** Returns the databases of these bindings, each as `wrap` returns it. */
export function onEveryDatabase(
  bindings: Partial<Env>,
  wrap: (db: D1Database) => D1Database,
): { DIRECTORY: D1Database; SHARD_1: D1Database } {
  const databases = Object.entries(bindings).filter(
    ([name, db]) => db !== undefined && /^(DIRECTORY|SHARD_\d+)$/.test(name),
  );
  return Object.fromEntries(databases.map(([name, db]) => [name, wrap(db as D1Database)])) as {
    DIRECTORY: D1Database;
    SHARD_1: D1Database;
  };
}

/** Adds sessions to a D1 that has none: they read from the primary and have no bookmark. */
export function withSessions(db: D1Database): D1Database {
  if ('withSession' in db) return db;
  const { prepare, batch } = db as Pick<D1Database, 'prepare' | 'batch'>;
  const session = { prepare, batch, getBookmark: () => null };
  return Object.assign(db, { withSession: () => session });
}

type Calls = Pick<D1Database, 'prepare' | 'batch'>;

/** The real statements behind intercepted ones: D1's `batch` accepts no others. Sessions share them. */
const realStatements = new WeakMap<object, BoundStatement>();

interface BoundStatement {
  statement: D1PreparedStatement;
  sql: string;
  values: readonly unknown[];
}

/**
 * Returns a D1 whose calls go through `around`, which gets the call, its SQL and its values; the SQL of a transaction is
 * joined by semicolons. `first` and `raw` are made from `all`, the only one whose result says what it cost.
 */
export function interceptCalls(
  db: Calls,
  around: <Result extends D1Result | D1Result[]>(
    work: () => Promise<Result>,
    sql: string,
    values: readonly unknown[],
  ) => Promise<Result>,
): Calls {
  const wrap = (
    statement: D1PreparedStatement,
    sql: string,
    values: readonly unknown[] = [],
  ): D1PreparedStatement => {
    const all = () => around(() => statement.all(), sql, values);
    const wrapped = {
      bind: (...bound: unknown[]) => wrap(statement.bind(...bound), sql, bound),
      all,
      run: all,
      first: async () => (await all()).results[0] ?? null,
      raw: async () => (await all()).results.map((row) => Object.values(row)),
    } as unknown as D1PreparedStatement;
    realStatements.set(wrapped, { statement, sql, values });
    return wrapped;
  };
  return {
    prepare: (sql: string) => wrap(db.prepare(sql), sql),
    batch: (statements: D1PreparedStatement[]) => {
      const known = statements.map(
        (statement) => realStatements.get(statement) ?? { statement, sql: '', values: [] },
      );
      return around(
        () => db.batch(known.map(({ statement }) => statement)),
        known.map(({ sql }) => sql).join('; '),
        known.flatMap(({ values }) => values),
      );
    },
  };
}

/** Returns a D1 whose sessions answer this many calls and then throw `error`. API keys, read without one, still work. */
export function failingSessions(db: D1Database, error: Error, calls: number): D1Database {
  let left = calls;
  return interceptSessions(db, () => async (work) => {
    left -= 1;
    if (left < 0) throw error;
    return work();
  });
}

/**
 * Returns a D1 whose nearest replica has no rows but those of the banks unless a bookmark asks for them. Writes and the
 * primary work.
 */
export function laggingDatabase(db: D1Database): D1Database {
  return replicatedDatabase(db, (rows) => {
    const ofBanks = (rows as Record<string, unknown>[]).filter(
      (row) => 'tenantState' in row || 'misses' in row || Object.keys(row).join() === 'state',
    );
    rows.splice(0, rows.length, ...ofBanks.map(withoutCustomer));
  });
}

const OF_BANKS = new Set(['tenantState', 'state', 'misses']);

/** What a LEFT JOIN returns if there is no customer. */
function withoutCustomer(row: Record<string, unknown>): Record<string, unknown> {
  if (Object.keys(row).length === 1) return row;
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, OF_BANKS.has(name) && name !== 'state' ? value : null]),
  );
}

/**
 * Returns a D1 with a replica, which answers reads that ask for no bookmark.
 * @param makeOld changes the rows of an answer into those that the replica has
 */
export function replicatedDatabase(db: D1Database, makeOld: (rows: unknown[]) => void): D1Database {
  const fromReplica = <Result extends D1Result | D1Result[]>(result: Result): Result => {
    for (const { results, meta } of Array.isArray(result) ? result : [result]) {
      makeOld(results);
      meta.served_by_primary = false;
    }
    return result;
  };
  return interceptSessions(db, (since) =>
    since === 'first-unconstrained' ? async (work) => fromReplica(await work()) : (work) => work(),
  );
}

/** Returns a D1 whose sessions' calls go through what `interceptor` returns for where the session begins. */
function interceptSessions(
  db: D1Database,
  interceptor: (since?: string) => Parameters<typeof interceptCalls>[1],
): D1Database {
  return {
    prepare: (sql: string) => db.prepare(sql),
    withSession: (since?: string) => {
      const session = db.withSession(since);
      return { ...interceptCalls(session, interceptor(since)), getBookmark: () => session.getBookmark() };
    },
  } as unknown as D1Database;
}
