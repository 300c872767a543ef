/** The operation that forgets a customer. */
import * as z from 'zod/mini';
import { operation } from '../http/operation.ts';
import { MOST_ID, once } from '../http/parameters.ts';

export const eraseCustomer = operation({
  method: 'DELETE',
  path: '/v1/bank/customer',
  counts: 'changes',
  scopes: ['customers:erase'],
  query: z.strictObject({ id: once(MOST_ID) }),
  errors: ['CUSTOMER_NOT_FOUND', 'PRECONDITION_FAILED'],
});
