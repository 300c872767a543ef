/** Webhook endpoints in D1, as their bank manages them. Every change is audited in its transaction. */
import { sql, type SQL } from 'drizzle-orm';
import { insertChange, isLatest, selectChange, type Change } from '../audit/audit.store.ts';
import type { Actor } from '../api-keys/caller.ts';
import type { Statement } from '../db/statements.ts';
import type { DisabledReason } from '../events/event-types.ts';
import { MIN_INTERVAL_MS } from './retries.ts';

export interface EndpointRow {
  id: string;
  url: string;
  /** A JSON array. */
  types: string;
  status: 'ENABLED' | 'DISABLED';
  createdAt: number;
  disabledAt: number | null;
  disabledReason: DisabledReason | null;
  position: number;
  /** The bank's newest event. */
  newest: number;
  lastAttemptAt: number | null;
  lastStatus: number | null;
  failingSince: number | null;
  nextAttemptAt: number;
  /** Until then somebody may be sending to it. */
  leaseUntil: number;
  previousSecretUntil: number | null;
}

const columns = sql.raw(`id, url, types, status, created_at AS createdAt, disabled_at AS disabledAt,
        disabled_reason AS disabledReason, position,
        (SELECT event_sequence FROM tenants WHERE bank_id = webhook_endpoints.bank_id) AS newest,
        last_attempt_at AS lastAttemptAt, last_status AS lastStatus, failing_since AS failingSince,
        next_attempt_at AS nextAttemptAt, lease_until AS leaseUntil,
        previous_secret_until AS previousSecretUntil`);

export const isEndpoint = (bankId: string, id: string): SQL => sql`bank_id = ${bankId} AND id = ${id}`;

/** In the order of their creation. */
export function selectEndpoints(bankId: string): Statement<EndpointRow> {
  return sql<EndpointRow>`SELECT ${columns} FROM webhook_endpoints WHERE bank_id = ${bankId} ORDER BY id`;
}

export function selectEndpoint(bankId: string, id: string): Statement<EndpointRow> {
  return sql<EndpointRow>`SELECT ${columns} FROM webhook_endpoints WHERE ${isEndpoint(bankId, id)}`;
}

export interface NewEndpoint {
  id: string;
  url: string;
  types: readonly string[];
  /** Sealed. */
  secret: string;
}

/** Inserts an endpoint that begins with the next event. `endpoint` is empty if the bank has `max` already. */
export function insertEndpointStatements(actor: Actor, at: number, endpoint: NewEndpoint, max: number) {
  const { bankId } = actor;
  const { id, url, types, secret } = endpoint;
  const hasRoom = sql`(SELECT count(*) FROM webhook_endpoints WHERE bank_id = ${bankId}) < ${max}`;
  return {
    audit: insertChange(
      actor,
      { at, action: 'webhook.created', subject: id, fields: ['url', 'types'] },
      hasRoom,
    ),
    insert: sql`INSERT INTO webhook_endpoints (bank_id, id, url, types, secret, position, created_at)
        SELECT bank_id, ${id}, ${url}, ${JSON.stringify(types)}, ${secret}, event_sequence, ${at}
        FROM tenants WHERE bank_id = ${bankId} AND ${isLatest(actor, id)} ON CONFLICT DO NOTHING`,
    endpoint: selectEndpoint(bankId, id),
  };
}

/** Changes an endpoint. Running it again changes nothing. `endpoint` is empty if there is none. */
function changeStatements(
  actor: Actor,
  id: string,
  change: Pick<Change, 'at' | 'action' | 'fields'>,
  changes: SQL,
) {
  const { bankId } = actor;
  const exists = sql`EXISTS (SELECT 1 FROM webhook_endpoints WHERE ${isEndpoint(bankId, id)})`;
  return {
    audit: insertChange(actor, { ...change, subject: id }, exists),
    update: sql`UPDATE webhook_endpoints SET ${changes} WHERE ${isEndpoint(bankId, id)} AND ${isLatest(actor, id)}`,
    endpoint: selectEndpoint(bankId, id),
  };
}

