/** Submits one batch, unless it was accepted before; waits for it; and finds out the outcome of each of its rows. */
import {
  PeereError,
  type BatchReport,
  type CreatedCustomer,
  type PeereClient,
  type RowFailure,
} from '@peere/client';
import type { BatchOutcome, FailedRow } from './outcome.ts';
import { CommandError } from '../reading/errors.ts';
import type { RowBatch } from './row-batch.ts';

/** What the service says about the rows that it was sent. */
interface SubmitResult {
  /** Undefined in a dry run: every row that did not fail would be created. */
  created: CreatedCustomer[] | undefined;
  failures: RowFailure[];
  /** Number of failures that the service has removed since. */
  failuresRemoved?: number;
}

/** Submits the rows of a batch that can be sent, of which there must be at least one. */
export type SubmitBatch = (batch: RowBatch, signal: AbortSignal) => Promise<SubmitResult>;

/** The batches that the service has accepted, as the journal records them. */
interface AcceptedBatches {
  batchIdOf: (batch: number) => string | undefined;
  accept: (batch: number, batchId: string) => void;
}

/** Runs calls one at a time: two uploads at once would arrive no sooner, and take twice the memory. */
function oneAtATime<Arguments extends unknown[], Result>(
  work: (...args: Arguments) => Promise<Result>,
): (...args: Arguments) => Promise<Result> {
  let previous: Promise<unknown> = Promise.resolve();
  return (...args) => {
    const current = previous.then(() => work(...args));
    previous = current.catch(() => undefined);
    return current;
  };
}

/** A batch whose rows were all refused is an error to the client, but a batch all the same. @throws PeereError */
async function create(
  client: PeereClient,
  { body }: RowBatch,
  options: { idempotencyKey: string; signal: AbortSignal },
): Promise<BatchReport> {
  try {
    return await client.createCustomers(body, options);
  } catch (error) {
    if (error instanceof PeereError && error.report !== undefined) return error.report;
    throw error;
  }
}

/** @param importId with the number of a batch, it is the batch's Idempotency-Key */
export function submitBatches(
  client: PeereClient,
  importId: string,
  accepted: AcceptedBatches | undefined,
): SubmitBatch {
  const accept = oneAtATime(async (batch: RowBatch, signal: AbortSignal): Promise<string> => {
    const idempotencyKey = `${importId}-${batch.number}`;
    const { batchId } = await create(client, batch, { idempotencyKey, signal });
    if (batchId === null) {
      throw new CommandError(
        'The service accepted a batch without giving it an id: report this to whoever runs the service.',
      );
    }
    accepted?.accept(batch.number, batchId);
    batch.releaseBody();
    return batchId;
  });
  return async (batch, signal) => {
    const batchId = accepted?.batchIdOf(batch.number) ?? (await accept(batch, signal));
    const { status, summary, failuresRemoved } = await client.waitForBatch(batchId, { signal });
    if (status === 'STALLED') {
      throw new CommandError(
        `The service could not finish batch ${batchId}; the rows that it was sent are safe there. Once the service’s operator has redriven the batch, run the same command again.`,
      );
    }
    const [failures, created] = await Promise.all([
      summary.failed === 0 ? [] : collect(client.listBatchFailures(batchId, { signal })),
      summary.successful === 0 ? [] : collect(client.listBatchCustomers(batchId, { signal })),
    ]);
    return { failures, created, failuresRemoved };
  };
}

/** `Array.fromAsync`, which Node 20 lacks. */
async function collect<Row>(rows: AsyncIterable<Row>): Promise<Row[]> {
  const collected: Row[] = [];
  for await (const row of rows) collected.push(row);
  return collected;
}

/** Validates rows and stores nothing. */
export function dryRunBatches(client: PeereClient): SubmitBatch {
  const dryRun = oneAtATime((batch: RowBatch, signal: AbortSignal) =>
    client.dryRunCustomers(batch.body, { signal }),
  );
  return async (batch, signal) => {
    const { failures } = await dryRun(batch, signal);
    return { failures, created: undefined };
  };
}

/** Reasons for rows that were accepted and are now in neither list. */
const ERASED = {
  code: 'ERASED',
  reason: 'was accepted, and has been erased since: it is neither a customer nor a failure',
};
const REMOVED = {
  code: 'REMOVED',
  reason:
    'failed, and the service has removed the reason because your bank has had too many failures since; send it again to find out',
};

/** Finds the outcome of a batch: every row is in exactly one of the two lists, in the order of the file. */
export async function processBatch(
  batch: RowBatch,
  submit: SubmitBatch,
  signal: AbortSignal,
): Promise<BatchOutcome> {
  const {
    created,
    failures,
    failuresRemoved = 0,
  }: SubmitResult = batch.sent.length === 0 ? { created: [], failures: [] } : await submit(batch, signal);
  const reported = new Set([...failures, ...(created ?? [])].map(({ index }) => index));
  const unreported =
    created === undefined ? [] : batch.sent.flatMap((_, index) => (reported.has(index) ? [] : [index]));
  const missing = failuresRemoved > 0 ? REMOVED : ERASED;
  const failed = [
    ...[...batch.faults].map(([position, fault]) => toFailedRow(batch, position, fault)),
    ...failures.map(({ index, code, message, errors }) => {
      const faults = errors.map((fault) => `${fault.field} ${fault.message}`).join('; ') || message;
      const fields = errors.map(({ field }) => field);
      return toFailedRow(batch, batch.sent[index] ?? 0, {
        code,
        reason: withFileRows(faults, batch),
        fields,
      });
    }),
    ...unreported.map((index) => toFailedRow(batch, batch.sent[index] ?? 0, missing)),
  ].toSorted((one, other) => one.row - other.row);
  return {
    created: (created ?? []).map(({ index, ...row }) => ({ row: batch.rowOf(index), ...row })),
    createdCount: created?.length ?? batch.sent.length - failures.length,
    failed,
  };
}

function toFailedRow(
  batch: RowBatch,
  position: number,
  failure: Pick<FailedRow, 'code' | 'reason' | 'fields'>,
): FailedRow {
  const isRepeat = failure.code === 'DUPLICATE_IN_BATCH';
  return { row: batch.firstRow + position, cells: batch.cellsOf(position), ...failure, isRepeat };
}

/** The service numbers the rows of a request from 0: replaces its numbers by those of the file. */
function withFileRows(reason: string, batch: RowBatch): string {
  return reason.replaceAll(/\brow (\d+)\b/g, (_, index: string) => `row ${batch.rowOf(Number(index))}`);
}
