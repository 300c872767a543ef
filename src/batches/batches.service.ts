/**
 * Accepting a batch. Promise: what is answered as accepted is in D1, whole; the queue only makes it quick, and
 * the sweep sends again whatever the queue loses.
 */
import { runTogether } from '../db/client.ts';
import type { Deps } from '../deps.ts';
import { LIMITS } from '../env.ts';
import { EXISTING_FAILURE, judgeRows, type RowFailure, type ValidRow } from './batches.judge.ts';
import { planBatch, type BatchPlan } from './batches.plan.ts';
import { findExistingEmails, insertBatch } from './batches.store.ts';

/** How long the queue has to deliver a pointer before the sweep sends it again. The cron runs every minute. */
export const SEND_AGAIN_MS = 60_000;

export interface BatchReport {
  batchId: string;
  status: 'PROCESSING' | 'COMPLETED_WITH_FAILURES';
  summary: { total: number; successful: number; failed: number; duplicates: number; invalidData: number };
  failures: RowFailure[];
  failuresInline: boolean;
  inlineFailureLimit: number;
  data: { createdCount: number; customerIds: string[] };
}

export interface AcceptedBatch {
  report: BatchReport;
  /** Why no row at all was accepted; null where one was. */
  refusal: 'CUSTOMER_EXISTS' | 'INVALID_REQUEST' | null;
}

/**
 * Judges, stores and announces a batch. Two D1 calls and one queue call, for any size.
 * @param rows 1 to 10,000 rows as they were sent
 */
export async function acceptBatch(deps: Deps, bankId: string, rows: unknown[]): Promise<AcceptedBatch> {
  const { accepted, failures } = await judgeAgainstBank(deps, bankId, rows);
  const plan = planBatch(bankId, rows.length, accepted, failures, deps.runtime);
  await runTogether(deps.db, insertBatch(deps.db, plan, plan.createdAt + SEND_AGAIN_MS));
  await announce(deps, plan);
  return { report: toReport(plan), refusal: refusalOf(plan) };
}

function refusalOf({ customerIds, failures }: BatchPlan): AcceptedBatch['refusal'] {
  if (customerIds.length > 0) return null;
  return failures.every(({ code }) => code === 'EXISTING_CUSTOMER') ? 'CUSTOMER_EXISTS' : 'INVALID_REQUEST';
}

async function judgeAgainstBank(deps: Deps, bankId: string, rows: unknown[]) {
  const { valid, failures } = judgeRows(rows);
  const emails = valid.map(({ row }) => row.email);
  const found = emails.length === 0 ? [] : await findExistingEmails(deps.db, bankId, emails);
  const existing = new Set(found.map(({ email }) => email));
  const accepted: ValidRow[] = [];
  for (const candidate of valid) {
    const { index, row } = candidate;
    if (!existing.has(row.email)) accepted.push(candidate);
    else failures.push({ index, clientRef: row.clientRef, ...EXISTING_FAILURE });
  }
  failures.sort((one, other) => one.index - other.index);
  return { accepted, failures };
}

/** A failure here costs time, not customers: the batch is stored, and the sweep sends its pointers. */
async function announce(deps: Deps, { bankId, batchId, chunks }: BatchPlan): Promise<void> {
  if (chunks.length === 0) return;
  try {
    await deps.batchQueue.send(chunks.map(({ chunk }) => ({ bankId, batchId, chunk })));
  } catch {
    deps.runtime.log('warn', { event: 'batch_send_failed', bank: bankId, batch: batchId });
  }
}

function toReport(plan: BatchPlan): BatchReport {
  const { batchId, total, duplicates, invalid, customerIds, failures } = plan;
  return {
    batchId,
    status: plan.chunks.length === 0 ? 'COMPLETED_WITH_FAILURES' : 'PROCESSING',
    summary: {
      total,
      successful: customerIds.length,
      failed: failures.length,
      duplicates,
      invalidData: invalid,
    },
    failures: failures.slice(0, LIMITS.inlineFailures),
    failuresInline: failures.length <= LIMITS.inlineFailures,
    inlineFailureLimit: LIMITS.inlineFailures,
    data: { createdCount: customerIds.length, customerIds },
  };
}
