/** The operations that read batches and their results. */
import { operation } from '../../http/operation.ts';
import { batchList, createdList, failureList, noParameters } from './results.requests.ts';

/** Who may send a batch may see what became of it. */
const SEE = ['customers:write', 'customers:read', 'customers:read:extended'] as const;

export const listBatches = operation({
  method: 'GET',
  path: '/v1/bank/customers/batches',
  counts: 'lookups',
  scopes: SEE,
  query: batchList,
  errors: [],
});

export const getBatch = operation({
  method: 'GET',
  path: '/v1/bank/customers/batches/:batchId',
  counts: 'lookups',
  scopes: SEE,
  query: noParameters,
  errors: ['BATCH_NOT_FOUND'],
});

export const listBatchFailures = operation({
  method: 'GET',
  path: '/v1/bank/customers/batches/:batchId/failures',
  counts: 'lookups',
  scopes: SEE,
  query: failureList,
  errors: ['BATCH_NOT_FOUND'],
});

export const listBatchCustomers = operation({
  method: 'GET',
  path: '/v1/bank/customers/batches/:batchId/customers',
  counts: 'lookups',
  scopes: SEE,
  query: createdList,
  errors: ['BATCH_NOT_FOUND'],
});
