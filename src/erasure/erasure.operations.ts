/** The operation that erases a customer. */
import * as z from 'zod/mini';
import { operation } from '../http/operation.ts';
import { MAX_ID_CHARACTERS, single } from '../http/parameters.ts';
import { erasedCustomer } from './erasure.responses.ts';

export const eraseCustomerOperation = operation({
  method: 'DELETE',
  path: '/v1/bank/customer',
  rateLimitClass: 'changes',
  scopes: ['customers:erase'],
  consistency: 'session',
  query: z.strictObject({ id: single(MAX_ID_CHARACTERS) }),
  requestHeaders: ['If-Match'],
  responses: { 200: { message: 'Customer erased successfully', data: erasedCustomer } },
  errors: ['CUSTOMER_NOT_FOUND', 'PRECONDITION_FAILED'],
});
