/** The route that accepts a batch. */
import { AppError } from '../../errors.ts';
import { actorOf } from '../../http/auth.ts';
import { readIdempotencyKey } from '../../http/idempotency-key.ts';
import type { Router } from '../../http/router.ts';
import { createCustomersOperation } from './accept.operations.ts';
import { acceptBatch, dryRunBatch, type AcceptDeps } from './accept.service.ts';
import { batchPath } from './report.ts';

export function acceptRoutes(router: Router<AcceptDeps>): void {
  router.mount(
    createCustomersOperation,
    async ({ context, deps, query: { dryRun, failuresFrom = 0 }, body: { customers }, headers }) => {
      const actor = actorOf(context);
      const key = readIdempotencyKey(headers['Idempotency-Key']);
      if (dryRun) return { data: await dryRunBatch(deps, actor, customers, failuresFrom) };
      const { report, refusal, replayed } = await acceptBatch(deps, actor, customers, key);
      const sent = {
        Location: batchPath(report.batchId ?? ''),
        ...(replayed ? { 'Idempotent-Replayed': 'true' } : {}),
      };
      if (refusal !== null) {
        const message =
          'holds no row that can become a customer; data.failures says why, and data.failuresUrl, if it is set, has all failures';
        throw new AppError(refusal, {
          data: report,
          headers: sent,
          errors: [{ field: 'customers', message }],
        });
      }
      return { status: 201, data: report, headers: sent };
    },
  );
}
