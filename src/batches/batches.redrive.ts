/**
 * Bringing a stalled batch back, for an operator: its open chunks are due again, and the next sweep sends them.
 * Statements only, without bindings, because `npm run batches` runs them through wrangler.
 */
import { sql } from 'drizzle-orm';

export function findStalledBatches() {
  return sql`SELECT bank_id AS bank, id AS batch, datetime(created_at / 1000, 'unixepoch') AS accepted, total,
        (SELECT count(*) FROM batch_chunks
         WHERE bank_id = batches.bank_id AND batch_id = batches.id AND done_at IS NULL) AS openChunks
      FROM batches WHERE status = 'STALLED' ORDER BY id`;
}

/** The last statement returns the batch, if it was stalled. */
export function redriveBatch(batchId: string, now: number) {
  return [
    sql`UPDATE batch_chunks SET next_send_at = ${now}
        WHERE (bank_id, batch_id) IN (SELECT bank_id, id FROM batches WHERE id = ${batchId} AND status = 'STALLED')
          AND done_at IS NULL AND next_send_at IS NULL`,
    sql`UPDATE batches SET status = 'PROCESSING' WHERE id = ${batchId} AND status = 'STALLED' RETURNING id`,
  ];
}
