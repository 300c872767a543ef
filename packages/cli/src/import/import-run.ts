/** Submits the batches of an import, several at the same time, and writes their outcomes in the order of the file. */
import type { Outputs } from '../files/outputs.ts';
import { EmptyFileError, CommandError, StoppedError } from '../reading/errors.ts';
import { Progress } from '../terminal/progress.ts';
import { countRows } from '../terminal/words.ts';
import type { Journal } from './journal.ts';
import { collectGarbage } from '../files/memory.ts';
import type { Repeats } from './repeats.ts';
import { shareEmail, type RowBatch } from './row-batch.ts';
import { processBatch, type BatchOutcome, type SubmitBatch } from './submit.ts';

export class ImportStoppedError extends StoppedError {
  /** Whether batches of it are known to have been accepted. */
  readonly wasSent: boolean;

  constructor(cause: unknown, journal: Journal | undefined) {
    super('The import has stopped.', { cause });
    this.wasSent = journal?.firstBatchId !== undefined;
  }
}

export interface Counts {
  created: number;
  failed: number;
}

export function totalOf(batches: readonly Counts[]): Counts {
  const sum = (count: keyof Counts) => batches.reduce((total, batch) => total + batch[count], 0);
  return { created: sum('created'), failed: sum('failed') };
}

/** Where an import reports to a person. */
export interface Reporter {
  /** Prints a line. */
  log: (line: string) => void;
  /** Shows the progress. */
  stderr: NodeJS.WriteStream;
}

interface RunOptions {
  /** Undefined in a dry run, and for input that can't be read twice. */
  journal: Journal | undefined;
  submit: SubmitBatch;
  outputs: Outputs;
  /** Set in a dry run. */
  repeats: Repeats | undefined;
  /** Rows of the file, if known. */
  totalRows: number | undefined;
  /** Batches under way at the same time. */
  concurrency: number;
}

export class ImportRun implements Counts {
  readonly #options: RunOptions;
  readonly #progress: Progress;
  created: number;
  failed: number;

  constructor(options: RunOptions, { log, stderr }: Reporter) {
    this.#options = options;
    ({ created: this.created, failed: this.failed } = totalOf(options.journal?.done ?? []));
    if (this.#done > 0) log(`Continuing after ${countRows(this.#done)}.`);
    this.#progress = new Progress(stderr, this.#done);
  }

  /**
   * @param stop aborts `signal`: a batch that fails ends everything else that is under way
   * @returns rows per second
   * @throws ImportStoppedError
   */
  async run(batches: AsyncGenerator<RowBatch>, signal: AbortSignal, stop: AbortController): Promise<number> {
    const { journal, outputs } = this.#options;
    try {
      await this.#processAll(batches, signal, stop);
    } catch (error) {
      if (error instanceof EmptyFileError) throw error;
      throw new ImportStoppedError(error, journal);
    } finally {
      this.#progress.end();
      outputs.close();
    }
    journal?.finish();
    return this.#progress.rate(this.#done);
  }

  get #done(): number {
    return this.created + this.failed;
  }

  /**
   * A batch that repeats an email of one under way waits for that one: of two rows with the same email, the first in the
   * file becomes the customer.
   */
  async #processAll(
    batches: AsyncGenerator<RowBatch>,
    signal: AbortSignal,
    stop: AbortController,
  ): Promise<void> {
    const { journal, submit, totalRows, concurrency } = this.#options;
    const underWay: { batch: RowBatch; outcome: Promise<BatchOutcome> }[] = [];
    const doneBefore = journal?.done.length ?? 0;
    const finishOldest = async () => {
      const oldest = underWay.shift();
      if (oldest !== undefined) this.#write(oldest.batch, await oldest.outcome);
      collectGarbage();
      const share = totalRows === undefined ? undefined : this.#done / totalRows;
      this.#progress.show({ done: this.#done, failed: this.failed, share });
    };
    const finishAll = async () => {
      while (underWay.length > 0) await finishOldest();
    };
    try {
      for await (const batch of batches) {
        if (batch.number < doneBefore) continue;
        while (underWay.some((other) => shareEmail(other.batch, batch))) await finishOldest();
        const outcome = processBatch(batch, submit, signal);
        outcome.catch((error: unknown) => stop.abort(error));
        underWay.push({ batch, outcome });
        if (underWay.length >= concurrency) await finishOldest();
      }
      await finishAll();
    } catch (error) {
      // A fault of the file does not affect the batches that are under way.
      if (error instanceof CommandError && !signal.aborted) await finishAll().catch(() => undefined);
      stop.abort(error);
      await Promise.allSettled(underWay.map(({ outcome }) => outcome));
      // The reason of the abort is the first error: reading that was aborted only reports the abort.
      throw signal.reason;
    }
  }

  /** Writes to the output files first, and to the journal once they are on the disk. */
  #write(batch: RowBatch, outcome: BatchOutcome): void {
    const { journal, outputs, repeats } = this.#options;
    const { created, createdCount, failed } = repeats?.addTo(batch, outcome) ?? outcome;
    const sizes = outputs.append(created, failed);
    this.created += createdCount;
    this.failed += failed.length;
    journal?.finishBatch({ done: batch.number, created: createdCount, failed: failed.length, ...sizes });
  }
}
