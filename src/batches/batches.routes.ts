/** HTTP of batches. Translates; the rules are in batches.service.ts and batch-results.service.ts. */
import type { Hono } from 'hono/tiny';
import { AppError } from '../errors.ts';
import { actorOf } from '../http/auth.ts';
import type { HttpContext, HttpEnv } from '../http/context.ts';
import { succeed } from '../http/responses.ts';
import { mount } from '../http/operation.ts';
import { answerPage, type ListParameters } from '../http/link-header.ts';
import { readIdempotencyKey } from '../http/idempotency-key.ts';
import {
  getBatchOf,
  listBatchesOf,
  listCreatedOf,
  listFailuresOf,
  type Listing,
} from './results/results.service.ts';
import {
  createCustomers,
  getBatch,
  listBatchCustomers,
  listBatches,
  listBatchFailures,
} from './batches.operations.ts';
import { batchUrl } from './accept/report.ts';
import { acceptBatch, rehearseBatch } from './accept/accept.service.ts';

/** Seconds between two looks at a batch that is under way. 10,000 customers take about one. */
const LOOK_AGAIN_SECONDS = 1;

export function batchRoutes(app: Hono<HttpEnv>): void {
  acceptRoute(app);
  resultRoutes(app);
}

function acceptRoute(app: Hono<HttpEnv>): void {
  mount(
    app,
    createCustomers,
    async (context, { query: { dryRun, failuresFrom = 0 }, body: { customers } }) => {
      const actor = actorOf(context);
      const key = readIdempotencyKey(context.req.header('Idempotency-Key'));
      if (dryRun) {
        const report = await rehearseBatch(context.get('deps'), actor.bankId, customers, failuresFrom);
        return succeed(context, 200, 'Dry run, nothing was stored', report);
      }
      const { report, refusal, replayed } = await acceptBatch(context.get('deps'), actor, customers, key);
      const headers = context.get('headers');
      headers['Location'] = batchUrl(report.batchId ?? '');
      if (replayed) headers['Idempotent-Replayed'] = 'true';
      if (refusal !== null) {
        const message =
          'holds no row that can become a customer; data.failures says why, data.failuresUrl leads to more of them';
        throw new AppError(refusal, { data: report, errors: [{ field: 'customers', message }] });
      }
      return succeed(context, 201, 'Batch processed, customers will reflect shortly', report);
    },
  );
}

function resultRoutes(app: Hono<HttpEnv>): void {
  mount(app, listBatches, async (context, { query }) =>
    answerList(context, query, await listBatchesOf(context.get('deps'), context.get('caller'), query)),
  );

  mount(app, getBatch, async (context) => {
    const batch = await getBatchOf(context.get('deps'), context.get('caller').bankId, batchIdOf(context));
    // A stalled one waits for an operator, not for a moment.
    if (batch.status === 'PROCESSING') context.get('headers')['Retry-After'] = String(LOOK_AGAIN_SECONDS);
    return succeed(context, 200, 'Batch retrieved successfully', batch);
  });

  mount(app, listBatchFailures, async (context, { query }) => {
    const [deps, caller] = [context.get('deps'), context.get('caller')];
    return answerList(context, query, await listFailuresOf(deps, caller, batchIdOf(context), query));
  });

  mount(app, listBatchCustomers, async (context, { query }) => {
    const [deps, caller] = [context.get('deps'), context.get('caller')];
    return answerList(context, query, await listCreatedOf(deps, caller, batchIdOf(context), query));
  });
}

function batchIdOf(context: HttpContext): string {
  return context.req.param('batchId') ?? '';
}

/** While chunks go in, in any order, a list is not final. */
function answerList(
  context: HttpContext,
  { limit, status }: ListParameters,
  listing: Listing<unknown>,
): Promise<Response> {
  if (listing.underWay) context.get('headers')['Retry-After'] = String(LOOK_AGAIN_SECONDS);
  return answerPage(context, { status, limit }, listing);
}
