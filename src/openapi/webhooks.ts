/** The `webhooks` of the OpenAPI document: the requests that the service sends. */
import type { Component } from './component.ts';
import { EVENT_COMPONENTS } from './event-components.ts';

const SENT = [
  'BatchCompletedEvent',
  'BatchStalledEvent',
  'CustomerUpdatedEvent',
  'CustomerErasedEvent',
  'WebhookDisabledEvent',
  'PingEvent',
] as const satisfies (keyof typeof EVENT_COMPONENTS)[];

const RECEIVE = `Verify the signature, answer with a status from 200 to 299 within 10 seconds, and do the work after that. Events come in order, one at a time, and at least once: remember the \`id\`s of the last few, and ignore one that you have.

Any other answer, a redirect too, is a failure: the same event is sent again, first after about 5 seconds and at last every 6 hours. After 72 hours, or at once if you answer with a 410, the webhook is disabled.`;

const HEADERS = {
  'webhook-id': {
    description: 'The `id` of the event, the same in every attempt.',
    example: 'evt_bnk_demo_lagos_17',
  },
  'webhook-timestamp': {
    description:
      'The time of the attempt, in seconds since 1970. Refuse one that is more than 5 minutes old.',
    example: '1764061952',
  },
  'webhook-signature': {
    description:
      'By the Standard Webhooks specification: `v1,` and the HMAC-SHA-256 of id, timestamp and body, in base64. Two, separated by a space, after a rotation of the secret.',
    example: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  },
};

export function describeWebhooks(): Record<string, object> {
  const parameters = Object.entries(HEADERS).map(([name, header]) => ({
    name,
    in: 'header',
    required: true,
    schema: { type: 'string' },
    ...header,
  }));
  return Object.fromEntries(
    SENT.map((name) => {
      const { description, example }: Component<{ type?: string }> = EVENT_COMPONENTS[name];
      const type = example.type ?? '';
      const post = {
        operationId: `on${name.replace(/Event$/, '')}`,
        tags: ['Webhooks'],
        summary: type,
        description: `${description}\n\n${RECEIVE}`,
        security: [],
        parameters,
        requestBody: {
          required: true,
          content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}` }, example } },
        },
        responses: {
          '2XX': { description: 'You have the event. The body is not read.' },
          '410': { description: 'You want no more events: the webhook is disabled.' },
        },
      };
      return [type, { post }];
    }),
  );
}
