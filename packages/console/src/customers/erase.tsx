/** Erases a customer for good, after its phrase has been typed. */
import type { Customer } from '@peere/client';
import { useState } from 'preact/hooks';
import { normalisePhrase } from '../../../../src/lib/phrase.ts';
import { useSession } from '../session/session.ts';
import { Dialog, TypeToConfirm } from '../ui/dialog.tsx';
import { useTask } from '../ui/hooks.ts';
import { FormEnd } from '../ui/parts.tsx';

interface EraseProps {
  customer: Customer;
  onClose: () => void;
  onErased: (message: string) => void;
}

export function Erase({ customer, onClose, onErased }: EraseProps) {
  const { client } = useSession();
  const [typed, setTyped] = useState({ text: '', isConfirmed: false });
  const erase = useTask(async (signal) => {
    await client.eraseCustomer(customer.id, { signal });
    onErased(`${customer.accountName} has been erased.`);
  });
  return (
    <Dialog title={`Erase ${customer.accountName}?`} onClose={onClose}>
      <p>
        This removes the customer and every copy of it for good. Payers who use the phrase will be told that
        nobody has it, and it is never given out again. It cannot be undone.
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (typed.isConfirmed) erase.run();
        }}
      >
        <TypeToConfirm
          wanted={customer.phrase}
          what="the phrase"
          isSame={(text) => normalisePhrase(text) === customer.phrase}
          value={typed.text}
          onInput={(text, isConfirmed) => setTyped({ text, isConfirmed })}
        />
        <FormEnd
          task={erase}
          label="Erase for good"
          busyLabel="Erasing …"
          isReady={typed.isConfirmed}
          isDanger
          onClose={onClose}
        />
      </form>
    </Dialog>
  );
}
