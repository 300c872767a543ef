/** Prose and examples of the operations on events and webhooks. */
import { MAX_EVENTS_LOOKED_AT } from '../events/event-types.ts';
import { listEventsOperation } from '../events/events.operations.ts';
import * as webhooks from '../webhooks/webhooks.operations.ts';
import type { Documented, Parameter } from './documented.ts';
import { EXAMPLE_EVENT, EXAMPLE_WEBHOOK_ID } from './examples.ts';

const WEBHOOK_PARAMS: Record<string, Parameter> = {
  webhookId: { description: 'The `id` of the webhook.', example: EXAMPLE_WEBHOOK_ID },
};

const CREATE_WEBHOOK = `Events of these types are sent to the URL as they happen, from now on. A bank may have 20 webhooks.

The URL must be https, of a host on the public internet, with port 443 or one from 1024. On a local server, \`http://localhost:…\` and \`http://127.0.0.1:…\` are allowed too.

The response shows the \`secret\` once. If you lose it, rotate it.`;

export const EVENT_OPERATIONS: Record<string, Documented> = {
  listEvents: {
    operation: listEventsOperation,
    tag: 'Events',
    summary: 'Read what happened',
    description: `What happened to the batches and customers of your bank, in order. Events have ids and counts and no personal data. They are kept for 30 days.

To follow the log, store the URL in \`Link\` and read it next time. Its relation is \`next\` if there are more events already, and \`monitor\` if not. Nobody who reads on like this misses an event or sees one twice. Or give the \`id\` of the last event that you have as \`after\`. If events after it are no longer kept, the response is a 410.

With \`type\`, a page may have no events and still a \`next\`: one request looks at ${MAX_EVENTS_LOOKED_AT.toLocaleString('en')} events at most.`,
    query: {
      after: {
        description:
          'The id of an event: begin with the one after it. `latest`: begin with the next one that happens. Without it, begin with the oldest that is kept.',
        schema: { type: 'string', pattern: '^\\s*(latest|evt_\\w+_\\d+)\\s*$' },
        example: 'latest',
      },
      type: { description: 'Only events of this type.', example: 'batch.completed' },
      limit: { description: 'Events per page.', example: 20 },
    },
    responses: {
      200: { description: 'Events. `Link` names the URL to read on with.', data: [EXAMPLE_EVENT] },
    },
  },
  createWebhook: {
    operation: webhooks.createWebhookOperation,
    tag: 'Webhooks',
    summary: 'Create a webhook',
    description: CREATE_WEBHOOK,
    query: {},
    body: { url: 'https://bank.example.com/hooks/peere', types: ['batch.completed', 'batch.stalled'] },
    responses: { 201: { description: 'The webhook is created. `Location` is its URL.' } },
  },
  listWebhooks: {
    operation: webhooks.listWebhooksOperation,
    tag: 'Webhooks',
    summary: 'List webhooks',
    description: 'The webhooks of your bank, at most 20, oldest first.',
    query: {},
    responses: { 200: { description: 'All webhooks.' } },
  },
  getWebhook: {
    operation: webhooks.getWebhookOperation,
    tag: 'Webhooks',
    summary: 'See how a webhook is doing',
    description: 'Its status, its position in the log of events, how far it is behind, and its last attempt.',
    params: WEBHOOK_PARAMS,
    query: {},
  },
  updateWebhook: {
    operation: webhooks.updateWebhookOperation,
    tag: 'Webhooks',
    summary: 'Change a webhook',
    description:
      'Changes its URL, its types or both. It keeps its position: the new types count for the events after it. A new URL is tried soon, at most once in 10 seconds.',
    params: WEBHOOK_PARAMS,
    query: {},
    body: { types: ['batch.completed'] },
  },
  deleteWebhook: {
    operation: webhooks.deleteWebhookOperation,
    tag: 'Webhooks',
    summary: 'Delete a webhook',
    description: 'Nothing is sent any more. A request that is under way ends.',
    params: WEBHOOK_PARAMS,
    query: {},
    responses: { 200: { description: 'The webhook is deleted.', data: { id: EXAMPLE_WEBHOOK_ID } } },
  },
  enableWebhook: {
    operation: webhooks.enableWebhookOperation,
    tag: 'Webhooks',
    summary: 'Enable a webhook',
    description:
      'Sends again from its position: at once, or 10 seconds after the last attempt. It also ends the wait of a webhook that is failing. If your receiver cannot digest an event, skip it: give its id as `after`.',
    params: WEBHOOK_PARAMS,
    query: {
      after: {
        description:
          'The id of an event of your bank: go on with the one after it. Without it, go on from the position.',
        example: 'evt_bnk_demo_lagos_0',
      },
    },
  },
  rotateWebhookSecret: {
    operation: webhooks.rotateWebhookSecretOperation,
    tag: 'Webhooks',
    summary: 'Rotate the secret of a webhook',
    description:
      'The response shows the new secret once. For 24 hours every request has two signatures, by the new and by the previous secret, so that you can change your receivers one by one.',
    params: WEBHOOK_PARAMS,
    query: {},
  },
  testWebhook: {
    operation: webhooks.testWebhookOperation,
    tag: 'Webhooks',
    summary: 'Test a webhook',
    description:
      'Sends a `ping` now, whether the webhook is enabled or not, and says what the receiver answered. The position stays where it is. A webhook can be tested once in 10 seconds.',
    params: WEBHOOK_PARAMS,
    query: {},
  },
};
