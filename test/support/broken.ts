/** Bindings that fail, as the real ones do when the platform has trouble. */

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
