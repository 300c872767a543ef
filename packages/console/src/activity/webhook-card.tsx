/** One webhook: its state, and what can be done with it. */
import type { Webhook } from '@peere/client';
import { useState } from 'preact/hooks';
import { useSession } from '../session/session.ts';
import { ConfirmByTyping } from '../ui/dialog.tsx';
import { count, counted } from '../ui/format.ts';
import { useTask } from '../ui/hooks.ts';
import { Badge, ErrorNote, Id, Note, Time } from '../ui/parts.tsx';

interface CardProps {
  webhook: Webhook;
  onChange: () => void;
  onSecret: (shown: { url: string; secret: string }) => void;
}

function State({ status, failingSince }: Webhook) {
  if (status === 'DISABLED') return <Badge tone="bad">Disabled</Badge>;
  return failingSince === null ? <Badge tone="good">Enabled</Badge> : <Badge tone="warn">Failing</Badge>;
}

const REASONS: Record<NonNullable<Webhook['disabledReason']>, string> = {
  GONE: 'The receiver answered with a 410.',
  FAILING: 'Every attempt of 72 hours failed.',
  EVENTS_EXPIRED: 'Its next event was no longer kept.',
};

function lastAttempt({ lastAttemptAt, lastStatusCode }: Webhook) {
  if (lastAttemptAt === null) return 'none yet';
  const answer = lastStatusCode === null ? 'no response within 10 seconds' : `HTTP ${lastStatusCode}`;
  return (
    <>
      {answer}, <Time at={lastAttemptAt} />
    </>
  );
}

function factsOf(webhook: Webhook) {
  const { types, lag, failingSince, nextAttemptAt, disabledReason } = webhook;
  return [
    ['Behind by', lag === 0 ? 'nothing' : counted(lag, 'event')],
    ['Last attempt', lastAttempt(webhook)],
    ...(failingSince === null ? [] : [['Failing since', <Time key="since" at={failingSince} />] as const]),
    ...(nextAttemptAt === null ? [] : [['Next attempt', <Time key="next" at={nextAttemptAt} />] as const]),
    ...(disabledReason === null ? [] : [['Disabled', REASONS[disabledReason]] as const]),
    ['Events', types.join(', ')],
  ] as const;
}

export function WebhookCard({ webhook, onChange, onSecret }: CardProps) {
  const { id, url, status } = webhook;
  const [isDeleting, setDeleting] = useState(false);
  return (
    <article class="card webhook" aria-label={url}>
      <header>
        <h2>
          <code>{url}</code>
        </h2>
        <State {...webhook} />
      </header>
      <dl class="facts">
        {factsOf(webhook).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        <div>
          <dt>Id</dt>
          <dd>
            <Id value={id} />
          </dd>
        </div>
      </dl>
      <WebhookActions
        webhook={webhook}
        canEnable={status === 'DISABLED' || webhook.failingSince !== null}
        onChange={onChange}
        onSecret={onSecret}
        onDelete={() => setDeleting(true)}
      />
      {isDeleting && (
        <DeleteWebhook
          webhook={webhook}
          onClose={() => setDeleting(false)}
          onDeleted={() => {
            setDeleting(false);
            onChange();
          }}
        />
      )}
    </article>
  );
}

function WebhookActions({
  webhook: { id, status },
  canEnable,
  onChange,
  onSecret,
  onDelete,
}: CardProps & { canEnable: boolean; onDelete: () => void }) {
  const { client } = useSession();
  const [told, setTold] = useState<{ isGood: boolean; text: string }>();
  const action = useTask(async (signal, what: 'test' | 'rotate' | 'enable') => {
    setTold(undefined);
    if (what === 'test') {
      const { delivered, statusCode, milliseconds } = await client.webhooks.test(id, { signal });
      const answer =
        statusCode === null ? 'No response within 10 seconds.' : `It answered with HTTP ${statusCode}`;
      setTold({
        isGood: delivered,
        text: statusCode === null ? answer : `${answer} after ${count(milliseconds)} ms.`,
      });
    } else if (what === 'rotate') onSecret(await client.webhooks.rotateSecret(id, { signal }));
    else await client.webhooks.enable(id, { signal });
    onChange();
  });
  return (
    <>
      <div class="actions">
        <button type="button" class="button" disabled={action.isBusy} onClick={() => action.run('test')}>
          Send a test
        </button>
        <button type="button" class="button" disabled={action.isBusy} onClick={() => action.run('rotate')}>
          Rotate the secret
        </button>
        {canEnable && (
          <button type="button" class="button" disabled={action.isBusy} onClick={() => action.run('enable')}>
            {status === 'DISABLED' ? 'Enable' : 'Try at once'}
          </button>
        )}
        <button type="button" class="button danger" onClick={onDelete}>
          Delete …
        </button>
      </div>
      <div class="told" aria-live="polite">
        {told !== undefined && <Note tone={told.isGood ? 'good' : 'bad'}>{told.text}</Note>}
        <ErrorNote error={action.error} />
      </div>
    </>
  );
}

function DeleteWebhook({
  webhook: { id, url },
  onClose,
  onDeleted,
}: {
  webhook: Webhook;
  onClose: () => void;
  onDeleted: () => void;
}) {
  const { client } = useSession();
  const remove = useTask(async (signal) => {
    await client.webhooks.delete(id, { signal });
    onDeleted();
  });
  return (
    <ConfirmByTyping
      title="Delete this webhook?"
      wanted={new URL(url).host}
      what="its host"
      label="Delete"
      busyLabel="Deleting …"
      task={remove}
      onClose={onClose}
    >
      <p>Nothing is sent to it any more, and events that it has not had yet are not sent later.</p>
    </ConfirmByTyping>
  );
}
