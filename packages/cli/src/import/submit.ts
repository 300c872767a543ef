/** One batch: sent, unless it has been; waited for; and what became of each of its rows. */
import { PeereError, type PeereClient } from '../../../client/src/client.ts';
import { withAllFailures } from '../../../client/src/dry-run.ts';
import type { Transport } from '../../../client/src/transport.ts';
import type { BatchReport, CreatedCustomer, RowFailure } from '../../../client/src/types.ts';
import type { RowBatch } from './row-batch.ts';
import { ImportFault } from '../reading/fault.ts';
import type { Created, Failed } from '../files/outputs.ts';

export interface Became {
  /** Of a rehearsal, none, whatever their number. */
  created: Created[];
  createdCount: number;
  failed: Failed[];
}

/** What the service says of the rows that it was sent. */
interface Results {
  /** Undefined: it was a rehearsal, and all that did not fail would be. */
  created: CreatedCustomer[] | undefined;
  failures: RowFailure[];
  /** Failures of which the service has forgotten everything but their number. */
  failuresRemoved?: number;
}

/** Brings the rows of a batch that can be sent, at least one. */
export type Bring = (batch: RowBatch, signal: AbortSignal) => Promise<Results>;

/** What a journal remembers of batches that were accepted. */
interface Memory {
  batchIdOf: (batch: number) => string | undefined;
  accept: (batch: number, batchId: string) => void;
}

/** The service, by its calls, and for bodies that are made already. */
export interface Service {
  client: PeereClient;
  transport: Transport;
}

/** One after another: two bodies at once would arrive no sooner, and take twice the memory on the way. */
function inTurn<Ask extends unknown[], Done>(
  work: (...ask: Ask) => Promise<Done>,
): (...ask: Ask) => Promise<Done> {
  let before: Promise<unknown> = Promise.resolve();
  return (...ask) => {
    const mine = before.then(() => work(...ask));
    before = mine.catch(() => undefined);
    return mine;
  };
}

/** @throws PeereError, but for a batch of which no row was accepted: it is a batch all the same */
async function post(
  { transport }: Service,
  { body }: RowBatch,
  ask: { query?: object; headers?: Record<string, string>; signal: AbortSignal },
): Promise<BatchReport> {
  try {
    const path = '/v1/bank/customers';
    const answer = await transport.ask<{ data: BatchReport }>({
      method: 'POST',
      path,
      body,
      repeatable: true,
      ...ask,
    });
    return answer.body.data;
  } catch (error) {
    if (error instanceof PeereError && error.report !== undefined) return error.report;
    throw error;
  }
}

/** @param importId a batch's Idempotency-Key is this and its number */
export function bringTo(service: Service, importId: string, memory: Memory | undefined): Bring {
  const { client } = service;
  const accept = inTurn(async (batch: RowBatch, signal: AbortSignal): Promise<string> => {
    const headers = { 'Idempotency-Key': `${importId}-${batch.number}` };
    const { batchId } = await post(service, batch, { headers, signal });
    if (batchId === null) throw new ImportFault('The service gave a batch no id.');
    memory?.accept(batch.number, batchId);
    batch.forgetBody();
    return batchId;
  });
  return async (batch, signal) => {
    const batchId = memory?.batchIdOf(batch.number) ?? (await accept(batch, signal));
    const { status, summary, failuresRemoved } = await client.waitForBatch(batchId, { signal });
    if (status === 'STALLED') {
      throw new ImportFault(
        `The service could not finish batch ${batchId}; what it was sent is safe there. When it has been redriven, run the same command again.`,
      );
    }
    const [failures, created] = await Promise.all([
      summary.failed === 0 ? [] : all(client.listBatchFailures(batchId, { signal })),
      summary.successful === 0 ? [] : all(client.listBatchCustomers(batchId, { signal })),
    ]);
    return { failures, created, failuresRemoved };
  };
}

/** `Array.fromAsync`, which Node 20 does not have. */
async function all<Row>(rows: AsyncIterable<Row>): Promise<Row[]> {
  const found: Row[] = [];
  for await (const row of rows) found.push(row);
  return found;
}

/** Judges rows, and stores nothing: what would be created has no id. */
export function rehearseWith(service: Service): Bring {
  const judge = inTurn((batch: RowBatch, signal: AbortSignal) =>
    withAllFailures((failuresFrom) =>
      post(service, batch, { query: { dryRun: true, failuresFrom }, signal }),
    ),
  );
  return async (batch, signal) => {
    const { failures } = await judge(batch, signal);
    return { failures, created: undefined };
  };
}

const ERASED = 'was accepted, and is neither a customer nor a failure any more: it was erased meanwhile';
const REMOVED =
  'failed, and the service does not keep the reason any more, because your bank has had too many failures since; send it again to be told';

/** Every row of the batch ends in one of the two lists, in the order of the file. */
export async function bringBatch(batch: RowBatch, bring: Bring, signal: AbortSignal): Promise<Became> {
  const {
    created,
    failures,
    failuresRemoved = 0,
  }: Results = batch.sent.length === 0 ? { created: [], failures: [] } : await bring(batch, signal);
  const told = new Set([...failures, ...(created ?? [])].map(({ index }) => index));
  const untold =
    created === undefined ? [] : batch.sent.flatMap((_, index) => (told.has(index) ? [] : [index]));
  const gone =
    failuresRemoved > 0 ? { code: 'REMOVED', reason: REMOVED } : { code: 'ERASED', reason: ERASED };
  const failed = [
    ...[...batch.faults].map(([position, fault]) => failedRow(batch, position, fault)),
    ...failures.map(({ index, code, message, errors }) => {
      const reason = errors.map((fault) => `${fault.field} ${fault.message}`).join('; ') || message;
      return failedRow(batch, batch.sent[index] ?? 0, { code, reason: inRowsOfFile(reason, batch) });
    }),
    ...untold.map((index) => failedRow(batch, batch.sent[index] ?? 0, gone)),
  ].toSorted((one, other) => one.row - other.row);
  return {
    created: (created ?? []).map(({ index, ...row }) => ({ row: batch.rowOf(index), ...row })),
    createdCount: created?.length ?? batch.sent.length - failures.length,
    failed,
  };
}

function failedRow(
  batch: RowBatch,
  position: number,
  { code, reason }: Pick<Failed, 'code' | 'reason'>,
): Failed {
  const repeats = code === 'DUPLICATE_IN_BATCH';
  return { row: batch.firstRow + position, cells: batch.cellsOf(position), code, reason, repeats };
}

/** The service counts rows from 0, among those that one batch sent it. */
function inRowsOfFile(reason: string, batch: RowBatch): string {
  return reason.replaceAll(/\brow (\d+)\b/g, (_, index: string) => `row ${batch.rowOf(Number(index))}`);
}
