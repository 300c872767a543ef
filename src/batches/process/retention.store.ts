/** Deletes expired batches from D1. */
import { sql } from 'drizzle-orm';
import { isOfOpenBank } from '../../databases/tenant.store.ts';
import type { Statement } from '../../db/statements.ts';

/**
 * Deletes batches of open banks that were completed before a time, oldest first, with their failures and chunks. A batch is deleted
 * whole, so the last one may pass `max.failures`.
 * @returns `batches` has a row for each one
 */
export function deleteOldBatches(completedBefore: number, max: { batches: number; failures: number }) {
  // Each statement finds the same batches, until the last one deletes them.
  const oldest = sql`SELECT bank_id, id FROM (
        SELECT bank_id, id, sum(failures) OVER (ORDER BY completed_at, bank_id, id) - failures AS before
        FROM (
          SELECT bank_id, id, completed_at,
            duplicates + invalid + raced + rejected - failures_removed AS failures
          FROM batches WHERE completed_at <= ${completedBefore} AND ${isOfOpenBank('batches')}
          ORDER BY completed_at, bank_id, id LIMIT ${max.batches}))
      WHERE before < ${max.failures}`;
  return {
    counts: sql`UPDATE tenants SET failure_count = failure_count - removed.count
        FROM (SELECT bank_id, count(*) AS count FROM batch_failures
          WHERE (bank_id, batch_id) IN (${oldest}) GROUP BY bank_id) AS removed
        WHERE tenants.bank_id = removed.bank_id`,
    failures: sql`DELETE FROM batch_failures WHERE (bank_id, batch_id) IN (${oldest})`,
    chunks: sql`DELETE FROM batch_chunks WHERE (bank_id, batch_id) IN (${oldest})`,
    batches: sql<{ id: string }>`DELETE FROM batches WHERE (bank_id, id) IN (${oldest}) RETURNING id`,
  };
}

export interface Backlog {
  batches: number;
  keys: number;
}

/** Beyond this many, the exact number makes no difference to whoever reads the log. */
const MAX_COUNTED = 100_000;

/** How many batches and Idempotency-Keys have expired and are still stored? */
export function selectBacklog(completedBefore: number, createdBefore: number): Statement<Backlog> {
  return sql<Backlog>`SELECT
      (SELECT count(*) FROM (
        SELECT 1 FROM batches WHERE completed_at <= ${completedBefore} AND ${isOfOpenBank('batches')}
        LIMIT ${MAX_COUNTED})) AS batches,
      (SELECT count(*) FROM (
        SELECT 1 FROM idempotency_keys
        WHERE created_at <= ${createdBefore} AND ${isOfOpenBank('idempotency_keys')} LIMIT ${MAX_COUNTED})) AS keys`;
}
