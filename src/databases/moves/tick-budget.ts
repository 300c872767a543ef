/** What one run of the driver may use. It stops between two ranges, and the next minute's run goes on. */
import type { Database } from '../../db/statements.ts';
import type { Runtime } from '../../runtime.ts';

/** The cron runs every minute, so two drivers are the exception. */
const MAX_TICK_MS = 50_000;
/** D1 allows an invocation 1,000 queries. */
const MAX_STATEMENTS = 950;
/** What a range, a change of the phase and a report of the progress need together, and more. */
const RESERVED_STATEMENTS = 50;

export class TickBudget {
  #statements = MAX_STATEMENTS - RESERVED_STATEMENTS;
  readonly #now: Runtime['now'];
  readonly #until: number;

  constructor(now: Runtime['now']) {
    this.#now = now;
    this.#until = now() + MAX_TICK_MS;
  }

  /** Is there room for one more range? */
  get hasRoom(): boolean {
    return this.#statements > 0 && this.#now() < this.#until;
  }

  /** Counts the statements that are made with this database. */
  database(db: Database): Database {
    const counted: Database = {
      prepare: (query) => {
        this.#statements -= 1;
        return db.prepare(query);
      },
      batch: (statements) => db.batch(statements),
    };
    return db.timer === undefined ? counted : { ...counted, timer: db.timer };
  }
}
