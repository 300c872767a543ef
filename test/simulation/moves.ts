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

  /** Begins a move of some bank, unless it is moving. @returns whether it has */
  async begin(now: number): Promise<boolean> {
    const bank = this.#random.pick([LAGOS, LAGOS, ACCRA]);
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
