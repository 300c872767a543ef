/** HTTP of the audit log. */
import type { Router } from '../http/router.ts';
import { answerPage } from '../http/link-header.ts';
import { listChanges } from './audit.operations.ts';
import { listChangesOf, type AuditDeps } from './audit.service.ts';

export function auditRoutes(router: Router<AuditDeps>): void {
  router.mount(listChanges, async ({ context, deps, caller, query }) =>
    answerPage(
      context,
      { subject: query.subject, limit: query.limit },
      await listChangesOf(deps, caller, query),
    ),
  );
}
