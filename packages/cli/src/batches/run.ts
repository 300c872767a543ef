/** Submits batches, several at the same time, and hands over their outcomes in the order of the file. */
import { CommandError } from '../reading/errors.ts';
import type { BatchOutcome } from './outcome.ts';
import { shareEmail, type RowBatch } from './row-batch.ts';
import { processBatch, type SubmitBatch } from './submit.ts';

interface RunOptions {
  /** Batches whose outcome is known already: they are read and not submitted. */
  doneBefore: number;
  submit: SubmitBatch;
  /** Batches under way at the same time. */
  concurrency: number;
  /** Takes the outcome of each batch. */
  finish: (batch: RowBatch, outcome: BatchOutcome) => void;
}

/**
 * A batch that repeats an email of one under way waits for that one: of two rows with the same email, the first in the
 * file becomes the customer.
 * @param stop aborts `signal`: a batch that fails ends everything else that is under way
 * @throws the first error
 */
export async function runBatches(
  batches: AsyncIterable<RowBatch>,
  { doneBefore, submit, concurrency, finish }: RunOptions,
  signal: AbortSignal,
  stop: AbortController,
): Promise<void> {
  const underWay: { batch: RowBatch; outcome: Promise<BatchOutcome> }[] = [];
  const finishOldest = async () => {
    const oldest = underWay.shift();
    if (oldest !== undefined) finish(oldest.batch, await oldest.outcome);
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
