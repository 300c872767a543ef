/** The operations on webhook endpoints. */
import { listOf, operation } from '../http/operation.ts';
import { noParameters } from '../http/parameters.ts';
import { LIMITS } from '../limits.ts';
import { enableQuery, newWebhook, webhookFaults, webhookParams, webhookUpdate } from './webhooks.requests.ts';
import { deletedWebhook, webhook, webhookTest, webhookWithSecret } from './webhooks.responses.ts';

const SCOPES = ['webhooks:manage'] as const;

/** Reads are the primary's, because deliveries change an endpoint without a bookmark that the bank could know. */
const read = { method: 'GET', rateLimitClass: 'lookups', scopes: SCOPES, consistency: 'primary' } as const;
const change = { rateLimitClass: 'changes', scopes: SCOPES, consistency: 'session' } as const;
const one = { params: webhookParams, query: noParameters, errors: ['WEBHOOK_NOT_FOUND'] } as const;

const bodyRules = {
  maxBytes: LIMITS.updateBodyBytes,
  maxValues: LIMITS.updateBodyValues,
  faults: webhookFaults,
};

export const createWebhookOperation = operation({
  ...change,
  method: 'POST',
  path: '/v1/bank/webhooks',
  body: { schema: newWebhook, ...bodyRules },
  responses: {
    201: {
      message: 'Webhook created successfully',
      data: webhookWithSecret,
      headers: { Location: 'always' },
    },
  },
  errors: ['WEBHOOK_LIMIT_REACHED'],
});

export const listWebhooksOperation = operation({
  ...read,
  path: '/v1/bank/webhooks',
  query: noParameters,
  // A bank has at most 20: no pages.
  responses: { 200: { message: 'List retrieved successfully', data: listOf(webhook) } },
  errors: [],
});

export const getWebhookOperation = operation({
  ...read,
  ...one,
  path: '/v1/bank/webhooks/:webhookId',
  responses: { 200: { message: 'Webhook retrieved successfully', data: webhook } },
});

export const updateWebhookOperation = operation({
  ...change,
  ...one,
  method: 'PATCH',
  path: '/v1/bank/webhooks/:webhookId',
  body: { schema: webhookUpdate, ...bodyRules },
  responses: { 200: { message: 'Webhook updated successfully', data: webhook } },
});

export const deleteWebhookOperation = operation({
  ...change,
  ...one,
  method: 'DELETE',
  path: '/v1/bank/webhooks/:webhookId',
  responses: { 200: { message: 'Webhook deleted successfully', data: deletedWebhook } },
});

export const enableWebhookOperation = operation({
  ...change,
  ...one,
  method: 'POST',
  path: '/v1/bank/webhooks/:webhookId/enable',
  query: enableQuery,
  responses: { 200: { message: 'Webhook enabled successfully', data: webhook } },
  errors: ['WEBHOOK_NOT_FOUND', 'EVENTS_EXPIRED', 'INVALID_REQUEST'],
});

export const rotateWebhookSecretOperation = operation({
  ...change,
  ...one,
  method: 'POST',
  path: '/v1/bank/webhooks/:webhookId/rotate-secret',
  responses: { 200: { message: 'Webhook secret rotated successfully', data: webhookWithSecret } },
});

export const testWebhookOperation = operation({
  ...change,
  ...one,
  method: 'POST',
  path: '/v1/bank/webhooks/:webhookId/test',
  responses: { 200: { message: 'Webhook tested', data: webhookTest } },
  errors: ['WEBHOOK_NOT_FOUND', 'RATE_LIMITED'],
});
