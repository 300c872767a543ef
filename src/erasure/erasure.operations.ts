/** The operation that forgets a customer. */
import * as z from 'zod/mini';
import { operation } from '../http/operation.ts';
import { MAX_ID_CHARACTERS, single } from '../http/parameters.ts';

export const eraseCustomerOperation = operation({
  method: 'DELETE',
  path: '/v1/bank/customer',
  rateLimitClass: 'changes',
  scopes: ['customers:erase'],
  query: z.strictObject({ id: single(MAX_ID_CHARACTERS) }),
  errors: ['CUSTOMER_NOT_FOUND', 'PRECONDITION_FAILED'],
});
