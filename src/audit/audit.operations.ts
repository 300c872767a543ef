/** The operation that reads the audit log. */
import * as z from 'zod/mini';
import { operation, page } from '../http/operation.ts';
import { MAX_ID_CHARACTERS, single, pageParameters } from '../http/parameters.ts';
import { change } from './audit.responses.ts';

export const listChangesOperation = operation({
  method: 'GET',
  path: '/v1/bank/audit',
  rateLimitClass: 'lookups',
  scopes: ['audit:read'],
  consistency: 'session',
  query: z.strictObject({ ...pageParameters(), subject: z.optional(single(MAX_ID_CHARACTERS)) }),
  responses: { 200: page(change) },
  errors: [],
});
