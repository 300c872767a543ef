/** Submits the batches of an import, several at the same time, and writes their outcomes in the order of the file. */
import type { BatchOutcome } from '../batches/outcome.ts';
import type { Repeats } from '../batches/repeats.ts';
import type { RowBatch } from '../batches/row-batch.ts';
import { runBatches } from '../batches/run.ts';
import type { SubmitBatch } from '../batches/submit.ts';
import type { Outputs } from '../files/outputs.ts';
import { EmptyFileError, StoppedError } from '../reading/errors.ts';
import { Progress } from '../terminal/progress.ts';
import { countRows } from '../terminal/words.ts';
import type { Journal } from './journal.ts';
import { collectGarbage } from '../files/memory.ts';

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
      const { submit, concurrency } = this.#options;
      const doneBefore = journal?.done.length ?? 0;
      const finish = (batch: RowBatch, outcome: BatchOutcome) => this.#finish(batch, outcome);
      await runBatches(batches, { doneBefore, submit, concurrency, finish }, signal, stop);
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

  #finish(batch: RowBatch, outcome: BatchOutcome): void {
    const { totalRows } = this.#options;
    this.#write(batch, outcome);
    collectGarbage();
    const share = totalRows === undefined ? undefined : this.#done / totalRows;
    this.#progress.show({ done: this.#done, failed: this.failed, share });
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