/**
 * Forgets who is sending to it, whose result then no longer counts. The next delivery begins when the lease has ended, so
 * that a receiver never has two requests at once.
 */
const FORGET_DELIVERER = sql.raw('lease = NULL');
/** Forgets that it failed, and has it tried soon. */
const FORGET_FAILURES = sql.raw(
  `failures = 0, failing_since = NULL, next_attempt_at = coalesce(last_attempt_at + ${MIN_INTERVAL_MS}, 0)`,
);

/** A new URL is tried soon. A deliverer that has begun before does not know the new URL or types. */
export function updateEndpointStatements(
  actor: Actor,
  at: number,
  id: string,
  { url, types }: { url: string | undefined; types: readonly string[] | undefined },
) {
  const changes = [
    FORGET_DELIVERER,
    ...(url === undefined ? [] : [sql`url = ${url}, ${FORGET_FAILURES}`]),
    ...(types === undefined ? [] : [sql`types = ${JSON.stringify(types)}`]),
  ];
  const fields = Object.entries({ url, types }).flatMap(([name, value]) =>
    value === undefined ? [] : [name],
  );
  return changeStatements(actor, id, { at, action: 'webhook.updated', fields }, sql.join(changes, sql`, `));
}

/** @param after the sequence after which to go on; undefined: where it is */
export function enableEndpointStatements(actor: Actor, at: number, id: string, after: number | undefined) {
  const position = after === undefined ? sql`position` : sql`${after}`;
  return changeStatements(
    actor,
    id,
    { at, action: 'webhook.enabled', fields: after === undefined ? ['status'] : ['status', 'position'] },
    sql`status = 'ENABLED', disabled_at = NULL, disabled_reason = NULL, position = ${position},
        ${FORGET_DELIVERER}, ${FORGET_FAILURES}`,
  );
}

/** @param secret sealed @param until when the secret that it replaces ends */
export function rotateSecretStatements(actor: Actor, at: number, id: string, secret: string, until: number) {
  return changeStatements(
    actor,
    id,
    { at, action: 'webhook.secret_rotated', fields: ['secret'] },
    // Run again, it must not replace the previous secret by the new one.
    sql`previous_secret = iif(secret = ${secret}, previous_secret, secret), previous_secret_until = ${until},
        secret = ${secret}`,
  );
}

/** `change` is empty if there was no such endpoint. */
export function deleteEndpointStatements(actor: Actor, at: number, id: string) {
  const { bankId } = actor;
  const change = { at, action: 'webhook.deleted', subject: id, fields: [] } as const;
  const exists = sql`EXISTS (SELECT 1 FROM webhook_endpoints WHERE ${isEndpoint(bankId, id)})`;
  return {
    audit: insertChange(actor, change, exists),
    endpoint: sql`DELETE FROM webhook_endpoints WHERE ${isEndpoint(bankId, id)} AND ${isLatest(actor, id)}`,
    change: selectChange(actor, change),
  };
}

/** What sending to an endpoint needs. */
export interface Receiver {
  url: string;
  /** Sealed, like the previous one. */
  secret: string;
  previousSecret: string | null;
  previousSecretUntil: number | null;
}

export const receiverColumns = sql.raw(
  'url, secret, previous_secret AS previousSecret, previous_secret_until AS previousSecretUntil',
);

/** Claims the right to test an endpoint. `claimed` is empty if it was tested less than `intervalMs` ago. */
export function claimTestStatements(bankId: string, id: string, now: number, intervalMs: number) {
  return {
    claimed: sql<Receiver>`UPDATE webhook_endpoints SET tested_at = ${now}
        WHERE ${isEndpoint(bankId, id)} AND tested_at <= ${now - intervalMs} RETURNING ${receiverColumns}`,
    found: sql<{
      testedAt: number;
    }>`SELECT tested_at AS testedAt FROM webhook_endpoints WHERE ${isEndpoint(bankId, id)}`,
  };
}
