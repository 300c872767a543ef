/**
 * Which shard knows a payee? The first word of a phrase says which one gave it out. If its customer has moved to another
 * shard since, with its bank, that bank is followed, one hop.
 */
import type { Caller } from '../api-keys/caller.ts';
import type { Payee } from '../customers/customers.standard.ts';
import { selectCustomer } from '../customers/customers.store.ts';
import { toPayee } from '../customers/customers.view.ts';
import type { Databases } from '../databases/databases.ts';
import { selectHome } from '../databases/directory.store.ts';
import { shardOfPhrase } from '../databases/first-words.ts';
import { isCacheable, type ShardName } from '../databases/home.ts';
import { execute, executeNearest } from '../db/statements.ts';
import type { MissBudget } from './miss-budget.ts';
import { selectMisses, selectPayee, type PayeeRow } from './payee.store.ts';

type Nearness = 'nearest' | 'primary';

interface Answer {
  row: PayeeRow;
  fromPrimary: boolean;
}

/** A question, and where it was answered. */
export class PayeeQuestion {
  readonly #databases: Databases;
  readonly #asker: Caller;
  readonly #budget: MissBudget;
  readonly #phrase: string;
  #answeredBy: ShardName;

  constructor(databases: Databases, asker: Caller, budget: MissBudget, phrase: string) {
    this.#databases = databases;
    this.#asker = asker;
    this.#budget = budget;
    this.#phrase = phrase;
    this.#answeredBy = this.#shard;
  }

  /** May the payee be kept in any data centre? */
  readonly isCacheable = (): boolean => isCacheable(this.#asker.jurisdictions, this.#answeredBy);

  readonly nearest = () => this.#ask('nearest');
  readonly primary = () => this.#ask('primary');

  /** A phrase that no registered shard gives out is asked for like any other, where the asking bank is. */
  get #shard(): ShardName {
    const shard = shardOfPhrase(this.#phrase);
    return shard !== undefined && this.#asker.jurisdictions.has(shard) ? shard : this.#asker.home.shard;
  }

  /** @throws RATE_LIMITED if the asking bank has used up its budget; UNAVAILABLE; DatabaseError */
  async #ask(nearness: Nearness): Promise<{ row: Payee | undefined; fromPrimary: boolean }> {
    const [{ row, fromPrimary }, misses] = await Promise.all([
      this.#askShard(nearness),
      this.#readMisses(nearness),
    ]);
    this.#budget.requireLeftAfter(Math.max(row.misses, misses));
    this.#answeredBy = this.#shard;
    if (row.movedBank !== null) return { row: await this.#follow(row.movedBank), fromPrimary: true };
    return { row: row.phrase === null ? undefined : toPayee(row), fromPrimary };
  }

  async #askShard(nearness: Nearness): Promise<Answer> {
    const database = this.#databases[nearness](this.#shard);
    const { rows, fromPrimary } = await executeNearest(database, selectPayee(this.#budget, this.#phrase));
    const [row] = rows;
    if (row === undefined) throw new RangeError('a question about a payee has one answer');
    return { row, fromPrimary: fromPrimary || nearness === 'primary' };
  }

  /** The asking bank's misses are in its own shard, which is asked at the same time if it is another one. */
  async #readMisses(nearness: Nearness): Promise<number> {
    const { shard } = this.#asker.home;
    if (shard === this.#shard) return 0;
    const [row] = await execute(this.#databases[nearness](shard), selectMisses(this.#budget));
    return row?.misses ?? 0;
  }

  /** Asks where the bank is now, on the primary. */
  async #follow(bankId: string): Promise<Payee | undefined> {
    const [home] = await execute(this.#databases.directory, selectHome(bankId));
    if (home === undefined) return undefined;
    const tenant = this.#databases.tenantOf({ bankId, home });
    const { row } = await tenant.findPrimary(selectCustomer(bankId, { phrase: this.#phrase }));
    this.#answeredBy = tenant.home.shard;
    return row && toPayee(row);
  }
}
