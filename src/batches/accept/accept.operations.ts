/** The operation that accepts a batch. */
import { LIMITS } from '../../limits.ts';
import { operation } from '../../http/operation.ts';
import { newBatch, newBatchQuery, ROW_COUNT } from './accept.requests.ts';

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
