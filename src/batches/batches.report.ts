/** What a batch request is answered with. */
import { LIMITS } from '../env.ts';
import type { RowFailure } from './batches.judge.ts';
import type { BatchPlan } from './batches.plan.ts';

export interface BatchSummary {
  total: number;
  successful: number;
  failed: number;
  duplicates: number;
  invalidData: number;
}

/** The contract's `data`, and where the rest of it is. */
export interface BatchReport {
  /** Null for a dry run, as are the other things that it does not make. */
  batchId: string | null;
  status: 'PROCESSING' | 'COMPLETED_WITH_FAILURES' | null;
  summary: BatchSummary;
  failures: RowFailure[];
  failuresInline: boolean;
  inlineFailureLimit: number;
  failuresUrl: string | null;
  data: { createdCount: number; customerIds: string[] };
}

export interface AcceptedBatch {
  report: BatchReport;
  /** Why no row at all was accepted; null where one was. */
  refusal: 'CUSTOMER_EXISTS' | 'INVALID_REQUEST' | null;
}

export function batchUrl(batchId: string): string {
  return `/v1/bank/customers/batches/${batchId}`;
}

export function describePlan(plan: BatchPlan): AcceptedBatch {
  const { batchId, customerIds, failures } = plan;
  const none = customerIds.length === 0;
  const allExist = failures.every(({ code }) => code === 'EXISTING_CUSTOMER');
  const failuresInline = failures.length <= LIMITS.inlineFailures;
  const report: BatchReport = {
    batchId,
    status: none ? 'COMPLETED_WITH_FAILURES' : 'PROCESSING',
    summary: {
      total: plan.total,
      successful: customerIds.length,
      failed: failures.length,
      duplicates: plan.duplicates,
      invalidData: plan.invalid,
    },
    failures: failures.slice(0, LIMITS.inlineFailures),
    failuresInline,
    inlineFailureLimit: LIMITS.inlineFailures,
    failuresUrl: failuresInline ? null : `${batchUrl(batchId)}/failures`,
    data: { createdCount: customerIds.length, customerIds },
  };
  return { report, refusal: none ? (allExist ? 'CUSTOMER_EXISTS' : 'INVALID_REQUEST') : null };
}

/** The same report of a batch that was not stored: what it would be, without what it does not make. */
export function describeDryRun(plan: BatchPlan): BatchReport {
  const { report } = describePlan(plan);
  return {
    ...report,
    batchId: null,
    status: null,
    failuresUrl: null,
    data: { createdCount: 0, customerIds: [] },
  };
}
