/** Reports to the directory how far a move is, every few seconds, and learns on the way if it was aborted. */
import { execute, WRITE_DEADLINE_MS, type Statement } from '../../db/statements.ts';
import type { MoveContext } from './context.ts';
import { OutdatedMove } from './move.ts';

const REPORT_INTERVAL_MS = 2_000;

export class Progress {
  rows: number;
  readonly #context: Pick<MoveContext, 'directory' | 'runtime'>;
  readonly #record: (rows: number, now: number) => Statement<{ number: number }>;
  #reportedAt: number;

  /**
   * @param rows that earlier runs have done
   * @param record changes nothing if the move is in another phase by now
   */
  constructor(
    context: Pick<MoveContext, 'directory' | 'runtime'>,
    rows: number,
    record: (rows: number, now: number) => Statement<{ number: number }>,
  ) {
    this.rows = rows;
    this.#context = context;
    this.#record = record;
    this.#reportedAt = context.runtime.now();
  }

  /** @throws OutdatedMove if this driver should stop */
  async add(rows: number): Promise<void> {
    this.rows += rows;
    if (this.#context.runtime.now() - this.#reportedAt >= REPORT_INTERVAL_MS) await this.report();
  }

  /** @throws OutdatedMove if this driver should stop */
  async report(): Promise<void> {
    const { directory, runtime } = this.#context;
    this.#reportedAt = runtime.now();
    const found = await execute(directory, this.#record(this.rows, this.#reportedAt), WRITE_DEADLINE_MS);
    if (found.length === 0) throw new OutdatedMove('the move was aborted, or another driver took it further');
  }
}
