/** The operation that accepts a batch. */
import { LIMITS } from '../../limits.ts';
import { operation } from '../../http/operation.ts';
import { batchRequest, batchQuery, ROW_COUNT_RULE } from './accept.requests.ts';

export const createCustomers = operation({
  method: 'POST',
  path: '/v1/bank/customers',
  rateLimitClass: 'batches',
  scopes: ['customers:write'],
  query: batchQuery,
  body: {
    schema: batchRequest,
    maxBytes: LIMITS.batchBodyBytes,
    maxValues: LIMITS.batchBodyValues,
    list: { key: 'customers', maxElements: LIMITS.batchRows, fault: ROW_COUNT_RULE },
  },
  errors: ['CUSTOMER_EXISTS', 'IDEMPOTENCY_IN_PROGRESS', 'IDEMPOTENCY_KEY_REUSED'],
});
