/** HTTP of batches. Translates; the rules are in batches.service.ts and batch-results.service.ts. */
import type { Hono } from 'hono/tiny';
import { LIMITS } from '../env.ts';
import { AppError } from '../errors.ts';
import { actorOf, requireKey } from '../http/auth.ts';
import type { HttpContext, HttpEnv } from '../http/context.ts';
import { succeed } from '../http/envelope.ts';
import { jsonBody, validJson, validQuery } from '../http/input.ts';
import { answerPage } from '../http/page.ts';
import { readIdempotencyKey } from '../lib/idempotency-key.ts';
import {
  getBatch,
  listBatchesOf,
  listCreatedOf,
  listFailuresOf,
  type Listing,
} from './batch-results.service.ts';
import { batchUrl } from './batches.report.ts';
import { batchList, newBatch, newBatchQuery, noParameters, resultList } from './batches.schema.ts';
import { acceptBatch, rehearseBatch } from './batches.service.ts';

const mayWrite = requireKey('batches', 'customers:write');
/** Who may send a batch may see what became of it. */
const maySee = requireKey('lookups', 'customers:write', 'customers:read', 'customers:read:extended');

/** Seconds between two looks at a batch that is under way. 10,000 customers take about one. */
const LOOK_AGAIN_SECONDS = 1;

export function batchRoutes(app: Hono<HttpEnv>): void {
  acceptRoute(app);
  resultRoutes(app);
}

function acceptRoute(app: Hono<HttpEnv>): void {
  app.post(
    '/v1/bank/customers',
    mayWrite,
    validQuery(newBatchQuery),
    jsonBody(LIMITS.batchBodyBytes),
    validJson(newBatch),
    async (context) => {
      const { customers } = context.req.valid('json');
      const actor = actorOf(context);
      const key = readIdempotencyKey(context.req.header('Idempotency-Key'));
      if (context.req.valid('query').dryRun) {
        const report = await rehearseBatch(context.get('deps'), actor.bankId, customers);
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
  app.get('/v1/bank/customers/batches', maySee, validQuery(batchList), async (context) => {
    return answerList(
      context,
      await listBatchesOf(context.get('deps'), context.get('caller'), context.req.valid('query')),
    );
  });

  app.get('/v1/bank/customers/batches/:batchId', maySee, validQuery(noParameters), async (context) => {
    const { bankId } = context.get('caller');
    const batch = await getBatch(context.get('deps'), bankId, context.req.param('batchId'));
    // A stalled one waits for an operator, not for a moment.
    if (batch.status === 'PROCESSING') context.get('headers')['Retry-After'] = String(LOOK_AGAIN_SECONDS);
    return succeed(context, 200, 'Batch retrieved successfully', batch);
  });

  app.get('/v1/bank/customers/batches/:batchId/failures', maySee, validQuery(resultList), async (context) => {
    const query = context.req.valid('query');
    const batchId = context.req.param('batchId');
    return answerList(
      context,
      await listFailuresOf(context.get('deps'), context.get('caller'), batchId, query),
    );
  });

  app.get(
    '/v1/bank/customers/batches/:batchId/customers',
    maySee,
    validQuery(resultList),
    async (context) => {
      const query = context.req.valid('query');
      const batchId = context.req.param('batchId');
      return answerList(
        context,
        await listCreatedOf(context.get('deps'), context.get('caller'), batchId, query),
      );
    },
  );
}

/** While chunks go in, in any order, a list is not final. */
function answerList(context: HttpContext, listing: Listing<unknown>): Promise<Response> {
  if (listing.underWay) context.get('headers')['Retry-After'] = String(LOOK_AGAIN_SECONDS);
  return answerPage(context, listing);
}
