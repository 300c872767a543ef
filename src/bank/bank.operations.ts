/** The operation that says who is calling: the bank of the API key, and what the key may do. */
import { SCOPES } from '../api-keys/scopes.ts';
import { operation } from '../http/operation.ts';
import { noParameters } from '../http/parameters.ts';
import { bank } from './bank.responses.ts';

export const getBankOperation = operation({
  method: 'GET',
  path: '/v1/bank',
  rateLimitClass: 'lookups',
  scopes: SCOPES,
  consistency: 'session',
  query: noParameters,
  responses: { 200: { message: 'Bank retrieved successfully', data: bank } },
  errors: [],
});
