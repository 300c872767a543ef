/** The operation that says whether the service runs. It needs no API key and reveals nothing that would need one. */
import * as z from 'zod/mini';
import { operation } from '../http/operation.ts';
import { health } from './health.responses.ts';

export const getHealthOperation = operation({
  method: 'GET',
  path: '/health',
  rateLimitClass: 'nothing',
  scopes: [],
  consistency: 'none',
  query: z.strictObject({ deep: z.optional(z.literal('1', 'must be 1')) }),
  responses: { 200: { message: 'The service is running', data: health } },
  errors: [],
});
