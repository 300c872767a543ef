/** The shapes of batches in responses. */
import * as z from 'zod/mini';
import { once } from '../lib/once.ts';
import { fieldError } from '../http/envelope.ts';
import { BATCH_STATUSES, FAILURE_CODES } from '../db/schema.ts';

/** Counts: total = successful + failed, failed = duplicates + invalidData. */
export const batchSummary = once(() =>
  z.strictObject({
    total: z.int(),
    successful: z.int(),
    failed: z.int(),
    duplicates: z.int(),
    invalidData: z.int(),
  }),
);
export type BatchSummary = z.output<ReturnType<typeof batchSummary>>;

export const rowFailure = once(() =>
  z.strictObject({
    /** Position in the request, from 0. */
    index: z.int(),
    /** The bank's own reference for the row. Null if it could not be read. */
    clientRef: z.nullable(z.string()),
    code: z.enum(FAILURE_CODES),
    message: z.string(),
    errors: z.array(fieldError()),
  }),
);
export type RowFailure = z.output<ReturnType<typeof rowFailure>>;

/** The contract's `data`, and where to find the failures that do not fit. */
export const batchReport = once(() =>
  z.strictObject({
    /** Null for a dry run, like everything that it does not create. */
    batchId: z.nullable(z.string()),
    status: z.nullable(z.enum(['PROCESSING', 'COMPLETED_WITH_FAILURES'])),
    summary: batchSummary(),
    failures: z.array(rowFailure()),
    failuresInline: z.boolean(),
    inlineFailureLimit: z.int(),
    failuresUrl: z.nullable(z.string()),
    data: z.strictObject({ createdCount: z.int(), customerIds: z.array(z.string()) }),
  }),
);
export type BatchReport = z.output<ReturnType<typeof batchReport>>;

export const batchView = once(() =>
  z.strictObject({
    batchId: z.string(),
    status: z.enum(BATCH_STATUSES),
    summary: batchSummary(),
    /** `processed` rows have become customers or failures. */
    progress: z.strictObject({ processed: z.int(), total: z.int() }),
    /** Failures that are no longer listed, because newer ones needed the space. */
    failuresRemoved: z.int(),
    createdAt: z.iso.datetime(),
    completedAt: z.nullable(z.iso.datetime()),
  }),
);
export type BatchView = z.output<ReturnType<typeof batchView>>;

/** A row of a batch that became a customer. */
export const createdCustomer = once(() =>
  z.strictObject({
    index: z.int(),
    clientRef: z.string(),
    id: z.string(),
    phrase: z.string(),
  }),
);
export type CreatedCustomer = z.output<ReturnType<typeof createdCustomer>>;
