/** Bindings that fail, as the real ones do when the platform has trouble. */

/** A D1 of which every call throws `error`; `let` decides which SQL gets through. */
export function brokenDatabase(db: D1Database, error: Error, lets: (sql: string) => boolean): D1Database {
  const fail = () => Promise.reject(error);
  const broken = { bind: () => broken, all: fail, run: fail, first: fail, raw: fail };
  return {
    prepare: (sql: string) => (lets(sql) ? db.prepare(sql) : broken),
    batch: fail,
  } as unknown as D1Database;
}
