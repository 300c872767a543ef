/**
 * A bank's data, wherever it is. Everything that reads or changes it goes through a Tenant, so that tenancy and routing
 * are one thing.
 *
 * Promises: a change takes effect only where the bank is open, because a guard is part of each transaction. A read returns
 * rows only from where the bank is readable, because each brings the bank's state along, in the same call. So what an
 * isolate remembers about a bank's place may be stale without being wrong. Only when a shard refuses is the directory
 * asked, and then the bank's new shard, once.
 * Accepted: a read without a bookmark may come from a replica, and be as old as the replica is, moves included.
 */
import { isDatabaseUnavailable, isRefusedByGuard, TenantNotOpenError } from '../db/errors.ts';
import type { TenantState } from '../db/schema.ts';
import {
  executeBehind,
  executeNearest,
  execute,
  WRITE_DEADLINE_MS,
  type Database,
  type RowsOf,
  type Statement,
  type Transaction,
} from '../db/statements.ts';
import { unavailable } from '../errors.ts';
import { selectHome } from './directory.store.ts';
import type { Home, LocatedBank, ShardName } from './home.ts';
import { guard, isReadable, selectState, selectWithState, type WithState } from './tenant.store.ts';

/** The databases of one event. */
export interface TenantDatabases {
  directory: Database;
  /** The replica of a shard that is nearest, or one that has seen the request's bookmark. */
  nearest(shard: ShardName): Database;
  primary(shard: ShardName): Database;
}

/** What services depend on. */
export interface Tenants {
  tenantOf(bank: LocatedBank): Tenant;
}

/** At most one row, and whether the primary answered. */
export interface Found<Row> {
  row: Row | undefined;
  fromPrimary: boolean;
}

export class Tenant {
  readonly bankId: string;
  readonly #databases: TenantDatabases;
  /** What the isolate remembers, for its next events. */
  readonly #remembered: Home;
  /** What this event goes by. Another event that corrects what is remembered must not change it half-way. */
  #home: Home;

  constructor({ bankId, home }: LocatedBank, databases: TenantDatabases) {
    this.bankId = bankId;
    this.#databases = databases;
    this.#remembered = home;
    this.#home = { ...home };
  }

  /** Where the bank is, as far as this event knows: another object once that has changed. */
  get home(): Readonly<Home> {
    return this.#home;
  }

  /** Reads from the nearest replica, in one call. @throws DatabaseError; UNAVAILABLE if the bank is readable nowhere */
  readNearest<const Parts extends Transaction>(parts: Parts): Promise<RowsOf<Parts>> {
    return this.#read((shard) => this.#databases.nearest(shard), parts);
  }

  /** Reads from the primary, in one call. @throws as readNearest does */
  readPrimary<const Parts extends Transaction>(parts: Parts): Promise<RowsOf<Parts>> {
    return this.#read((shard) => this.#databases.primary(shard), parts);
  }

  /**
   * Reads at most one row from the nearest replica, as one statement: the hot path of lookups.
   * @param statement as `selectWithState` takes it @throws as readNearest does
   */
  findNearest<Row extends { id: string }>(statement: Statement<Row>): Promise<Found<Row>> {
    return this.#find((shard) => this.#databases.nearest(shard), statement);
  }

  /** The same from the primary. */
  findPrimary<Row extends { id: string }>(statement: Statement<Row>): Promise<Found<Row>> {
    return this.#find((shard) => this.#databases.primary(shard), statement);
  }

  /**
   * Writes what does not move with the bank, and so needs it readable only. It may do no harm where it is not.
   * @throws as readNearest does
   */
  writeReadable<const Parts extends Transaction>(parts: Parts): Promise<RowsOf<Parts>> {
    return this.#read((shard) => this.#databases.primary(shard), parts, WRITE_DEADLINE_MS);
  }

  /**
   * Changes the bank's data, as one transaction.
   * @throws TenantNotOpenError if it is not open here, or was moved since: nothing is changed then. DatabaseError, after
   *   which it may have been changed.
   */
  write<const Parts extends Transaction>(parts: Parts): Promise<RowsOf<Parts>> {
    return this.#write((shard) => this.#databases.primary(shard), parts);
  }

