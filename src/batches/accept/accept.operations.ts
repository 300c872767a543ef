/** The operation that accepts a batch. */
import { LIMITS } from '../../limits.ts';
import { operation } from '../../http/operation.ts';
import { batchReport } from '../batches.responses.ts';
import { batchRequest, batchQuery, ROW_COUNT_RULE } from './accept.requests.ts';

export const createCustomersOperation = operation({
  method: 'POST',
  path: '/v1/bank/customers',
  rateLimitClass: 'batches',
  scopes: ['customers:write'],
  consistency: 'primary',
  query: batchQuery,
  body: {
    schema: batchRequest,
    maxBytes: LIMITS.batchBodyBytes,
    maxValues: LIMITS.batchBodyValues,
    list: { key: 'customers', maxElements: LIMITS.batchRows, fault: ROW_COUNT_RULE },
  },
  requestHeaders: ['Idempotency-Key'],
  responses: {
    200: { message: 'Dry run, nothing was stored', data: batchReport },
    201: {
      message: 'Batch processed, customers will reflect shortly',
      data: batchReport,
      headers: { Location: 'always', 'Idempotent-Replayed': 'sometimes' },
    },
  },
  errors: [
    'INVALID_REQUEST',
    'CUSTOMER_EXISTS',
    'IDEMPOTENCY_IN_PROGRESS',
    'IDEMPOTENCY_KEY_REUSED',
    'RATE_LIMITED',
  ],
  // A batch without a single accepted row is stored all the same.
  errorHeaders: {
    INVALID_REQUEST: ['Location', 'Idempotent-Replayed'],
    CUSTOMER_EXISTS: ['Location', 'Idempotent-Replayed'],
  },
});
