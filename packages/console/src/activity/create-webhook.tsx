/** Adds a webhook: a URL, and the types of events that are sent to it. */
import type { Event, WebhookWithSecret } from '@peere/client';
import { useId, useState } from 'preact/hooks';
import { isLocal, useSession } from '../session/session.ts';
import { Dialog } from '../ui/dialog.tsx';
import { useTask } from '../ui/hooks.ts';
import { FormEnd } from '../ui/parts.tsx';

const TYPES: Record<Event['type'], string> = {
  'batch.completed': 'every row of a batch is a customer or a failure',
  'batch.stalled': 'a batch waits for the operator of the service',
  'customer.updated': 'a customer was changed',
  'customer.erased': 'a customer was erased',
  'webhook.disabled': 'another webhook is not sent to any more',
};
const NAMES = Object.keys(TYPES) as Event['type'][];

interface CreateProps {
  onClose: () => void;
  onCreated: (webhook: WebhookWithSecret) => void;
}

export function CreateWebhook({ onClose, onCreated }: CreateProps) {
  const { client } = useSession();
  const [url, setUrl] = useState('');
  const [types, setTypes] = useState<Event['type'][]>(['batch.completed', 'batch.stalled']);
  const id = useId();
  const create = useTask(async (signal) => {
    onCreated(await client.webhooks.create({ url: url.trim(), types }, { signal }));
  });
  return (
    <Dialog title="Add a webhook" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          create.run();
        }}
      >
        <div class="field">
          <label for={id}>URL</label>
          <input
            id={id}
            type="url"
            required
            value={url}
            placeholder={isLocal ? 'http://localhost:3000/hooks' : 'https://bank.example.com/hooks'}
            onInput={({ currentTarget }) => setUrl(currentTarget.value)}
          />
        </div>
        <fieldset>
          <legend>Events</legend>
          {NAMES.map((name) => (
            <label key={name} class="check">
              <input
                type="checkbox"
                checked={types.includes(name)}
                onChange={({ currentTarget }) =>
                  setTypes(
                    NAMES.filter((known) => (known === name ? currentTarget.checked : types.includes(known))),
                  )
                }
              />
              <span>
                <code>{name}</code> <span class="soft">{TYPES[name]}</span>
              </span>
            </label>
          ))}
        </fieldset>
        <FormEnd
          task={create}
          label="Add"
          busyLabel="Adding …"
          isReady={types.length > 0}
          onClose={onClose}
        />
      </form>
    </Dialog>
  );
}
