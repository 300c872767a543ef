/** The operation that reads the audit log. */
import * as z from 'zod/mini';
import { operation } from '../http/operation.ts';
import { MOST_ID, once, pageParameters } from '../http/parameters.ts';

export const listChanges = operation({
  method: 'GET',
  path: '/v1/bank/audit',
  counts: 'lookups',
  scopes: ['audit:read'],
  query: z.strictObject({ ...pageParameters(), subject: z.optional(once(MOST_ID)) }),
  errors: [],
});
