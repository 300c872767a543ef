/**
 * Deliveries in D1. A deliverer holds a lease, and each result counts only if the lease and the position are still those
 * that it had: so a position moves forward only, whoever is late.
 */
import { sql, type SQL } from 'drizzle-orm';
import { insertChange } from '../audit/audit.store.ts';
import type { Statement } from '../db/statements.ts';
import { isDue, selectDueEndpoints } from '../events/due-endpoints.store.ts';
import { MAX_EVENTS_LOOKED_AT, type DisabledReason } from '../events/event-types.ts';
import { insertEvent, selectEventLog, type EventRow } from '../events/events.store.ts';
import type { EndpointKey } from '../events/webhook-queue.ts';
import { isEndpoint, receiverColumns, type Receiver } from './webhooks.store.ts';

/** An endpoint whose lease the deliverer has. */
export interface ClaimedEndpoint extends Receiver {
  position: number;
  failures: number;
  failingSince: number | null;
}

export interface Claim extends EndpointKey {
  /** Names the deliverer. */
  lease: string;
  now: number;
  leaseUntil: number;
}

/**
 * Claims an endpoint that is due, and selects its next events: at most `maxEvents`, of its types, among the next
 * MAX_EVENTS_LOOKED_AT. One row written; `endpoint` is empty and nothing is written if it is not due.
 */
export function claimEndpointStatements(claim: Claim, maxEvents: number) {
  const { bankId, endpointId, lease, now, leaseUntil } = claim;
  const own = sql`FROM webhook_endpoints WHERE ${isEndpoint(bankId, endpointId)} AND lease = ${lease}`;
  return {
    endpoint: sql<ClaimedEndpoint>`UPDATE webhook_endpoints SET lease = ${lease}, lease_until = ${leaseUntil}
        WHERE ${isEndpoint(bankId, endpointId)} AND ${isDue(now)}
        RETURNING ${receiverColumns}, position, failures, failing_since AS failingSince`,
    log: selectEventLog(bankId),
    events: sql<EventRow>`SELECT sequence, type, data, created_at AS createdAt FROM events
        WHERE bank_id = ${bankId} AND sequence > (SELECT position ${own})
          AND sequence <= (SELECT position + ${MAX_EVENTS_LOOKED_AT} ${own})
          AND type IN (SELECT value FROM json_each((SELECT types ${own})))
        ORDER BY sequence LIMIT ${maxEvents}`,
  };
}

/** What a deliverer knows when it writes down a result. */
export interface Held extends EndpointKey {
  lease: string;
  position: number;
}

const isHeld = ({ bankId, endpointId, lease, position }: Held): SQL =>
  sql`${isEndpoint(bankId, endpointId)} AND lease = ${lease} AND position = ${position}`;

export interface Move {
  position: number;
  /** 0: the deliverer is done, and the next may begin. */
  leaseUntil: number;
  /** Null: no event was sent, because none matched. */
  sent: { at: number; status: number } | null;
}

/**
 * Moves the position of an endpoint forward. One row written.
 * @returns one row, unless the lease or the position is another's by now; `isBehind` 1: there are more events
 */
export function moveEndpoint(
  held: Held,
  { position, leaseUntil, sent }: Move,
): Statement<{ isBehind: number }> {
  const result =
    sent === null
      ? sql``
      : sql`, last_attempt_at = ${sent.at}, last_status = ${sent.status}, failures = 0, failing_since = NULL,
          next_attempt_at = 0`;
  return sql<{
    isBehind: number;
  }>`UPDATE webhook_endpoints SET position = ${position}, lease_until = ${leaseUntil}${result}
      WHERE ${isHeld(held)}
      RETURNING position < (SELECT event_sequence FROM tenants WHERE bank_id = webhook_endpoints.bank_id) AS isBehind`;
}

export interface Failure {
  at: number;
  status: number | null;
}

const failed = ({ at, status }: Failure): SQL =>
  sql`lease_until = 0, last_attempt_at = ${at}, last_status = ${status}, failures = failures + 1,
        failing_since = coalesce(failing_since, ${at})`;

/** Records a failed attempt. The position stays, and so does the order. One row written. */
export function postponeEndpoint(held: Held, failure: Failure, nextAttemptAt: number): Statement {
  return sql`UPDATE webhook_endpoints SET ${failed(failure)}, next_attempt_at = ${nextAttemptAt}
      WHERE ${isHeld(held)}`;
}

/**
 * Disables an endpoint, with its event and its row of the audit log. `due` are the bank's other endpoints that want the
 * event; `disabled` is empty if the lease or the position is another's by now.
 * @param failure the last attempt; null: there was none
 */
export function disableEndpointStatements(
  held: Held,
  now: number,
  reason: DisabledReason,
  failure: Failure | null,
) {
  const { bankId, endpointId, lease } = held;
  const meant = sql`EXISTS (SELECT 1 FROM webhook_endpoints WHERE ${isHeld(held)} AND status = 'ENABLED')`;
  const change = { at: now, action: 'webhook.disabled', subject: endpointId, fields: ['status'] } as const;
  return {
    event: insertEvent(
      { bankId, now, type: 'webhook.disabled', data: JSON.stringify({ webhookId: endpointId, reason }) },
      sql`WHERE ${meant}`,
    ),
    audit: insertChange({ bankId, apiKeyId: null, requestId: lease }, change, meant),
    disabled: sql<{ id: string }>`UPDATE webhook_endpoints
        SET status = 'DISABLED', disabled_at = ${now}, disabled_reason = ${reason}, lease_until = 0
          ${failure === null ? sql`` : sql`, ${failed(failure)}`}
        WHERE ${isHeld(held)} AND status = 'ENABLED' RETURNING id`,
    due: selectDueEndpoints(bankId, now, 'webhook.disabled'),
  };
}
