/** Reads the audit log of a bank. */
import type { Tenants } from '../databases/tenant.ts';
import type { Caller } from '../api-keys/caller.ts';
import { readPosition, toPage } from '../paging/cursor.ts';
import type { Change } from './audit.responses.ts';
import { selectChanges } from './audit.store.ts';

export interface AuditDeps {
  databases: Tenants;
}

export interface AuditQuery {
  limit: number;
  cursor?: string | undefined;
  /** A customer's id, or a batch's. */
  subject?: string | undefined;
}

/** Returns who changed what, newest first. */
export async function readChanges(deps: AuditDeps, caller: Caller, query: AuditQuery) {
  const list = { name: `audit ${query.subject ?? ''}`, key: caller.cursorKey };
  const position = await readPosition(list, 2, query.cursor);
  const [found] = await deps.databases
    .tenantOf(caller)
    .readNearest([selectChanges(caller.bankId, { ...query, position })]);
  const page = toPage(found, query.limit, position, ({ at, requestId }) => [at, requestId]);
  const rows = page.rows.map(({ at, fields, ...row }): Change => ({
    ...row,
    at: new Date(at).toISOString(),
    fields: JSON.parse(fields) as string[],
  }));
  return { list, page: { ...page, rows } };
}
