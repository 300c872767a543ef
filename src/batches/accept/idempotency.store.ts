/** Idempotency-Keys in D1: the only statements on `idempotency_keys`. */
import { sql } from 'drizzle-orm';
import { isOfOpenBank } from '../../databases/tenant.store.ts';
import type { Statement } from '../../db/statements.ts';
import { IDEMPOTENCY_KEY_TTL_MS, type IdempotencyRecord } from './idempotency.ts';

/** The only route that takes an Idempotency-Key. */
const ROUTE = 'POST /v1/bank/customers';

/** @param now keys older than IDEMPOTENCY_KEY_TTL_MS are ignored */
export function selectIdempotencyRecord(
  bankId: string,
  key: string,
  now: number,
): Statement<IdempotencyRecord> {
  return sql<IdempotencyRecord>`SELECT fingerprint, answer FROM idempotency_keys
      WHERE bank_id = ${bankId} AND route = ${ROUTE} AND idempotency_key = ${key}
        AND created_at > ${now - IDEMPOTENCY_KEY_TTL_MS}`;
}

/** Part of the accepting transaction, which fails as a whole if the key is known. */
export function insertIdempotencyRecord(
  bankId: string,
  key: string,
  { fingerprint, answer }: IdempotencyRecord,
  now: number,
): Statement[] {
  return [
    sql`DELETE FROM idempotency_keys
        WHERE bank_id = ${bankId} AND route = ${ROUTE} AND idempotency_key = ${key}
          AND created_at <= ${now - IDEMPOTENCY_KEY_TTL_MS}`,
    sql`INSERT INTO idempotency_keys (bank_id, route, idempotency_key, fingerprint, answer, created_at)
        VALUES (${bankId}, ${ROUTE}, ${key}, ${fingerprint}, ${answer}, ${now})`,
  ];
}

/** Deletes at most `max` Idempotency-Keys of open banks that are older than a time. Returns a row for each. */
export function deleteOldIdempotencyKeys(
  createdBefore: number,
  max: number,
): Statement<{ created_at: number }> {
  return sql<{ created_at: number }>`DELETE FROM idempotency_keys WHERE (bank_id, route, idempotency_key) IN (
        SELECT bank_id, route, idempotency_key FROM idempotency_keys
        WHERE created_at <= ${createdBefore} AND ${isOfOpenBank('idempotency_keys')} ORDER BY created_at LIMIT ${max})
      RETURNING created_at`;
}
