/** The status of a batch in D1: the one place where a batch is completed or stalled, and where its events come from. */
import { sql, type SQL } from 'drizzle-orm';
import type { Statement } from '../db/statements.ts';
import type { EventType } from '../events/event-types.ts';
import { insertEvent } from '../events/events.store.ts';

/** Of the batch's chunks. */
const STATUS = sql.raw(`CASE
            WHEN chunks.stalled > 0 THEN 'STALLED'
            WHEN chunks.open > 0 THEN 'PROCESSING'
            WHEN chunks.created = total THEN 'COMPLETED'
            ELSE 'COMPLETED_WITH_FAILURES' END`);

const EVENT_TYPE = sql.raw(`iif(chunks.stalled > 0, 'batch.stalled', 'batch.completed')`) as SQL<EventType>;

/** As events.responses.ts has it. */
const EVENT_DATA = sql`CASE WHEN chunks.stalled > 0
            THEN json_object('batchId', id, 'total', total,
              'processed', duplicates + invalid + chunks.created + chunks.raced + chunks.rejected)
            ELSE json_object('batchId', id, 'status', ${STATUS}, 'total', total,
              'successful', chunks.created, 'failed', total - chunks.created) END`;

/**
 * Derives a batch's counts and status from its chunks, so that running it once too often changes nothing. Records an
 * event if the batch becomes completed or stalled.
 */
export function refreshBatchStatus(
  { bankId, batchId }: { bankId: string; batchId: string },
  now: number,
): Statement[] {
  const chunks = sql`(
          SELECT coalesce(sum(created), 0) AS created, coalesce(sum(raced), 0) AS raced,
            coalesce(sum(row_count - created - raced) FILTER (WHERE NOT done_at IS NULL), 0) AS rejected,
            count(*) FILTER (WHERE done_at IS NULL) AS open,
            count(*) FILTER (WHERE done_at IS NULL AND next_send_at IS NULL) AS stalled
          FROM batch_chunks WHERE bank_id = ${bankId} AND batch_id = ${batchId}
        ) AS chunks`;
  const isOpenBatch = sql`bank_id = ${bankId} AND id = ${batchId} AND completed_at IS NULL`;
  return [
    ...insertEvent(
      { bankId, now, type: EVENT_TYPE, data: EVENT_DATA },
      sql`FROM batches CROSS JOIN ${chunks}
        WHERE ${isOpenBatch} AND (chunks.stalled > 0 OR chunks.open = 0) AND status <> ${STATUS}`,
    ),
    sql`UPDATE batches
        SET created = chunks.created, raced = chunks.raced, rejected = chunks.rejected,
          status = ${STATUS},
          completed_at = CASE WHEN chunks.open > 0 THEN NULL ELSE ${now} END
        FROM ${chunks}
        WHERE ${isOpenBatch}`,
  ];
}
