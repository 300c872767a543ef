/** The routes that read batches and their results. */
import type { HttpContext } from '../../http/context.ts';
import { respondWithPage, type ListParameters } from '../../http/link-header.ts';
import type { Router } from '../../http/router.ts';
import { respondWithData } from '../../http/responses.ts';
import { getBatch, listBatchCustomers, listBatches, listBatchFailures } from './results.operations.ts';
import {
  readBatch,
  readBatches,
  readCreatedCustomers,
  readFailures,
  type Listing,
  type ResultDeps,
} from './results.service.ts';

/** Seconds between two looks at a batch that is being processed. 10,000 customers take about one. */
const LOOK_AGAIN_SECONDS = 1;

export function resultRoutes(router: Router<ResultDeps>): void {
  router.mount(listBatches, async ({ context, deps, caller, query }) =>
    respondWithListing(context, query, await readBatches(deps, caller, query)),
  );

  router.mount(getBatch, async ({ context, deps, caller }) => {
    const batch = await readBatch(deps, caller.bankId, batchIdOf(context));
    // A stalled one waits for an operator, not for a moment.
    if (batch.status === 'PROCESSING') context.get('headers')['Retry-After'] = String(LOOK_AGAIN_SECONDS);
    return respondWithData(context, 200, 'Batch retrieved successfully', batch);
  });

  router.mount(listBatchFailures, async ({ context, deps, caller, query }) => {
    return respondWithListing(context, query, await readFailures(deps, caller, batchIdOf(context), query));
  });

  router.mount(listBatchCustomers, async ({ context, deps, caller, query }) => {
    return respondWithListing(
      context,
      query,
      await readCreatedCustomers(deps, caller, batchIdOf(context), query),
    );
  });
}

function batchIdOf(context: HttpContext): string {
  return context.req.param('batchId') ?? '';
}

/** While chunks go in, in any order, a list is not final. */
function respondWithListing(
  context: HttpContext,
  { limit, status }: ListParameters,
  listing: Listing<unknown>,
): Promise<Response> {
  if (listing.isProcessing) context.get('headers')['Retry-After'] = String(LOOK_AGAIN_SECONDS);
  return respondWithPage(context, { status, limit }, listing);
}
