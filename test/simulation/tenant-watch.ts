/** What must be true of the banks' tenants after each step of a move, and of what was under way when one began. */
import type { FailedChange } from './requests.ts';

interface TenantRow {
  bank_id: string;
  state: string;
  move_number: number;
  stalled: number;
}

const READABLE = new Set(['open', 'leaving', 'standby']);

const SELECT_TENANTS = `SELECT bank_id, state, move_number, (SELECT count(*) FROM batches
    WHERE batches.bank_id = tenants.bank_id AND status = 'STALLED') AS stalled FROM tenants`;

const nameOf = (bankId: string, moveNumber: number) => `${bankId} ${moveNumber}`;

export class TenantWatch {
  /** The number of the move by which each bank was opened last. */
  readonly openedBy = new Map<string, number>();
  readonly violations: string[] = [];
  readonly #directory: D1Database;
  readonly #shards: D1Database[];
  readonly #failedChanges: () => FailedChange[];
  /** By bank and move: the requests that had failed when the directory decided where the bank is. */
  readonly #failedBefore = new Map<string, Set<string>>();
  /** Of these, the ones whose changes had not been made when the bank was opened. */
  readonly #neverMade = new Set<string>();
  /** By bank and move: the stalled batches that it had when it left. */
  readonly #stalled = new Map<string, number>();

  constructor({ DIRECTORY, SHARD_1, SHARD_2 }: Cloudflare.Env, failedChanges: () => FailedChange[]) {
    this.#directory = DIRECTORY;
    this.#shards = [SHARD_1, SHARD_2];
    this.#failedChanges = failedChanges;
  }

  /** Call after every call to D1 that took effect. */
  async watch(sql: string): Promise<void> {
    if (/UPDATE banks SET/.test(sql)) await this.watchDirectory();
    if (/UPDATE tenants SET state|INSERT INTO tenants/.test(sql)) await this.#watchShards();
  }

  /** A bank that has moved, or whose move was aborted, is known by a new number. */
  async watchDirectory(): Promise<void> {
    const { results } = await this.#directory
      .prepare('SELECT id, move_number FROM banks WHERE move_number > 0')
      .all<{ id: string; move_number: number }>();
    for (const { id, move_number } of results) {
      const name = nameOf(id, move_number);
      const failed = this.#failedChanges().filter(({ bank }) => bank === id);
      if (!this.#failedBefore.has(name))
        this.#failedBefore.set(name, new Set(failed.map(({ requestId }) => requestId)));
    }
  }

  async #watchShards(): Promise<void> {
    const results = await Promise.all(
      this.#shards.map((shard) => shard.prepare(SELECT_TENANTS).all<TenantRow>()),
    );
    const tenants = results.flatMap((result) => result.results);
    for (const { bank_id: bank, move_number, stalled } of tenants.filter(({ state }) => state === 'leaving'))
      this.#stalled.set(nameOf(bank, move_number), stalled);
    for (const [shard, result] of results.entries()) {
      for (const row of result.results) if (row.state === 'open') await this.#watchOpen(shard, row, tenants);
    }
  }

  async #watchOpen(shard: number, { bank_id: bank, move_number, stalled }: TenantRow, tenants: TenantRow[]) {
    const readable = tenants.filter((row) => row.bank_id === bank && READABLE.has(row.state));
    if (readable.length > 1) this.violations.push('a bank is open in one shard and readable in another');
    if (move_number <= (this.openedBy.get(bank) ?? 0)) return;
    this.openedBy.set(bank, move_number);
    const name = nameOf(bank, move_number);
    if (stalled !== (this.#stalled.get(name) ?? stalled))
      this.violations.push('a batch was stalled while its bank moved');
    const made = await this.#shards[shard]
      ?.prepare('SELECT request_id FROM audit_log WHERE bank_id = ?')
      .bind(bank)
      .all<{ request_id: string }>();
    const ids = new Set(made?.results.map(({ request_id }) => request_id));
    for (const id of this.#failedBefore.get(name) ?? []) if (!ids.has(id)) this.#neverMade.add(id);
  }

  /** A change that had failed before a move is not made after it: the bank has gone on since. */
  hasLateChange(audit: readonly { request_id: string }[]): boolean {
    return audit.some(({ request_id }) => this.#neverMade.has(request_id));
  }
}
