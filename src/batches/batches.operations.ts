/** The operations on batches: what opens them, what they take, how they can fail. */
import { LIMITS } from '../env.ts';
import { operation } from '../http/operation.ts';
import {
  batchList,
  createdList,
  failureList,
  newBatch,
  newBatchQuery,
  noParameters,
  ROW_COUNT,
} from './batches.requests.ts';

/** Who may send a batch may see what became of it. */
const SEE = ['customers:write', 'customers:read', 'customers:read:extended'] as const;

export const createCustomers = operation({
  method: 'POST',
  path: '/v1/bank/customers',
  counts: 'batches',
  scopes: ['customers:write'],
  query: newBatchQuery,
  body: {
    schema: newBatch,
    mostBytes: LIMITS.batchBodyBytes,
    maxValues: LIMITS.batchBodyValues,
    list: { key: 'customers', maxElements: LIMITS.batchRows, fault: ROW_COUNT },
  },
  errors: ['CUSTOMER_EXISTS', 'IDEMPOTENCY_IN_PROGRESS', 'IDEMPOTENCY_KEY_REUSED'],
});

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
