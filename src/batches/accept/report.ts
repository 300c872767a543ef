/** The report that a batch request is answered with. */
import { LIMITS } from '../../limits.ts';
import type { BatchReport, RowFailure } from '../batches.responses.ts';
import type { BatchOutline } from './plan.ts';

export interface AcceptedBatch {
  report: BatchReport;
  /** Why no row was accepted; null if one was. */
  refusal: 'CUSTOMER_EXISTS' | 'INVALID_REQUEST' | null;
}

export function batchPath(batchId: string): string {
  return `/v1/bank/customers/batches/${batchId}`;
}

export function toBatchReport(batch: BatchOutline): AcceptedBatch {
  const { batchId, customerIds, failures } = batch;
  const none = customerIds.length === 0;
  const inline = withinBytes(failures.slice(0, LIMITS.inlineFailures), LIMITS.inlineFailureBytes);
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
    failuresUrl: failuresInline ? null : `${batchPath(batchId)}/failures`,
    data: { createdCount: customerIds.length, customerIds },
  };
  return { report, refusal: none ? (batch.invalid === 0 ? 'CUSTOMER_EXISTS' : 'INVALID_REQUEST') : null };
}

const utf8 = new TextEncoder();

/** Returns the first failures, as many as fit into `maxBytes` of JSON. */
function withinBytes(failures: RowFailure[], maxBytes: number): RowFailure[] {
  let bytes = 0;
  const first = failures.findIndex((failure) => {
    bytes += utf8.encode(JSON.stringify(failure)).length;
    return bytes > maxBytes;
  });
  return first === -1 ? failures : failures.slice(0, first);
}

/**
 * Reports a dry run. It has as many failures as a response may hold, because there is no URL to read the rest from, and
 * no customers, because nothing was stored.
 * @param failuresFrom index of the first row whose failure is included
 */
export function toDryRunReport(batch: BatchOutline, failuresFrom: number): BatchReport {
  const { report } = toBatchReport(batch);
  const wanted = batch.failures.filter(({ index }) => index >= failuresFrom);
  const failures = withinBytes(wanted, LIMITS.dryRunFailureBytes);
  return {
    ...report,
    batchId: null,
    status: null,
    failures,
    failuresInline: failures.length === wanted.length,
    failuresUrl: null,
    data: { createdCount: 0, customerIds: [] },
  };
}
