/** Erases a customer for good, after its phrase has been typed. */
import type { Customer } from '@peere/client';
import { normalisePhrase } from '../../../../src/lib/phrase.ts';
import { useSession } from '../session/session.ts';
import { ConfirmByTyping } from '../ui/dialog.tsx';
import { useTask } from '../ui/hooks.ts';

interface EraseProps {
  customer: Customer;
  onClose: () => void;
  onErased: (message: string) => void;
}

export function Erase({ customer, onClose, onErased }: EraseProps) {
  const { client } = useSession();
  const erase = useTask(async (signal) => {
    await client.eraseCustomer(customer.id, { signal });
    onErased(`${customer.accountName} has been erased.`);
  });
  return (
    <ConfirmByTyping
      title={`Erase ${customer.accountName}?`}
      wanted={customer.phrase}
      what="the phrase"
      isSame={(typed) => normalisePhrase(typed) === customer.phrase}
      label="Erase for good"
      busyLabel="Erasing …"
      task={erase}
      onClose={onClose}
    >
      <p>
        This removes the customer and every copy of it for good. Payers who use the phrase will be told that
        nobody has it, and it is never given out again. It cannot be undone.
      </p>
    </ConfirmByTyping>
  );
}
