/** The operations on customers: what opens them, what they take, how they can fail. */
import { LIMITS } from '../limits.ts';
import { operation } from '../http/operation.ts';
import { customerList, customerLookup, customerUpdate } from './customers.requests.ts';

const READ = ['customers:read', 'customers:read:extended'] as const;

export const getCustomer = operation({
  method: 'GET',
  path: '/v1/bank/customer',
  counts: 'lookups',
  scopes: READ,
  atEdge: true,
  query: customerLookup,
  errors: ['CUSTOMER_NOT_FOUND'],
});

export const listCustomers = operation({
  method: 'GET',
  path: '/v1/bank/customers',
  counts: 'lookups',
  scopes: READ,
  query: customerList,
  errors: [],
});

export const updateCustomer = operation({
  method: 'PATCH',
  path: '/v1/bank/customer',
  counts: 'changes',
  scopes: ['customers:write'],
  body: {
    schema: customerUpdate,
    mostBytes: LIMITS.updateBodyBytes,
    maxValues: LIMITS.updateBodyValues,
  },
  errors: ['CUSTOMER_NOT_FOUND', 'PRECONDITION_FAILED'],
});
