/**
 * Accepting a batch. Promise: what is answered as accepted is in D1, whole; the queue only makes it quick, and
 * the sweep sends again whatever the queue loses.
 */
import type { Actor } from '../audit/audit.store.ts';
import { runTogether } from '../db/client.ts';
import type { Deps } from '../deps.ts';
import { describeCause } from '../db/cause.ts';
import type { BatchReport, RowFailure } from './batches.answers.ts';
import { commitBatch, tooManyOpen } from './batches.commit.ts';
import {
  readIdempotency,
  replay,
  toRecord,
  type Idempotency,
  type IdempotencyRecord,
} from './batches.idempotency.ts';
import { EXISTING_FAILURE, judgeRows, type ValidRow } from './batches.judge.ts';
import { outlineBatch, stageChunks, type BatchPlan } from './batches.plan.ts';
import { describeBatch, describeDryRun, type AcceptedBatch } from './batches.report.ts';
import { findIdempotencyRecord } from './batches.idempotency.store.ts';
import { countOpenBatches, findExistingEmails, type OpenBatches } from './batches.store.ts';

export type Answer = AcceptedBatch & {
  /** The answer to an earlier request with the same key and body. */
  replayed: boolean;
};

/**
 * Judges, stores and announces a batch. Two D1 calls and one queue call, for any size.
 * @param rows 1 to 10,000 rows as they were sent
 * @param key the request's Idempotency-Key
 */
export async function acceptBatch(
  deps: Deps,
  actor: Actor,
  rows: unknown[],
  key: string | undefined,
): Promise<Answer> {
  const work = acceptOnce(deps, actor, rows, key);
  // A client that goes away should not stop it half-way, stored and not announced; the platform grants 30 s.
  deps.after(work.then(ignore, ignore));
  return work;
}

function ignore(): void {}

async function acceptOnce(
  deps: Deps,
  actor: Actor,
  rows: unknown[],
  key: string | undefined,
): Promise<Answer> {
  if (key === undefined) return accept(deps, actor, rows);
  return deps.runningKeys.whileRunning(actor.bankId, key, deps.runtime.now(), async () =>
    accept(deps, actor, rows, await readIdempotency(key, rows, deps.fieldKey)),
  );
}

async function accept(deps: Deps, actor: Actor, rows: unknown[], idempotency?: Idempotency): Promise<Answer> {
  const { bankId } = actor;
  const { accepted, failures, record, open } = await judgeAgainstBank(deps, bankId, rows, idempotency?.key);
  if (idempotency !== undefined && record !== undefined) {
    return { ...(await replay(record, idempotency)), replayed: true };
  }
  if (open.processing + open.stalled >= deps.mostOpenBatches) throw tooManyOpen(open);
  const { runtime, chunkRows } = deps;
  const outline = outlineBatch(bankId, rows.length, accepted.length, failures, runtime);
  const chunks = await stageChunks(outline, accepted, await deps.fieldKey(), runtime.random, chunkRows);
  const plan = { ...outline, chunks };
  const answer = describeBatch(plan);
  const remembered = idempotency && { ...idempotency, record: toRecord(idempotency.fingerprint, answer) };
  const earlier = await commitBatch(deps, actor, plan, remembered);
  if (idempotency !== undefined && earlier !== null)
    return { ...(await replay(earlier, idempotency)), replayed: true };
  await announce(deps, plan);
  return { ...answer, replayed: false };
}

/**
 * Judges a batch by the same rules, and stores and sends nothing.
 * @param failuresFrom index of the first row whose failure is answered
 */
export async function rehearseBatch(
  deps: Deps,
  bankId: string,
  rows: unknown[],
  failuresFrom: number,
): Promise<BatchReport> {
  const { accepted, failures } = await judgeAgainstBank(deps, bankId, rows);
  const outline = outlineBatch(bankId, rows.length, accepted.length, failures, deps.runtime);
  return describeDryRun(outline, failuresFrom);
}

async function judgeAgainstBank(deps: Deps, bankId: string, rows: unknown[], key?: string) {
  const { valid, failures } = judgeRows(rows);
  const { existing, record, open } = await askBank(deps, bankId, valid, key);
  const accepted: ValidRow[] = [];
  for (const candidate of valid) {
    const { index, row } = candidate;
    if (!existing.has(row.email)) accepted.push(candidate);
    else failures.push({ index, clientRef: row.clientRef, ...EXISTING_FAILURE });
  }
  failures.sort((one: RowFailure, other: RowFailure) => one.index - other.index);
  return { accepted, failures, record, open };
}

/** Which emails are customers already, is the key known, and how much is under way? One D1 call for all. */
async function askBank(deps: Deps, bankId: string, valid: ValidRow[], key: string | undefined) {
  const emails = valid.map(({ row }) => row.email);
  const keyed = key === undefined ? [] : [findIdempotencyRecord(bankId, key, deps.runtime.now())];
  const counted = countOpenBatches(bankId, deps.mostOpenBatches);
  const [open, ...results] = await runTogether(deps.db, [
    counted,
    ...keyed,
    ...findExistingEmails(bankId, emails),
  ]);
  const records = keyed.flatMap(() => (results.shift() ?? []) as IdempotencyRecord[]);
  const found = results.flat() as { email: string }[];
  return {
    existing: new Set(found.map(({ email }) => email)),
    record: records[0],
    open: (open as OpenBatches[])[0] ?? { processing: 0, stalled: 0 },
  };
}

/** A failure here costs time, not customers: the batch is stored, and the sweep sends its pointers. */
async function announce(deps: Deps, { bankId, batchId, chunks }: BatchPlan): Promise<void> {
  if (chunks.length === 0) return;
  try {
    await deps.batchQueue.send(chunks.map(({ chunk }) => ({ bankId, batchId, chunk })));
  } catch (error) {
    const cause = describeCause(error);
    deps.runtime.log('warn', { event: 'batch_send_failed', bank: bankId, batch: batchId, cause });
  }
}
