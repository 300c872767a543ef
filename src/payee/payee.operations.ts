/** The payer's question: the only operation that shows a customer of another bank. */
import { payee } from '../customers/customers.standard.ts';
import { operation } from '../http/operation.ts';
import { payeeLookup } from './payee.requests.ts';

export const resolvePayeeOperation = operation({
  method: 'GET',
  path: '/v1/network/payee',
  rateLimitClass: 'payees',
  scopes: ['network:resolve'],
  consistency: 'none',
  servesCached: true,
  guesses: { names: () => 1, misses: () => 0 },
  query: payeeLookup,
  responses: {
    200: { message: 'Payee retrieved successfully', data: () => payee, headers: { 'X-Cache': 'always' } },
  },
  errors: ['PAYEE_NOT_FOUND'],
});
