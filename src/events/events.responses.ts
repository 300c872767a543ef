/** The shapes of events in responses, and in what webhooks send. */
import * as z from 'zod/mini';
import { once } from '../lib/once.ts';
import { DISABLED_REASONS, type EventType } from './event-types.ts';

function eventOf<Type extends EventType, Data extends z.core.$ZodShape>(type: Type, data: Data) {
  return z.strictObject({
    id: z.string(),
    type: z.literal(type),
    createdAt: z.iso.datetime(),
    data: z.strictObject(data),
  });
}

/** A batch is `COMPLETED` or `COMPLETED_WITH_FAILURES`. */
export const batchCompletedEvent = once(() =>
  eventOf('batch.completed', {
    batchId: z.string(),
    status: z.enum(['COMPLETED', 'COMPLETED_WITH_FAILURES']),
    total: z.int(),
    successful: z.int(),
    failed: z.int(),
  }),
);

/** A batch waits for an operator of the service. */
export const batchStalledEvent = once(() =>
  eventOf('batch.stalled', { batchId: z.string(), total: z.int(), processed: z.int() }),
);

export const customerUpdatedEvent = once(() =>
  eventOf('customer.updated', {
    customerId: z.string(),
    /** The ETag, without its quotes. */
    revision: z.string(),
    /** Names of fields; never their values. */
    fields: z.array(z.string()),
  }),
);

export const customerErasedEvent = once(() => eventOf('customer.erased', { customerId: z.string() }));

export const webhookDisabledEvent = once(() =>
  eventOf('webhook.disabled', {
    webhookId: z.string(),
    reason: z.enum(DISABLED_REASONS),
  }),
);

export const event = once(() =>
  z.union([
    batchCompletedEvent(),
    batchStalledEvent(),
    customerUpdatedEvent(),
    customerErasedEvent(),
    webhookDisabledEvent(),
  ]),
);
export type Event = z.output<ReturnType<typeof event>>;
