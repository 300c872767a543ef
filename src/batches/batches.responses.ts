/** What answers about batches hold. The Worker takes the types alone. */
import * as z from 'zod/mini';
import { fieldError } from '../http/envelope.ts';
import { BATCH_STATUSES, FAILURE_CODES } from '../db/schema.ts';

/** Counts: total = successful + failed, failed = duplicates + invalidData. */
export const batchSummary = z.strictObject({
  total: z.int(),
  successful: z.int(),
  failed: z.int(),
  duplicates: z.int(),
  invalidData: z.int(),
});
export type BatchSummary = z.output<typeof batchSummary>;

export const rowFailure = z.strictObject({
  /** Position in what was sent, from 0. */
  index: z.int(),
  /** The bank's own name for the row, where it can be read. */
  clientRef: z.nullable(z.string()),
  code: z.enum(FAILURE_CODES),
  message: z.string(),
  errors: z.array(fieldError),
});
export type RowFailure = z.output<typeof rowFailure>;

/** The contract's `data`, and where the rest of it is. */
export const batchReport = z.strictObject({
  /** Null for a dry run, as are the other things that it does not make. */
  batchId: z.nullable(z.string()),
  status: z.nullable(z.enum(['PROCESSING', 'COMPLETED_WITH_FAILURES'])),
  summary: batchSummary,
  failures: z.array(rowFailure),
  failuresInline: z.boolean(),
  inlineFailureLimit: z.int(),
  failuresUrl: z.nullable(z.string()),
  data: z.strictObject({ createdCount: z.int(), customerIds: z.array(z.string()) }),
});
export type BatchReport = z.output<typeof batchReport>;

export const batchView = z.strictObject({
  batchId: z.string(),
  status: z.enum(BATCH_STATUSES),
  summary: batchSummary,
  /** Rows of which it is known what became of them, of all that were sent. */
  progress: z.strictObject({ processed: z.int(), total: z.int() }),
  /** Failures that made room for those of newer batches: the list is without them. */
  failuresRemoved: z.int(),
  createdAt: z.iso.datetime(),
  completedAt: z.nullable(z.iso.datetime()),
});
export type BatchView = z.output<typeof batchView>;

/** A row of a batch that became a customer. */
export const createdCustomer = z.strictObject({
  index: z.int(),
  clientRef: z.string(),
  id: z.string(),
  phrase: z.string(),
});
export type CreatedCustomer = z.output<typeof createdCustomer>;
