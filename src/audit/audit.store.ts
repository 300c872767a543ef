/** The audit log in D1: the only statements on `audit_log`, but for the triggers that write what nobody said. */
import { sql, type SQL } from 'drizzle-orm';
import type { Statement } from '../db/client.ts';
import { onPage, type PageOf } from '../db/page.ts';

/** On whose behalf something is changed. */
export interface Actor {
  bankId: string;
  keyId: string;
  requestId: string;
}

export type Action = 'POST /v1/bank/customers' | 'PATCH /v1/bank/customer' | 'DELETE /v1/bank/customer';

export interface Change {
  at: number;
  action: Action;
  /** A customer's id, or a batch's. */
  subject: string;
  /** Names of fields; never their values. */
  fields: readonly string[];
}

/**
 * Goes before the change itself, into the same transaction. Running it again changes nothing.
 * @param condition what the change depends on
 */
export function recordChange(actor: Actor, change: Change, condition: SQL = sql`true`): Statement {
  return sql`INSERT INTO audit_log (bank_id, at, request_id, key_id, action, subject, fields)
      SELECT ${actor.bankId}, ${change.at}, ${actor.requestId}, ${actor.keyId}, ${change.action},
        ${change.subject}, ${JSON.stringify(change.fields)}
      WHERE ${condition} ON CONFLICT DO NOTHING`;
}

/** Was the change of this request made? */
export function findChange(actor: Actor, at: number): Statement {
  return sql`SELECT 1 WHERE ${isWritten(actor, at)}`;
}

export function isWritten({ bankId, requestId }: Actor, at: number): SQL {
  return sql`EXISTS (SELECT 1 FROM audit_log WHERE bank_id = ${bankId} AND at = ${at} AND request_id = ${requestId})`;
}

export interface AuditRow {
  at: number;
  requestId: string;
  keyId: string | null;
  action: string;
  subject: string;
  /** A JSON array. */
  fields: string;
}

/** Newest first. */
export function listChanges(bankId: string, page: PageOf & { subject?: string | undefined }): Statement {
  const ofSubject = page.subject === undefined ? sql`true` : sql`subject = ${page.subject}`;
  return sql`SELECT at, request_id AS requestId, key_id AS keyId, action, subject, fields FROM audit_log
      WHERE bank_id = ${bankId} AND ${ofSubject} AND ${onPage([sql`at`, sql`request_id`], true, page)}`;
}
