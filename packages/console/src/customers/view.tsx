/** Finds a customer by phrase, email or id. The id alone is in the URL. */
import type { CustomerIdentifier, CustomerWithEtag } from '@peere/client';
import { useEffect, useState } from 'preact/hooks';
import { useSession } from '../session/session.ts';
import { useTask } from '../ui/hooks.ts';
import { Empty, ErrorNote, Note, ViewHead } from '../ui/parts.tsx';
import { CustomerCard } from './card.tsx';
import { readIdentifier } from './identifier.ts';

type Found =
  { customer: CustomerWithEtag; message?: string | undefined } | { customer: undefined; message: string };

interface CustomersViewProps {
  id: string | undefined;
  onErased: () => void;
}

export function CustomersView({ id, onErased }: CustomersViewProps) {
  const { client, may } = useSession();
  const [text, setText] = useState('');
  const [fault, setFault] = useState<string>();
  const [found, setFound] = useState<Found>();
  const show = (customer: CustomerWithEtag, message?: string) => {
    setFound({ customer, message });
    history.replaceState(null, '', `#customers/${customer.id}`);
  };
  const task = useTask(async (signal, identifier: CustomerIdentifier) => {
    setFound(undefined);
    const customer = await client.getCustomer(identifier, { fresh: true, signal });
    if (customer !== null) return show(customer);
    const [name, value] = Object.entries(identifier)[0] ?? [];
    setFound({ customer: undefined, message: `Your bank has no customer with the ${name} ${value}.` });
  });
  useEffect(() => {
    if (id !== undefined && id !== found?.customer?.id) task.run({ id });
  }, [id]);
  const submit = (event: Event) => {
    event.preventDefault();
    const typed = readIdentifier(text);
    // Whoever was found before is not the answer to this.
    setFound(undefined);
    setFault('fault' in typed ? typed.fault : undefined);
    if ('identifier' in typed) task.run(typed.identifier);
  };
  const erased = (message: string) => {
    setFound({ customer: undefined, message });
    history.replaceState(null, '', '#customers');
    onErased();
  };
  if (!may('customers:read', 'customers:read:extended'))
    return <Empty title="This API key may not read customers">It needs the scope customers:read.</Empty>;
  return (
    <>
      <ViewHead title="Customers" lead="Find a customer of your bank by phrase, email or id." />
      <form class="look-up" role="search" onSubmit={submit}>
        <label class="visually-hidden" for="look-up">
          Phrase, email or id
        </label>
        <input
          id="look-up"
          type="search"
          value={text}
          placeholder="river stone ocean coral, an email, or an id"
          autocomplete="off"
          spellcheck={false}
          autocapitalize="off"
          required
          aria-describedby="look-up-fault"
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
        <button type="submit" class="button primary" disabled={task.isBusy}>
          {task.isBusy ? 'Looking …' : 'Look up'}
        </button>
      </form>
      <p id="look-up-fault" class="fault" role="status">
        {fault}
      </p>
      <ErrorNote error={task.error} />
      <div aria-live="polite">
        {found?.message !== undefined && (
          <Note tone={found.customer === undefined ? 'plain' : 'good'}>{found.message}</Note>
        )}
        {found?.customer !== undefined && (
          <CustomerCard key={found.customer.id} customer={found.customer} onChange={show} onErased={erased} />
        )}
      </div>
      {found === undefined && !task.isBusy && task.error === undefined && (
        <Empty title="Whom are you looking for?">
          Type a phrase in any way: capitals, spaces, dots and hyphens make no difference.
        </Empty>
      )}
    </>
  );
}
