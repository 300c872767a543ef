/** Changes a customer. If somebody else did so meanwhile, both versions are shown and nothing is overwritten unseen. */
import { PeereError, UPDATE_FIELDS, type Customer, type CustomerWithEtag } from '@peere/client';
import { useId, useState } from 'preact/hooks';
import { useSession } from '../session/session.ts';
import { useLeaveWarning, useTask } from '../ui/hooks.ts';
import { fieldNameOf, LABELS } from '../ui/labels.ts';
import { FormEnd } from '../ui/parts.tsx';
import { Conflict } from './conflict.tsx';
import { changesOf, EDITED_FIELDS, isWriteOnly, toDraft, type Draft, type UpdateField } from './fields.ts';

interface EditProps {
  customer: CustomerWithEtag;
  onClose: () => void;
  onChange: (customer: CustomerWithEtag, message?: string) => void;
  /** It does not exist any more. */
  onGone: () => void;
}

/** @returns the faults that the service found, by field */
function faultsOf(error: unknown): Map<string, string> {
  const errors = error instanceof PeereError ? error.errors : [];
  return new Map(errors.map(({ field, message }) => [fieldNameOf(field), message]));
}

function DraftField({
  field,
  value,
  fault,
  onInput,
}: {
  field: UpdateField;
  value: string;
  fault: string | undefined;
  onInput: (text: string) => void;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{LABELS[field]}</label>
      <input
        id={id}
        value={value}
        autocomplete="off"
        placeholder={isWriteOnly(field) ? 'Not shown; empty leaves it as it is' : ''}
        aria-invalid={fault !== undefined}
        aria-describedby={fault === undefined ? undefined : `${id}-fault`}
        onInput={({ currentTarget }) => onInput(currentTarget.value)}
      />
      {fault !== undefined && (
        <span id={`${id}-fault`} class="fault">
          {LABELS[field]} {fault}
        </span>
      )}
    </div>
  );
}

export function Edit({ customer, onClose, onChange, onGone }: EditProps) {
  const { client } = useSession();
  // What the customer was when the draft was begun, or when a conflict was last looked at.
  const [base, setBase] = useState(customer);
  const [draft, setDraft] = useState<Draft>(() => toDraft(customer));
  const [theirs, setTheirs] = useState<CustomerWithEtag>();
  const changes = changesOf(draft, toDraft(base));
  const isChanged = Object.keys(changes).length > 0;
  useLeaveWarning(isChanged);
  const readAgain = async (signal: AbortSignal) => {
    const now = await client.getCustomer({ id: customer.id }, { fresh: true, signal });
    if (now === null) onGone();
    return now;
  };
  const save = useTask(async (signal, read: CustomerWithEtag) => {
    try {
      await client.updateCustomer(customer.id, changesOf(draft, toDraft(read)), {
        ifMatch: read.etag,
        signal,
      });
    } catch (error) {
      if (!(error instanceof PeereError) || error.code !== 'PRECONDITION_FAILED') throw error;
      const now = await readAgain(signal);
      if (now !== null) setTheirs(now);
      return;
    }
    const now = await readAgain(signal);
    if (now === null) return;
    onChange(now, 'Saved.');
    onClose();
  });
  if (theirs !== undefined) {
    const takeTheirs = () => {
      onChange(theirs, 'Your change was discarded.');
      onClose();
    };
    const saveMine = () => {
      const merged = rebase(draft, base, theirs);
      setDraft(merged);
      setBase(theirs);
      setTheirs(undefined);
    };
    return (
      <Conflict base={base} mine={draft} theirs={theirs} onTakeTheirs={takeTheirs} onKeepMine={saveMine} />
    );
  }
  const faults = faultsOf(save.error);
  return (
    <form
      class="edit"
      onSubmit={(event) => {
        event.preventDefault();
        save.run(base);
      }}
    >
      <div class="grid">
        {EDITED_FIELDS.map((field) => (
          <DraftField
            key={field}
            field={field}
            value={draft[field]}
            fault={faults.get(field)}
            onInput={(text) => setDraft({ ...draft, [field]: text })}
          />
        ))}
      </div>
      <FormEnd task={save} label="Save" busyLabel="Saving …" isReady={isChanged} onClose={onClose} />
    </form>
  );
}

/** The draft on top of what the customer is now: fields that were not touched show what somebody else wrote. */
function rebase(draft: Draft, base: Customer, now: Customer): Draft {
  const [before, after] = [toDraft(base), toDraft(now)];
  const value = (field: UpdateField) => (draft[field].trim() === before[field] ? after[field] : draft[field]);
  return Object.fromEntries(UPDATE_FIELDS.map((field) => [field, value(field)])) as Draft;
}
