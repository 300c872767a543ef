/** The named shapes of events and webhooks. */
import {
  batchCompletedEvent,
  batchStalledEvent,
  customerErasedEvent,
  customerUpdatedEvent,
  event,
  webhookDisabledEvent,
} from '../events/events.responses.ts';
import { pingEvent, webhook, webhookTest, webhookWithSecret } from '../webhooks/webhooks.responses.ts';
import { component } from './component.ts';
import { DEMO_CUSTOMER, EXAMPLE_BATCH_ID, EXAMPLE_EVENT, EXAMPLE_WEBHOOK } from './examples.ts';

const EVENT_FIELDS = {
  id: 'Names the event for ever. A webhook may send an event twice: with the same id.',
  type: 'What happened.',
  createdAt: 'The time at which it happened.',
};
const { id: EVENT_ID, createdAt: EVENT_TIME } = EXAMPLE_EVENT;

const WEBHOOK_FIELDS = {
  id: 'Assigned by the service. It never changes.',
  url: 'Where events are sent, by POST.',
  types: 'The types of events that are sent.',
  status: 'DISABLED: nothing is sent until you enable it.',
  createdAt: 'The time at which it was created. It gets the events from then on.',
  disabledAt: 'Null while it is enabled.',
  disabledReason:
    'GONE: it answered with a 410. FAILING: every attempt of 72 hours failed. EVENTS_EXPIRED: its next event was no longer kept. Null while it is enabled.',
  position: 'The id of the last event that was delivered, or that it does not want.',
  lag: 'The number of events after its position, of any type.',
  lastAttemptAt: 'Null: none yet.',
  lastStatusCode: 'The HTTP status of the last attempt. Null: none yet, or no response within 10 seconds.',
  failingSince: 'The time of the first failed attempt since one worked. Null: the last one worked.',
  nextAttemptAt: 'The time of the next attempt, if the last one failed.',
  previousSecretUntil: 'Until then the secret from before the rotation signs too.',
};

export const EVENT_COMPONENTS = {
  BatchCompletedEvent: component(
    batchCompletedEvent(),
    'Every row of a batch has become a customer or a failure.',
    { ...EVENT_FIELDS, data: 'The batch and its counts: total = successful + failed.' },
    EXAMPLE_EVENT,
  ),
  BatchStalledEvent: component(
    batchStalledEvent(),
    'A batch could not be completed and waits for the operator of the service. Its rows are kept.',
    { ...EVENT_FIELDS, data: 'The batch. `processed` of its `total` rows are customers or failures.' },
    {
      id: EVENT_ID,
      type: 'batch.stalled',
      createdAt: EVENT_TIME,
      data: { batchId: EXAMPLE_BATCH_ID, total: 5_000, processed: 4_000 },
    },
  ),
  CustomerUpdatedEvent: component(
    customerUpdatedEvent(),
    'A customer was updated, and a value has changed.',
    {
      ...EVENT_FIELDS,
      data: 'The customer, its new `revision` (its ETag without the quotes), and the fields that the update named.',
    },
    {
      id: EVENT_ID,
      type: 'customer.updated',
      createdAt: EVENT_TIME,
      data: {
        customerId: DEMO_CUSTOMER.id,
        revision: 'req_01M8902KC8V5W7X9Y2Z4A6B8C0',
        fields: ['accountName', 'phone'],
      },
    },
  ),
  CustomerErasedEvent: component(
    customerErasedEvent(),
    'A customer was erased.',
    { ...EVENT_FIELDS, data: 'The id that the customer had.' },
    {
      id: EVENT_ID,
      type: 'customer.erased',
      createdAt: EVENT_TIME,
      data: { customerId: DEMO_CUSTOMER.id },
    },
  ),
  WebhookDisabledEvent: component(
    webhookDisabledEvent(),
    'A webhook of your bank is not sent to any more.',
    { ...EVENT_FIELDS, data: 'The webhook, and its `disabledReason`.' },
    {
      id: EVENT_ID,
      type: 'webhook.disabled',
      createdAt: EVENT_TIME,
      data: { webhookId: EXAMPLE_WEBHOOK.id, reason: 'FAILING' },
    },
  ),
  PingEvent: component(
    pingEvent(),
    'What a test of a webhook sends. It is in no log.',
    { ...EVENT_FIELDS, data: 'The webhook that was tested.' },
    {
      id: 'png_01M8902KC8V5W7X9Y2Z4A6B8C0',
      type: 'ping',
      createdAt: EVENT_TIME,
      data: { webhookId: EXAMPLE_WEBHOOK.id },
    },
  ),
  Event: {
    schema: event(),
    description: 'Something that happened to a batch, a customer or a webhook of your bank.',
    notes: {},
    example: EXAMPLE_EVENT,
  },
  Webhook: component(
    webhook(),
    'A URL to which the events of your bank are sent, and how far it has come.',
    WEBHOOK_FIELDS,
    EXAMPLE_WEBHOOK,
  ),
  WebhookWithSecret: component(
    webhookWithSecret(),
    'A webhook with its new secret, which is shown only once.',
    { ...WEBHOOK_FIELDS, secret: 'Verifies the signature of what you receive. Store it safely.' },
    { ...EXAMPLE_WEBHOOK, secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=' },
  ),
  WebhookTest: component(
    webhookTest(),
    'What the receiver of a webhook answered to a `ping`.',
    {
      delivered: 'True if the status is from 200 to 299.',
      statusCode: 'Null: there was no response within 10 seconds.',
      milliseconds: 'How long it took.',
    },
    { delivered: true, statusCode: 204, milliseconds: 87 },
  ),
};
