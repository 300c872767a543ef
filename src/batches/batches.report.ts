/** What a batch request is answered with. */
import { LIMITS } from '../env.ts';
import type { BatchReport, RowFailure } from './batches.answers.ts';
import type { BatchOutline } from './batches.plan.ts';

export interface AcceptedBatch {
  report: BatchReport;
  /** Why no row at all was accepted; null where one was. */
  refusal: 'CUSTOMER_EXISTS' | 'INVALID_REQUEST' | null;
}

export function batchUrl(batchId: string): string {
  return `/v1/bank/customers/batches/${batchId}`;
}

export function describeBatch(batch: BatchOutline): AcceptedBatch {
  const { batchId, customerIds, failures } = batch;
  const none = customerIds.length === 0;
  const inline = withinBounds(failures);
  const failuresInline = inline.length === failures.length;
  const report: BatchReport = {
    batchId,
    status: none ? 'COMPLETED_WITH_FAILURES' : 'PROCESSING',
    summary: {
      total: batch.total,
      successful: customerIds.length,
      failed: failures.length,
      duplicates: batch.duplicates,
      invalidData: batch.invalid,
    },
    failures: inline,
    failuresInline,
    inlineFailureLimit: LIMITS.inlineFailures,
    failuresUrl: failuresInline ? null : `${batchUrl(batchId)}/failures`,
    data: { createdCount: customerIds.length, customerIds },
  };
  return { report, refusal: none ? (batch.invalid === 0 ? 'CUSTOMER_EXISTS' : 'INVALID_REQUEST') : null };
}

/** The first failures, as many as the contract's limit and the size of an answer allow. */
function withinBounds(failures: RowFailure[]): RowFailure[] {
  const inline: RowFailure[] = [];
  let bytes = 0;
  for (const failure of failures.slice(0, LIMITS.inlineFailures)) {
    bytes += new TextEncoder().encode(JSON.stringify(failure)).length;
    if (bytes > LIMITS.inlineFailureBytes) break;
    inline.push(failure);
  }
  return inline;
}

/**
 * The same report of a batch that was not stored: with all of its failures, because there is no address to read
 * the rest from, and without customers, because it makes none.
 */
export function describeDryRun(batch: BatchOutline): BatchReport {
  const { report } = describeBatch(batch);
  return {
    ...report,
    batchId: null,
    status: null,
    failures: batch.failures,
    failuresInline: true,
    failuresUrl: null,
    data: { createdCount: 0, customerIds: [] },
  };
}
