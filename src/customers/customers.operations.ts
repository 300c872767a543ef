/** The operations on customers: what opens them, what they take, how they can fail. */
import { LIMITS } from '../limits.ts';
import { operation } from '../http/operation.ts';
import { customerList, customerLookup, customerUpdate } from './customers.requests.ts';

const READ_SCOPES = ['customers:read', 'customers:read:extended'] as const;

export const getCustomer = operation({
  method: 'GET',
  path: '/v1/bank/customer',
  rateLimitClass: 'lookups',
  scopes: READ_SCOPES,
  servesCached: true,
  query: customerLookup,
  errors: ['CUSTOMER_NOT_FOUND'],
});

export const listCustomers = operation({
  method: 'GET',
  path: '/v1/bank/customers',
  rateLimitClass: 'lookups',
  scopes: READ_SCOPES,
  query: customerList,
  errors: [],
});

export const updateCustomerOperation = operation({
  method: 'PATCH',
  path: '/v1/bank/customer',
  rateLimitClass: 'changes',
  scopes: ['customers:write'],
  body: {
    schema: customerUpdate,
    maxBytes: LIMITS.updateBodyBytes,
    maxValues: LIMITS.updateBodyValues,
  },
  errors: ['CUSTOMER_NOT_FOUND', 'PRECONDITION_FAILED'],
});
