/** The operations that read batches and their results. */
import { operation, page } from '../../http/operation.ts';
import { noParameters } from '../../http/parameters.ts';
import { batchView, createdCustomer, rowFailure } from '../batches.responses.ts';
import { batchList, batchParams, createdList, failureList } from './results.requests.ts';

/** Whoever may send a batch may read its results. */
const BATCH_READ_SCOPES = ['customers:write', 'customers:read', 'customers:read:extended'] as const;

export const listBatchesOperation = operation({
  method: 'GET',
  path: '/v1/bank/customers/batches',
  rateLimitClass: 'lookups',
  scopes: BATCH_READ_SCOPES,
  consistency: 'primary',
  query: batchList,
  responses: { 200: page(batchView) },
  errors: [],
});

export const getBatchOperation = operation({
  method: 'GET',
  path: '/v1/bank/customers/batches/:batchId',
  rateLimitClass: 'lookups',
  scopes: BATCH_READ_SCOPES,
  consistency: 'primary',
  params: batchParams,
  query: noParameters,
  responses: {
    200: {
      message: 'Batch retrieved successfully',
      data: batchView,
      headers: { 'Retry-After': 'sometimes' },
    },
  },
  errors: ['BATCH_NOT_FOUND'],
});

export const listBatchFailuresOperation = operation({
  method: 'GET',
  path: '/v1/bank/customers/batches/:batchId/failures',
  rateLimitClass: 'lookups',
  scopes: BATCH_READ_SCOPES,
  consistency: 'primary',
  params: batchParams,
  query: failureList,
  responses: { 200: { ...page(rowFailure), headers: { Link: 'always', 'Retry-After': 'sometimes' } } },
  errors: ['BATCH_NOT_FOUND'],
});

export const listBatchCustomersOperation = operation({
  method: 'GET',
  path: '/v1/bank/customers/batches/:batchId/customers',
  rateLimitClass: 'lookups',
  scopes: BATCH_READ_SCOPES,
  consistency: 'primary',
  params: batchParams,
  query: createdList,
  responses: { 200: { ...page(createdCustomer), headers: { Link: 'always', 'Retry-After': 'sometimes' } } },
  errors: ['BATCH_NOT_FOUND'],
});
