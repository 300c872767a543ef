/** Translates between HTTP and the rules of webhooks.service.ts. */
import { actorOf } from '../http/auth.ts';
import { publicUrl } from '../http/public-url.ts';
import type { Router } from '../http/router.ts';
import {
  createWebhookOperation,
  deleteWebhookOperation,
  enableWebhookOperation,
  getWebhookOperation,
  listWebhooksOperation,
  rotateWebhookSecretOperation,
  testWebhookOperation,
  updateWebhookOperation,
} from './webhooks.operations.ts';
import {
  createWebhook,
  deleteWebhook,
  enableWebhook,
  readWebhook,
  readWebhooks,
  rotateSecret,
  testWebhook,
  updateWebhook,
  type WebhookDeps,
} from './webhooks.service.ts';

export function webhookRoutes(router: Router<WebhookDeps>): void {
  router.mount(createWebhookOperation, async ({ context, deps, body }) => {
    const created = await createWebhook(deps, actorOf(context), body);
    const Location = publicUrl(context, `/v1/bank/webhooks/${created.id}`);
    return { status: 201, data: created, headers: { Location } };
  });

  router.mount(listWebhooksOperation, async ({ deps, caller }) => ({
    data: await readWebhooks(deps, caller),
  }));

  router.mount(getWebhookOperation, async ({ deps, caller, params: { webhookId } }) => ({
    data: await readWebhook(deps, caller, webhookId),
  }));

  router.mount(updateWebhookOperation, async ({ context, deps, params: { webhookId }, body }) => ({
    data: await updateWebhook(deps, actorOf(context), webhookId, body),
  }));

  router.mount(deleteWebhookOperation, async ({ context, deps, params: { webhookId } }) => {
    await deleteWebhook(deps, actorOf(context), webhookId);
    return { data: { id: webhookId } };
  });

  router.mount(
    enableWebhookOperation,
    async ({ context, deps, params: { webhookId }, query: { after } }) => ({
      data: await enableWebhook(deps, actorOf(context), webhookId, after),
    }),
  );

  router.mount(rotateWebhookSecretOperation, async ({ context, deps, params: { webhookId } }) => ({
    data: await rotateSecret(deps, actorOf(context), webhookId),
  }));

  router.mount(testWebhookOperation, async ({ deps, caller, params: { webhookId } }) => ({
    data: await testWebhook(deps, caller, webhookId),
  }));
}
