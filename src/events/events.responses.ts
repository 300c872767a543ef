/** The shapes of events in responses, and in what webhooks send. */
import * as z from 'zod/mini';
import { DISABLED_REASONS, type EventType } from './event-types.ts';

function eventOf<Type extends EventType, Data extends z.core.$ZodShape>(type: Type, data: Data) {
  return z.strictObject({
    id: z.string(),
    type: z.literal(type),
    createdAt: z.iso.datetime(),
    data: z.strictObject(data),
  });
}

const batchId = z.string();
const customerId = z.string();

/** A batch is `COMPLETED` or `COMPLETED_WITH_FAILURES`. */
export const batchCompletedEvent = eventOf('batch.completed', {
  batchId,
  status: z.enum(['COMPLETED', 'COMPLETED_WITH_FAILURES']),
  total: z.int(),
  successful: z.int(),
  failed: z.int(),
});

/** A batch waits for an operator of the service. */
export const batchStalledEvent = eventOf('batch.stalled', { batchId, total: z.int(), processed: z.int() });

export const customerUpdatedEvent = eventOf('customer.updated', {
  customerId,
  /** The ETag, without its quotes. */
  revision: z.string(),
  /** Names of fields; never their values. */
  fields: z.array(z.string()),
});

export const customerErasedEvent = eventOf('customer.erased', { customerId });

export const webhookDisabledEvent = eventOf('webhook.disabled', {
  webhookId: z.string(),
  reason: z.enum(DISABLED_REASONS),
});

export const event = z.union([
  batchCompletedEvent,
  batchStalledEvent,
  customerUpdatedEvent,
  customerErasedEvent,
  webhookDisabledEvent,
]);
export type Event = z.output<typeof event>;
