/** HTTP of the audit log. */
import type { Router } from '../http/router.ts';
import { respondWithPage } from '../http/link-header.ts';
import { listChangesOperation } from './audit.operations.ts';
import { readChanges, type AuditDeps } from './audit.service.ts';

export function auditRoutes(router: Router<AuditDeps>): void {
  router.mount(listChangesOperation, async ({ context, deps, caller, query }) =>
    respondWithPage(
      context,
      { subject: query.subject, limit: query.limit },
      await readChanges(deps, caller, query),
    ),
  );
}
