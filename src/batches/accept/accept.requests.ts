/** The request that sends a batch. Its rows are validated one by one: validate.ts. */
import * as z from 'zod/mini';
import { LIMITS } from '../../limits.ts';
import { wholeNumber } from '../../http/parameters.ts';

export const ROW_COUNT_RULE = `must be an array of 1 to ${LIMITS.batchRows} customers`;

export const batchRequest = z.object(
  {
    customers: z
      .array(z.unknown(), ROW_COUNT_RULE)
      .check(z.minLength(1, ROW_COUNT_RULE), z.maxLength(LIMITS.batchRows, ROW_COUNT_RULE)),
  },
  'must be an object with customers',
);

const BOOLEAN_RULE = 'must be true or false';

const FAILURES_FROM_RULE = `must be the index of a row, from 0 to ${LIMITS.batchRows - 1}`;

export const batchQuery = z
  .strictObject({
    dryRun: z._default(
      z.pipe(
        z.enum(['true', 'false'], BOOLEAN_RULE),
        z.transform((text) => text === 'true'),
      ),
      false,
    ),
    failuresFrom: z.optional(wholeNumber(LIMITS.batchRows - 1, FAILURES_FROM_RULE, 0)),
  })
  .check(
    z.refine(({ dryRun, failuresFrom = 0 }) => dryRun || failuresFrom === 0, {
      error: 'is for dry runs only; the failures of a stored batch are at its failuresUrl',
      path: ['failuresFrom'],
    }),
  );
