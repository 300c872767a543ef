/**
 * Redrives stalled batches for an operator: makes their open chunks due, so that the next sweep sends them.
 * These are statements without a database, because `npm run batches` runs them through wrangler.
 */
import { sql, type SQL } from 'drizzle-orm';
import { isOfOpenBank } from '../../databases/tenant.store.ts';

export function selectStalledBatches() {
  return sql`SELECT bank_id AS bank, id AS batch, datetime(created_at / 1000, 'unixepoch') AS accepted, total,
        (SELECT count(*) FROM batch_chunks
         WHERE bank_id = batches.bank_id AND batch_id = batches.id AND done_at IS NULL) AS openChunks
      FROM batches WHERE status = 'STALLED' ORDER BY id`;
}

/** Redrives one batch, if its bank is open in this shard. The last statement returns it, if it was stalled. */
export function redriveBatch(batchId: string, now: number) {
  return redrive(sql`id = ${batchId}`, now);
}

/** Redrives every stalled batch of a bank. The last statement returns them. */
export function redriveBank(bankId: string, now: number) {
  return redrive(sql`bank_id = ${bankId}`, now);
}

function redrive(meant: SQL, now: number) {
  return [
    sql`UPDATE batch_chunks SET next_send_at = ${now}, tries = 0
        WHERE (bank_id, batch_id) IN (SELECT bank_id, id FROM batches WHERE ${meant} AND status = 'STALLED'
            AND ${isOfOpenBank('batches')})
          AND done_at IS NULL AND next_send_at IS NULL`,
    sql`UPDATE batches SET status = 'PROCESSING' WHERE ${meant} AND status = 'STALLED'
        AND ${isOfOpenBank('batches')} RETURNING id`,
  ];
}
