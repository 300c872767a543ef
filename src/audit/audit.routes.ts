/** The route that reads the audit log. */
import type { Router } from '../http/router.ts';
import { toPageResponse } from '../http/link-header.ts';
import { listChangesOperation } from './audit.operations.ts';
import { readChanges, type AuditDeps } from './audit.service.ts';

export function auditRoutes(router: Router<AuditDeps>): void {
  router.mount(listChangesOperation, async ({ context, deps, caller, query }) => {
    const { subject, limit } = query;
    return toPageResponse(context.req.path, { subject, limit }, await readChanges(deps, caller, query));
  });
}
