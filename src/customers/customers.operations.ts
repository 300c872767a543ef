/** The operations on customers. */
import { LIMITS } from '../limits.ts';
import { listOf, operation } from '../http/operation.ts';
import { customerList, customerLookup, customerUpdate } from './customers.requests.ts';
import { customer, updatedCustomer } from './customers.responses.ts';

const READ_SCOPES = ['customers:read', 'customers:read:extended'] as const;

export const getCustomerOperation = operation({
  method: 'GET',
  path: '/v1/bank/customer',
  rateLimitClass: 'lookups',
  scopes: READ_SCOPES,
  consistency: 'session',
  servesCached: true,
  guesses: {
    names: ({ email, phrase }) => (email === undefined && phrase === undefined ? 0 : 1),
    misses: () => 0,
  },
  query: customerLookup,
  requestHeaders: ['Cache-Control', 'If-None-Match'],
  responses: {
    200: {
      message: 'Customer retrieved successfully',
      data: customer,
      headers: { ETag: 'always', 'X-Cache': 'always' },
    },
    304: { headers: { ETag: 'always', 'X-Cache': 'always' } },
  },
  errors: ['CUSTOMER_NOT_FOUND'],
  errorHeaders: { CUSTOMER_NOT_FOUND: ['X-Cache'] },
});

/** Apart, because the compiler does not infer the type of a call beside `guesses`. */
const customers = listOf(customer);

export const listCustomersOperation = operation({
  method: 'GET',
  path: '/v1/bank/customers',
  rateLimitClass: 'lookups',
  scopes: READ_SCOPES,
  consistency: 'session',
  guesses: {
    names: ({ phrases = [] }) => phrases.length,
    misses: (names, { headers }) => Math.max(names - Number(headers['X-Total-Count']), 0),
  },
  query: customerList,
  // The contract defines a bare array here. Paging is in the headers.
  responses: { 200: { data: customers, headers: { Link: 'sometimes', 'X-Total-Count': 'always' } } },
  errors: [],
});

export const updateCustomerOperation = operation({
  method: 'PATCH',
  path: '/v1/bank/customer',
  rateLimitClass: 'changes',
  scopes: ['customers:write'],
  consistency: 'session',
  body: {
    schema: customerUpdate,
    maxBytes: LIMITS.updateBodyBytes,
    maxValues: LIMITS.updateBodyValues,
  },
  requestHeaders: ['If-Match'],
  responses: {
    200: { message: 'Customer updated successfully', data: updatedCustomer, headers: { ETag: 'always' } },
  },
  errors: ['INVALID_REQUEST', 'CUSTOMER_NOT_FOUND', 'PRECONDITION_FAILED'],
});
