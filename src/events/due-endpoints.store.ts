/** Which webhook endpoints have something to be sent now? Asked by whatever records an event, and by the cron. */
import { sql, type SQL } from 'drizzle-orm';
import type { Statement } from '../db/statements.ts';
import type { EventType } from './event-types.ts';
import type { EndpointKey, EndpointPointer } from './webhook-queue.ts';

/** Is there an event behind its position, does it wait for no retry, and is nobody sending to it? */
export const isDue = (now: number): SQL =>
  sql`status = 'ENABLED' AND next_attempt_at <= ${now} AND lease_until <= ${now} AND position < (
        SELECT event_sequence FROM tenants WHERE bank_id = webhook_endpoints.bank_id)`;

/**
 * The endpoints of a bank that are due and want one of these types. The last statement of a transaction that may record
 * an event. Reads the bank's endpoints, of which it has at most 20, and its row once for each.
 */
export function selectDueEndpoints(
  bankId: string,
  now: number,
  ...types: EventType[]
): Statement<EndpointKey> {
  const wants = types.map((type) => sql`instr(types, ${`"${type}"`}) > 0`);
  return sql<EndpointKey>`SELECT bank_id AS bankId, id AS endpointId FROM webhook_endpoints
      WHERE bank_id = ${bankId} AND (${sql.join(wants, sql` OR `)}) AND ${isDue(now)}`;
}

export interface CheckedEndpoint extends Omit<EndpointPointer, 'shard'> {
  /** 1: yes. */
  due: number;
}

/**
 * Checks the next `max` endpoints of the banks of a shard after this one: three rows read for each. Those of a bank that is
 * not open are not due.
 */
export function selectNextEndpoints(
  after: EndpointKey,
  now: number,
  max: number,
): Statement<CheckedEndpoint> {
  return sql<CheckedEndpoint>`SELECT bank_id AS bankId, id AS endpointId, move_number AS moveNumber,
        (tenants.state = 'open' AND ${isDue(now)}) AS due
      FROM webhook_endpoints CROSS JOIN tenants USING (bank_id)
      WHERE (webhook_endpoints.bank_id, id) > (${after.bankId}, ${after.endpointId})
      ORDER BY webhook_endpoints.bank_id, id LIMIT ${max}`;
}
