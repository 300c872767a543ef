/** The audit log in D1: the only statements on `audit_log`. Triggers record changes that do not come through the API. */
import { and, eq, sql, type InferSelectModel, type SQL } from 'drizzle-orm';
import type { Actor } from '../api-keys/caller.ts';
import { auditLog } from '../db/schema.ts';
import { columnsAs, queryBuilder, toStatement, type Statement } from '../db/statements.ts';
import { keysetPage, type PageRequest } from '../paging/keyset.ts';

/** What was done. Rows that version 0.1.0 wrote name the route instead, such as `PATCH /v1/bank/customer`. */
export type Action =
  | 'batch.accepted'
  | 'customer.updated'
  | 'customer.erased'
  | 'webhook.created'
  | 'webhook.updated'
  | 'webhook.deleted'
  | 'webhook.enabled'
  | 'webhook.disabled'
  | 'webhook.secret_rotated';

export interface Change {
  at: number;
  action: Action;
  /** A customer's id, a batch's or a webhook's. */
  subject: string;
  /** Names of fields; never their values. */
  fields: readonly string[];
}

const changesOf = (bankId: string, subject: string): SQL =>
  sql`audit_log WHERE bank_id = ${bankId} AND subject = ${subject}`;

/**
 * Records a change. Must come before the change itself, in the same transaction. Running it again changes nothing.
 * `at` rises from row to row of one subject, so the newest row is the last change, whatever the isolates' clocks say.
 * @param condition what the change depends on
 */
export function insertChange(actor: Actor, change: Change, condition: SQL = sql`true`): Statement {
  const { bankId, requestId, apiKeyId } = actor;
  const next = sql`(SELECT max(at) + 1 FROM ${changesOf(bankId, change.subject)})`;
  return sql`INSERT INTO audit_log (bank_id, at, request_id, key_id, action, subject, fields)
      SELECT ${bankId}, max(${change.at}, coalesce(${next}, 0)), ${requestId}, ${apiKeyId}, ${change.action},
        ${change.subject}, ${JSON.stringify(change.fields)}
      WHERE ${condition} AND NOT ${isRecorded(actor, change)}`;
}

/** Returns a row if this request's change was made. */
export function selectChange(actor: Actor, change: Pick<Change, 'at' | 'subject'>): Statement<{ found: 1 }> {
  return sql<{ found: 1 }>`SELECT 1 AS found WHERE ${isRecorded(actor, change)}`;
}

export function isRecorded(
  { bankId, requestId }: Actor,
  { at, subject }: Pick<Change, 'at' | 'subject'>,
): SQL {
  return sql`EXISTS (SELECT 1 FROM ${changesOf(bankId, subject)} AND at >= ${at} AND request_id = ${requestId})`;
}

/** Is this request's change the latest of its subject? */
export function isLatest({ bankId, requestId }: Actor, subject: string): SQL {
  return sql`${requestId} = (SELECT request_id FROM ${changesOf(bankId, subject)} ORDER BY at DESC LIMIT 1)`;
}

const columns = {
  at: auditLog.at,
  requestId: auditLog.requestId,
  keyId: auditLog.keyId,
  action: auditLog.action,
  subject: auditLog.subject,
  /** A JSON array. */
  fields: auditLog.fields,
};
const aliasedColumns = columnsAs(columns);
export type AuditRow = Pick<InferSelectModel<typeof auditLog>, keyof typeof columns>;

/** Newest first. */
export function selectChanges(
  bankId: string,
  page: PageRequest & { subject?: string | undefined },
): Statement<AuditRow> {
  // Left to itself, SQLite would walk all changes of the bank by primary key to find those of one subject.
  const [table, ofSubject] =
    page.subject === undefined
      ? [auditLog, undefined]
      : [sql`${auditLog} INDEXED BY audit_log_subject`, eq(auditLog.subject, page.subject)];
  const { where, orderBy, limit } = keysetPage([auditLog.at, auditLog.requestId], true, page);
  return toStatement(
    queryBuilder
      .select(aliasedColumns)
      .from(table)
      .where(and(eq(auditLog.bankId, bankId), ofSubject, where))
      .orderBy(...orderBy)
      .limit(limit),
  );
}
