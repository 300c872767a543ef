/** The requests that read batches and their results. */
import * as z from 'zod/mini';
import { BATCH_STATUSES } from '../../db/schema.ts';
import { pageParameters, pathId } from '../../http/parameters.ts';
import { LIMITS } from '../../limits.ts';

export const batchParams = z.strictObject({ batchId: pathId });

export const failureList = z.strictObject(pageParameters(LIMITS.maxFailurePageRows));

export const createdList = z.strictObject(pageParameters(LIMITS.maxCreatedPageRows));

export const batchList = z.strictObject({
  ...pageParameters(),
  status: z.optional(z.enum(BATCH_STATUSES, `must be one of ${BATCH_STATUSES.join(', ')}`)),
});
