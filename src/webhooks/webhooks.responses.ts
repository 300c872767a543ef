/** The shapes of webhook endpoints in responses. */
import * as z from 'zod/mini';
import { once } from '../lib/once.ts';
import { DISABLED_REASONS, EVENT_TYPES } from '../events/event-types.ts';

const time = () => z.nullable(z.iso.datetime());

export const webhook = once(() =>
  z.strictObject({
    id: z.string(),
    url: z.string(),
    types: z.array(z.enum(EVENT_TYPES)),
    status: z.enum(['ENABLED', 'DISABLED']),
    createdAt: z.iso.datetime(),
    /** With its reason: null while it is enabled. */
    disabledAt: time(),
    disabledReason: z.nullable(z.enum(DISABLED_REASONS)),
    /** Id of the last event() that was delivered or that it does not want. */
    position: z.string(),
    /** How many events of the log come after the position. */
    lag: z.int(),
    lastAttemptAt: time(),
    /** HTTP status of the last attempt. Null: there was no attempt, or no response. */
    lastStatusCode: z.nullable(z.int()),
    failingSince: time(),
    nextAttemptAt: time(),
    /** Until then the secret from before the rotation signs too. */
    previousSecretUntil: time(),
  }),
);
export type Webhook = z.output<ReturnType<typeof webhook>>;

export const webhookWithSecret = once(() => z.strictObject({ ...webhook().shape, secret: z.string() }));

/** What a test sends. It is no event: it is in no log. */
export const pingEvent = once(() =>
  z.strictObject({
    id: z.string(),
    type: z.literal('ping'),
    createdAt: z.iso.datetime(),
    data: z.strictObject({ webhookId: z.string() }),
  }),
);

export const deletedWebhook = once(() => z.strictObject({ id: z.string() }));

export const webhookTest = once(() =>
  z.strictObject({
    /** Did the receiver answer with a status from 200 to 299? */
    delivered: z.boolean(),
    /** Null: there was no response within 10 seconds. */
    statusCode: z.nullable(z.int()),
    milliseconds: z.int(),
  }),
);
