/** The types of events: a closed set. A webhook names those that it wants. */

export const EVENT_TYPES = [
  'batch.completed',
  'batch.stalled',
  'customer.updated',
  'customer.erased',
  'webhook.disabled',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** Why a webhook is not sent to any more: it answered 410, it failed for too long, or its next event is not kept. */
export const DISABLED_REASONS = ['GONE', 'FAILING', 'EVENTS_EXPIRED'] as const;
export type DisabledReason = (typeof DISABLED_REASONS)[number];

/** How long an event is kept. The reference states it. */
export const EVENTS_KEPT_MS = 30 * 24 * 3_600_000;

/** Events that one read looks at, whatever it filters by: so many rows read at most. */
export const MAX_EVENTS_LOOKED_AT = 1_000;
