/** What the operator does in a seed: begins and aborts moves, between the two shards. */
import type { Move } from '../../src/databases/moves/move.ts';
import { abortMove, insertMove, selectUnfinishedMoves } from '../../src/databases/moves/moves.store.ts';
import { execute, executeBatch } from '../../src/db/statements.ts';
import { ACCRA, LAGOS } from '../support/banks.ts';
import type { Random } from './random.ts';

/** Every second seed plays moves: they take as many steps as everything else. */
const hasMoves = (seed: number) => seed % 2 === 0;

export class Moves {
  readonly isPossible: boolean;
  readonly #real: Cloudflare.Env;
  readonly #random: Random;

  constructor(seed: number, real: Cloudflare.Env, random: Random) {
    this.isPossible = hasMoves(seed);
    this.#real = real;
    this.#random = random;
  }

  /** Begins a move of a bank, by default of any, unless it is moving. @returns whether it has */
  async begin(now: number, bank = this.#random.pick([LAGOS, LAGOS, ACCRA])): Promise<boolean> {
    const target = (await this.#shardOf(bank)) === 'SHARD_1' ? 'SHARD_2' : 'SHARD_1';
    const begun = await execute(this.#real.DIRECTORY, insertMove(bank, target, now, false));
    return begun.length > 0;
  }

  /** @returns whether there was one that could be aborted */
  async abort(now: number): Promise<boolean> {
    const [move] = await this.unfinished();
    if (move === undefined) return false;
    const { aborted } = await executeBatch(this.#real.DIRECTORY, abortMove(move, 'by hand', now));
    return aborted.length > 0;
  }

  unfinished(): Promise<Move[]> {
    return execute(this.#real.DIRECTORY, selectUnfinishedMoves());
  }

  /** A bank that has moved before, with as many rows as possible; if none has, any. */
  async pickBank(): Promise<string> {
    const moved = await this.#real.DIRECTORY.prepare(
      "SELECT bank_id FROM bank_moves WHERE phase = 'done' ORDER BY total_rows DESC LIMIT 1",
    ).first<string>('bank_id');
    return moved ?? LAGOS;
  }

  /** A row changes in the target, before it is compared. @returns whether there was one */
  async spoilCopy(): Promise<boolean> {
    const [move] = await this.unfinished();
    if (move?.phase !== 'copying') return false;
    const { meta } = await this.#real[move.target === 'SHARD_2' ? 'SHARD_2' : 'SHARD_1']
      .prepare(
        `UPDATE customers SET account_name = 'spoiled' WHERE bank_id = ?1 AND EXISTS (
           SELECT 1 FROM tenants WHERE bank_id = ?1 AND state = 'arriving' AND move_number = ?2)`,
      )
      .bind(move.bankId, move.number)
      .run();
    return meta.changes > 0;
  }

  async databaseOf(bank: string): Promise<D1Database> {
    return this.#real[await this.#shardOf(bank)];
  }

  async #shardOf(bank: string): Promise<'SHARD_1' | 'SHARD_2'> {
    const shard = await this.#real.DIRECTORY.prepare('SELECT shard FROM banks WHERE id = ?')
      .bind(bank)
      .first('shard');
    return shard === 'SHARD_2' ? 'SHARD_2' : 'SHARD_1';
  }
}