  /**
   * Makes a change that may be run twice, and in any shard: again if D1 was unavailable, because a write whose answer was
   * lost or late may have been committed, and again where the bank is now, if it has moved.
   * @throws UNAVAILABLE if the bank takes no changes now; DatabaseError
   */
  writeRepeatable<const Parts extends Transaction>(parts: Parts): Promise<RowsOf<Parts>> {
    return this.#whereOpen(() =>
      this.#writeInSession(parts).catch((error: unknown) => {
        if (!isDatabaseUnavailable(error)) throw error;
        return this.#writeInSession(parts);
      }),
    );
  }

  /** Makes a change that must not be run twice, where the bank is now. @throws as writeRepeatable does */
  writeOnce<const Parts extends Transaction>(parts: Parts): Promise<RowsOf<Parts>> {
    return this.#whereOpen(() => this.#writeInSession(parts));
  }

  /**
   * Finds out where the bank is, after a refusal.
   * @throws UNAVAILABLE if it is where it was, and so refuses now
   */
  async follow(refusal: TenantNotOpenError): Promise<void> {
    const { shard, moveNumber } = this.#home;
    await this.#askDirectory();
    if (this.#home.shard === shard && this.#home.moveNumber === moveNumber) throw unavailable(refusal);
  }

  async #write<const Parts extends Transaction>(
    databaseOf: (shard: ShardName) => Database,
    parts: Parts,
  ): Promise<RowsOf<Parts>> {
    const { shard, moveNumber } = this.#home;
    try {
      const first = guard(this.bankId, moveNumber);
      const { rows } = await executeBehind(databaseOf(shard), first, parts, WRITE_DEADLINE_MS);
      return rows;
    } catch (error) {
      // Checked first: SQLite reports it as a constraint failure, like a bad row.
      if (isRefusedByGuard(error)) throw new TenantNotOpenError(shard);
      throw error;
    }
  }

  /** In the request's session, whose later reads see it; only the primary takes changes. */
  #writeInSession<const Parts extends Transaction>(parts: Parts): Promise<RowsOf<Parts>> {
    return this.#write((shard) => this.#databases.nearest(shard), parts);
  }

  async #whereOpen<Result>(run: () => Promise<Result>): Promise<Result> {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof TenantNotOpenError)) throw error;
      await this.follow(error);
      return run().catch(orUnavailable);
    }
  }

  async #read<const Parts extends Transaction>(
    databaseOf: (shard: ShardName) => Database,
    parts: Parts,
    deadlineMs?: number,
  ): Promise<RowsOf<Parts>> {
    return this.#whereReadable(databaseOf, async (database) => {
      const { first, rows } = await executeBehind(database, selectState(this.bankId), parts, deadlineMs);
      return { state: first[0]?.state, result: rows };
    });
  }

  #find<Row extends { id: string }>(
    databaseOf: (shard: ShardName) => Database,
    statement: Statement<Row>,
  ): Promise<Found<Row>> {
    const withState = selectWithState(this.bankId, statement);
    return this.#whereReadable(databaseOf, async (database) => {
      const { rows, fromPrimary } = await executeNearest(database, withState);
      return { state: rows[0]?.tenantState, result: { row: presentRow(rows[0]), fromPrimary } };
    });
  }

  async #whereReadable<Result>(
    databaseOf: (shard: ShardName) => Database,
    run: (database: Database) => Promise<{ state: TenantState | undefined; result: Result }>,
  ): Promise<Result> {
    const found = await run(databaseOf(this.#home.shard));
    if (isReadable(found.state)) return found.result;
    await this.#askDirectory();
    for (;;) {
      const { shard } = this.#home;
      const again = await run(this.#databases.primary(shard));
      if (isReadable(again.state)) return again.result;
      // It is readable nowhere, unless it was switched over since the directory answered.
      await this.follow(new TenantNotOpenError(shard));
    }
  }

  /** Asks on the directory's primary. */
  async #askDirectory(): Promise<void> {
    const [home] = await execute(this.#databases.directory, selectHome(this.bankId));
    if (home === undefined) throw unavailable(new TenantNotOpenError(this.#home.shard));
    this.#home = home;
    Object.assign(this.#remembered, home);
  }
}

function presentRow<Row extends { id: string }>(row: WithState<Row> | undefined): Row | undefined {
  return row === undefined || row.id === null ? undefined : row;
}

/** @throws UNAVAILABLE instead of a refusal, which comes a second time if the bank moves again at that moment */
export function orUnavailable(error: unknown): never {
  throw error instanceof TenantNotOpenError ? unavailable(error) : error;
}
