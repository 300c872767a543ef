/** The routes that read batches and their results. */
import { toPageResponse } from '../../http/link-header.ts';
import type { Router } from '../../http/router.ts';
import {
  getBatchOperation,
  listBatchCustomersOperation,
  listBatchesOperation,
  listBatchFailuresOperation,
} from './results.operations.ts';
import {
  readBatch,
  readBatches,
  readCreatedCustomers,
  readFailures,
  type Listing,
  type ResultDeps,
} from './results.service.ts';

/** Seconds until a client should read a batch in process again. 10,000 customers take about one. */
const RETRY_AFTER_SECONDS = '1';

export function resultRoutes(router: Router<ResultDeps>): void {
  router.mount(listBatchesOperation, async ({ context, deps, caller, query }) => {
    const { status, limit } = query;
    return toPageResponse(context.req.path, { status, limit }, await readBatches(deps, caller, query));
  });

  router.mount(getBatchOperation, async ({ deps, caller, params: { batchId } }) => {
    const batch = await readBatch(deps, caller, batchId);
    // A stalled batch waits for an operator, so reading it again soon is of no use.
    const retryAfter = batch.status === 'PROCESSING' ? RETRY_AFTER_SECONDS : undefined;
    return { data: batch, headers: { 'Retry-After': retryAfter } };
  });

  router.mount(listBatchFailuresOperation, async ({ context, deps, caller, params: { batchId }, query }) =>
    toResultPage(context.req.path, query.limit, await readFailures(deps, caller, batchId, query)),
  );

  router.mount(listBatchCustomersOperation, async ({ context, deps, caller, params: { batchId }, query }) =>
    toResultPage(context.req.path, query.limit, await readCreatedCustomers(deps, caller, batchId, query)),
  );
}

/** A list of results is not final until all chunks of its batch are applied. */
async function toResultPage<Row>(path: string, limit: number, listing: Listing<Row>) {
  const { data, headers } = await toPageResponse(path, { limit }, listing);
  const retryAfter = listing.isProcessing ? RETRY_AFTER_SECONDS : undefined;
  return { data, headers: { ...headers, 'Retry-After': retryAfter } };
}
