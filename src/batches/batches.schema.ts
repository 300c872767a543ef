/** The shape of a batch request. Its rows are judged one by one, in batches.judge.ts. */
import * as z from 'zod/mini';
import { LIMITS } from '../env.ts';

const COUNT = `must be an array of 1 to ${LIMITS.batchRows} customers`;

export const newBatch = z.object(
  {
    customers: z.array(z.unknown(), COUNT).check(z.minLength(1, COUNT), z.maxLength(LIMITS.batchRows, COUNT)),
  },
  'must be an object with customers',
);
