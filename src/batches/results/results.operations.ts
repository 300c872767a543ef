/** The operations that read batches and their results. */
import { operation } from '../../http/operation.ts';
import { batchList, createdList, failureList, noParameters } from './results.requests.ts';

/** Who may send a batch may see what became of it. */
const BATCH_READ_SCOPES = ['customers:write', 'customers:read', 'customers:read:extended'] as const;

export const listBatches = operation({
  method: 'GET',
  path: '/v1/bank/customers/batches',
  rateLimitClass: 'lookups',
  scopes: BATCH_READ_SCOPES,
  query: batchList,
  errors: [],
});

export const getBatch = operation({
  method: 'GET',
  path: '/v1/bank/customers/batches/:batchId',
  rateLimitClass: 'lookups',
  scopes: BATCH_READ_SCOPES,
  query: noParameters,
  errors: ['BATCH_NOT_FOUND'],
});

export const listBatchFailures = operation({
  method: 'GET',
  path: '/v1/bank/customers/batches/:batchId/failures',
  rateLimitClass: 'lookups',
  scopes: BATCH_READ_SCOPES,
  query: failureList,
  errors: ['BATCH_NOT_FOUND'],
});

export const listBatchCustomers = operation({
  method: 'GET',
  path: '/v1/bank/customers/batches/:batchId/customers',
  rateLimitClass: 'lookups',
  scopes: BATCH_READ_SCOPES,
  query: createdList,
  errors: ['BATCH_NOT_FOUND'],
});
