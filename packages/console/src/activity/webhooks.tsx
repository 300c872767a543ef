/** The webhooks of the bank: where events are sent, how far each is behind, and its last error. */
import type { Webhook } from '@peere/client';
import { useEffect, useState } from 'preact/hooks';
import { useSession } from '../session/session.ts';
import { usePolling, useTask } from '../ui/hooks.ts';
import { Empty, ErrorNote, ViewHead } from '../ui/parts.tsx';
import { CreateWebhook } from './create-webhook.tsx';
import { Secret } from './secret.tsx';
import { WebhookCard } from './webhook-card.tsx';

/** Between two looks at how far the deliveries are. */
const POLL_MS = 3_000;

/** Something is being sent, or will be soon. */
const isUnderWay = ({ status, lag }: Webhook) => status === 'ENABLED' && lag > 0;

export function WebhooksView() {
  const { client, may } = useSession();
  const [webhooks, setWebhooks] = useState<Webhook[]>();
  const [secret, setSecret] = useState<{ url: string; secret: string }>();
  const [isCreating, setCreating] = useState(false);
  const isAllowed = may('webhooks:manage');
  const read = useTask(async (signal) => setWebhooks(await client.webhooks.list({ signal })));
  useEffect(() => {
    if (isAllowed) read.run();
  }, []);
  usePolling(webhooks?.some(isUnderWay) === true && !read.isBusy, read.run, POLL_MS);
  if (!isAllowed)
    return <Empty title="This API key may not manage webhooks">It needs the scope webhooks:manage.</Empty>;
  return (
    <>
      <ViewHead title="Webhooks" lead="URLs of yours that events are sent to, in order and signed.">
        <button type="button" class="button primary" onClick={() => setCreating(true)}>
          Add a webhook
        </button>
      </ViewHead>
      <ErrorNote error={read.error}>
        <button type="button" class="button small" onClick={() => read.run()}>
          Try again
        </button>
      </ErrorNote>
      {webhooks?.length === 0 && (
        <Empty title="No webhooks yet">Add one, and events are sent to it from then on.</Empty>
      )}
      <div class="stack">
        {webhooks?.map((webhook) => (
          <WebhookCard key={webhook.id} webhook={webhook} onChange={read.run} onSecret={setSecret} />
        ))}
      </div>
      {isCreating && (
        <CreateWebhook
          onClose={() => setCreating(false)}
          onCreated={(created) => {
            setCreating(false);
            setSecret(created);
            read.run();
          }}
        />
      )}
      {secret !== undefined && <Secret {...secret} onClose={() => setSecret(undefined)} />}
    </>
  );
}
