/** The route that accepts a batch. */
import { AppError } from '../../errors.ts';
import { actorOf } from '../../http/auth.ts';
import { respondWithData } from '../../http/responses.ts';
import type { Router } from '../../http/router.ts';
import { readIdempotencyKey } from '../../http/idempotency-key.ts';
import { createCustomers } from './accept.operations.ts';
import { batchPath } from './report.ts';
import { acceptBatch, dryRunBatch, type AcceptDeps } from './accept.service.ts';

export function acceptRoutes(router: Router<AcceptDeps>): void {
  router.mount(
    createCustomers,
    async ({ context, deps, query: { dryRun, failuresFrom = 0 }, body: { customers } }) => {
      const actor = actorOf(context);
      const key = readIdempotencyKey(context.req.header('Idempotency-Key'));
      if (dryRun) {
        const report = await dryRunBatch(deps, actor.bankId, customers, failuresFrom);
        return respondWithData(context, 200, 'Dry run, nothing was stored', report);
      }
      const { report, refusal, replayed } = await acceptBatch(deps, actor, customers, key);
      const headers = context.get('headers');
      headers['Location'] = batchPath(report.batchId ?? '');
      if (replayed) headers['Idempotent-Replayed'] = 'true';
      if (refusal !== null) {
        const message =
          'holds no row that can become a customer; data.failures says why, data.failuresUrl leads to more of them';
        throw new AppError(refusal, { data: report, errors: [{ field: 'customers', message }] });
      }
      return respondWithData(context, 201, 'Batch processed, customers will reflect shortly', report);
    },
  );
}
