/** The status of a batch in D1: the one place where a batch is completed. */
import { sql } from 'drizzle-orm';
import type { Statement } from '../db/statements.ts';

/** Derives a batch's counts and status from its chunks, so that running it once too often changes nothing. */
export function refreshBatchStatus(
  { bankId, batchId }: { bankId: string; batchId: string },
  now: number,
): Statement {
  return sql`UPDATE batches
        SET created = chunks.created, raced = chunks.raced, rejected = chunks.rejected,
          status = CASE
            WHEN chunks.stalled > 0 THEN 'STALLED'
            WHEN chunks.open > 0 THEN 'PROCESSING'
            WHEN chunks.created = total THEN 'COMPLETED'
            ELSE 'COMPLETED_WITH_FAILURES' END,
          completed_at = CASE WHEN chunks.open > 0 THEN NULL ELSE ${now} END
        FROM (
          SELECT coalesce(sum(created), 0) AS created, coalesce(sum(raced), 0) AS raced,
            coalesce(sum(row_count - created - raced) FILTER (WHERE NOT done_at IS NULL), 0) AS rejected,
            count(*) FILTER (WHERE done_at IS NULL) AS open,
            count(*) FILTER (WHERE done_at IS NULL AND next_send_at IS NULL) AS stalled
          FROM batch_chunks WHERE bank_id = ${bankId} AND batch_id = ${batchId}
        ) AS chunks
        WHERE bank_id = ${bankId} AND id = ${batchId} AND completed_at IS NULL`;
}
