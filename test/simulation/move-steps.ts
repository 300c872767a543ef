/**
 * Every change that drivers of moves have asked D1 for: each may still arrive, hours late and any number of times. And what
 * must be true of the tenants after each.
 */
import type { Task } from './scheduler.ts';

interface TenantRow {
  bank_id: string;
  state: string;
}

const READABLE = new Set(['open', 'leaving', 'standby']);

export class MoveSteps {
  readonly #drivers = new WeakSet<Task>();
  readonly #steps: (() => Promise<unknown>)[] = [];
  readonly violations: string[] = [];
  readonly #shards: D1Database[];

  constructor({ SHARD_1, SHARD_2 }: Cloudflare.Env) {
    this.#shards = [SHARD_1, SHARD_2];
  }

  /** What this task asks for from now on counts. */
  addDriver(task: Task): void {
    this.#drivers.add(task);
  }

  record(task: Task | null, sql: string, work: () => Promise<unknown>): void {
    if (task !== null && this.#drivers.has(task) && /\b(INSERT|UPDATE|DELETE)\b/.test(sql))
      this.#steps.push(work);
  }

  get count(): number {
    return this.#steps.length;
  }

  /** While a bank is open in one shard, the other has no state in which it is read. */
  async watch(sql: string): Promise<void> {
    if (!/UPDATE tenants SET state/.test(sql)) return;
    const results = await Promise.all(
      this.#shards.map((shard) => shard.prepare('SELECT bank_id, state FROM tenants').all<TenantRow>()),
    );
    const tenants = results.flatMap((result) => result.results);
    for (const { bank_id: bank } of tenants.filter(({ state }) => state === 'open')) {
      const readable = tenants.filter((row) => row.bank_id === bank && READABLE.has(row.state));
      if (readable.length > 1) this.violations.push('a bank is open in one shard and readable in another');
    }
  }

  /** The step arrives once more. One that a constraint refuses changes nothing either. */
  async repeat(index: number): Promise<void> {
    await this.#steps[index]?.().catch(() => undefined);
  }
}
