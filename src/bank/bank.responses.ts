/** The response about the caller's bank. */
import * as z from 'zod/mini';
import { once } from '../lib/once.ts';
import { SCOPES } from '../api-keys/scopes.ts';

export const rateLimit = once(() =>
  z.strictObject({
    /** As `RateLimit` names it: a class of operations, or `misses`. */
    name: z.string(),
    limit: z.int(),
    seconds: z.int(),
  }),
);

export const bankLimits = once(() =>
  z.strictObject({
    batchRows: z.int(),
    batchBytes: z.int(),
    openBatches: z.int(),
    failuresPerDay: z.int(),
    payeeMissesPerDay: z.int(),
    pageRows: z.int(),
    filterValues: z.int(),
    rates: z.array(rateLimit()),
  }),
);

export const bank = once(() =>
  z.strictObject({
    id: z.string(),
    name: z.string(),
    keyId: z.string(),
    scopes: z.array(z.enum(SCOPES)),
    /** Null if the API key may not read customers. */
    customerCount: z.nullable(z.int()),
    limits: bankLimits(),
  }),
);
export type Bank = z.output<ReturnType<typeof bank>>;
