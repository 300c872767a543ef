/** The operation that says whether the service runs. No API key is asked for, and nothing is told that needs one. */
import * as z from 'zod/mini';
import { operation } from '../http/operation.ts';

/** What the service can't do without. */
export const DEPENDENCIES = ['database', 'cache', 'queue'] as const;
export type Dependency = (typeof DEPENDENCIES)[number];

export const getHealth = operation({
  method: 'GET',
  path: '/health',
  rateLimitClass: 'nothing',
  scopes: [],
  query: z.strictObject({ deep: z.optional(z.literal('1', 'must be 1')) }),
  errors: [],
});
