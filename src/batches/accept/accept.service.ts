/**
 * Accepts batches. Promise: a batch that is answered as accepted is in D1, whole. The queue only makes it fast, and the
 * sweep resends whatever the queue loses.
 */
import type { FieldKey } from '../../crypto/field-cipher.ts';
import type { Runtime } from '../../runtime.ts';
import type { BatchQueue } from '../batch-queue.ts';
import type { CommitDeps } from './commit.ts';
import type { InFlightRequests } from './idempotency.ts';
import type { ActingCaller } from '../../api-keys/caller.ts';
import type { LocatedBank, ShardName } from '../../databases/home.ts';
import type { Tenant, Tenants } from '../../databases/tenant.ts';
import { describeCause } from '../../db/errors.ts';
import type { BatchReport, RowFailure } from '../batches.responses.ts';
import { commitBatch, tooManyOpen } from './commit.ts';
import { readIdempotency, replayResponse, toRecord, type Idempotency } from './idempotency.ts';
import { EXISTING_FAILURE } from '../failures.ts';
import { RowValidator, type ValidRow } from './validate.ts';
import { inTurns } from './turns.ts';
import { outlineBatch, stageChunks, type BatchOutline, type PlannedChunk } from './plan.ts';
import { toBatchReport, toDryRunReport, type AcceptedBatch } from './report.ts';
import { selectIdempotencyRecord } from './idempotency.store.ts';
import { NO_OPEN_BATCHES, selectExistingEmails, selectOpenBatchCounts } from './accept.store.ts';

export interface AcceptDeps extends CommitDeps {
  databases: Tenants;
  runtime: Pick<Runtime, 'now' | 'random' | 'sleep' | 'log'>;
  batchQueue: BatchQueue;
  inFlightRequests: InFlightRequests;
  /** The key that seals a customer's fields: the given version, or the newest. */
  fieldKey: (version?: number) => Promise<FieldKey>;
  /** Customers of one chunk at most. */
  chunkRows: number;
}

export type AcceptResult = AcceptedBatch & {
  /** Whether this is the response to an earlier request with the same Idempotency-Key and body. */
  replayed: boolean;
};

/**
 * Validates, stores and enqueues a batch. Two D1 calls and one queue call, for any size.
 * @param rows 1 to 10,000 rows as they were sent
 * @param key the request's Idempotency-Key
 */
export async function acceptBatch(
  deps: AcceptDeps,
  actor: ActingCaller,
  rows: unknown[],
  key: string | undefined,
): Promise<AcceptResult> {
  const work = acceptWithKey(deps, actor, rows, key);
  // A client that goes away must not stop it between commit and queue; the platform allows 30 s.
  deps.runAfterResponse(work.then(noop, noop));
  return work;
}

function noop(): void {}

async function acceptWithKey(
  deps: AcceptDeps,
  actor: ActingCaller,
  rows: unknown[],
  key: string | undefined,
): Promise<AcceptResult> {
  if (key === undefined) return validateAndCommit(deps, actor, rows);
  return deps.inFlightRequests.run(actor.bankId, key, deps.runtime.now(), async () =>
    validateAndCommit(deps, actor, rows, await readIdempotency(deps.runtime, key, rows, deps.fieldKey)),
  );
}

async function validateAndCommit(
  deps: AcceptDeps,
  actor: ActingCaller,
  rows: unknown[],
  idempotency?: Idempotency,
): Promise<AcceptResult> {
  const tenant = deps.databases.tenantOf(actor);
  const { accepted, failures, record, open } = await validateAgainstBank(
    deps,
    tenant,
    rows,
    idempotency?.key,
  );
  if (idempotency !== undefined && record !== undefined) {
    return { ...(await replayResponse(record, idempotency)), replayed: true };
  }
  if (open.processing + open.stalled >= deps.maxOpenBatches) throw tooManyOpen(open);
  const { runtime, chunkRows } = deps;
  const outline = outlineBatch(tenant.bankId, rows.length, accepted.length, failures, runtime);
  const fieldKey = await deps.fieldKey();
  let chunks: PlannedChunk[] = [];
  const stage = async (shard: ShardName) => {
    chunks = await stageChunks(outline, accepted, fieldKey, runtime, chunkRows, shard);
    return { ...outline, chunks };
  };
  const answer = toBatchReport(outline);
  const remembered = idempotency && { ...idempotency, record: toRecord(idempotency.fingerprint, answer) };
  const earlier = await commitBatch(deps, tenant, actor, stage, remembered);
  if (idempotency !== undefined && earlier !== null)
    return { ...(await replayResponse(earlier, idempotency)), replayed: true };
  await enqueueChunks(deps, tenant, outline, chunks);
  return { ...answer, replayed: false };
}

/**
 * Validates a batch by the same rules, and stores and sends nothing.
 * @param failuresFrom index of the first row whose failure is returned
 */
export async function dryRunBatch(
  deps: AcceptDeps,
  bank: LocatedBank,
  rows: unknown[],
  failuresFrom: number,
): Promise<BatchReport> {
  const { accepted, failures } = await validateAgainstBank(deps, deps.databases.tenantOf(bank), rows);
  const outline = outlineBatch(bank.bankId, rows.length, accepted.length, failures, deps.runtime);
  return toDryRunReport(outline, failuresFrom);
}

async function validateAgainstBank(deps: AcceptDeps, tenant: Tenant, rows: unknown[], key?: string) {
  const validator = new RowValidator();
  await inTurns(deps.runtime, rows, (slice) => validator.add(slice));
  const { valid, failures } = validator;
  const { existing, record, open } = await readBankState(deps, tenant, valid, key);
  const accepted: ValidRow[] = [];
  for (const candidate of valid) {
    const { index, row } = candidate;
    if (!existing.has(row.email)) accepted.push(candidate);
    else failures.push({ index, clientRef: row.clientRef, ...EXISTING_FAILURE });
  }
  failures.sort((one: RowFailure, other: RowFailure) => one.index - other.index);
  return { accepted, failures, record, open };
}

/** Which emails are customers already, is the Idempotency-Key known, and how many batches are open? One D1 call. */
async function readBankState(deps: AcceptDeps, tenant: Tenant, valid: ValidRow[], key: string | undefined) {
  const { bankId } = tenant;
  const emails = valid.map(({ row }) => row.email);
  const { existing, records, open } = await tenant.readPrimary({
    open: selectOpenBatchCounts(bankId, deps.maxOpenBatches),
    records: key === undefined ? [] : [selectIdempotencyRecord(bankId, key, deps.runtime.now())],
    existing: selectExistingEmails(bankId, emails),
  });
  return {
    existing: new Set(existing.map(({ email }) => email)),
    record: records[0],
    open: open[0] ?? NO_OPEN_BATCHES,
  };
}

/** A failure here costs time, not customers: the batch is stored, and the sweep sends its pointers. */
async function enqueueChunks(
  deps: AcceptDeps,
  { home }: Tenant,
  { bankId, batchId }: BatchOutline,
  chunks: PlannedChunk[],
): Promise<void> {
  if (chunks.length === 0) return;
  try {
    await deps.batchQueue.send(chunks.map(({ chunk }) => ({ bankId, batchId, chunk, ...home })));
  } catch (error) {
    const cause = describeCause(error);
    deps.runtime.log('warn', { event: 'batch_send_failed', bank: bankId, batch: batchId, cause });
  }
}
