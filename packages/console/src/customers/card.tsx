/** A customer: what there is to know, and what can be done. */
import type { CustomerWithEtag } from '@peere/client';
import { useState } from 'preact/hooks';
import { useSession } from '../session/session.ts';
import { LABELS } from '../ui/labels.ts';
import { Badge, Copy, Time } from '../ui/parts.tsx';
import { Edit } from './edit.tsx';
import { Erase } from './erase.tsx';

const countryNames = new Intl.DisplayNames('en', { type: 'region' });

function Value({ customer, field }: { customer: CustomerWithEtag; field: keyof typeof LABELS }) {
  const value = customer[field as keyof CustomerWithEtag];
  if (value === null || value === undefined) return <span class="soft">–</span>;
  if (field === 'createdAt') return <Time at={value} />;
  if (field === 'id' || field === 'email' || field === 'phone')
    return (
      <span class="id">
        {field === 'id' ? <code>{value}</code> : <span>{value}</span>}
        <Copy text={value} what={`the ${LABELS[field].toLowerCase()}`} />
      </span>
    );
  if (field === 'country')
    return (
      <span>
        {countryNames.of(value)} <span class="soft">({value})</span>
      </span>
    );
  if (field === 'displayPicture')
    return (
      <a href={value} target="_blank" rel="noreferrer">
        {new URL(value).host}
      </a>
    );
  return <span>{value}</span>;
}

const SHOWN = [
  'email',
  'phone',
  'address',
  'state',
  'country',
  'gender',
  'displayPicture',
  'id',
  'createdAt',
] as const;

interface Actions {
  customer: CustomerWithEtag;
  /** Tells what it is now: after an update, or because somebody else has changed it. */
  onChange: (customer: CustomerWithEtag, message?: string) => void;
  onErased: (message: string) => void;
}

export function CustomerCard({ customer, onChange, onErased }: Actions) {
  const { may } = useSession();
  // An edit stays while its customer is perhaps erased, and perhaps not.
  const [isEditing, setEditing] = useState(false);
  const [isErasing, setErasing] = useState(false);
  const fields = SHOWN.filter((field) => field in customer);
  return (
    <article class="card customer" aria-label={customer.accountName}>
      <header>
        <div>
          <h2>{customer.accountName}</h2>
          <p class="phrase">
            <code>{customer.phrase}</code>
            <Copy text={customer.phrase} what="the phrase" />
          </p>
        </div>
        <div class="actions">
          {may('customers:write') && (
            <button type="button" class="button" disabled={isEditing} onClick={() => setEditing(true)}>
              Edit
            </button>
          )}
          {may('customers:erase') && (
            <button type="button" class="button danger" onClick={() => setErasing(true)}>
              Erase …
            </button>
          )}
        </div>
      </header>
      {isEditing ? (
        <Edit
          customer={customer}
          onClose={() => setEditing(false)}
          onChange={onChange}
          onGone={() => onErased('Somebody has erased this customer meanwhile.')}
        />
      ) : (
        <dl>
          {fields.map((field) => (
            <div key={field}>
              <dt>{LABELS[field]}</dt>
              <dd>
                <Value customer={customer} field={field} />
              </dd>
            </div>
          ))}
        </dl>
      )}
      {!may('customers:read:extended') && (
        <p class="soft">
          <Badge tone="plain">Standard fields</Badge> Email, phone and address need the scope{' '}
          <code>customers:read:extended</code>.
        </p>
      )}
      {may('audit:read') && <a href={`#audit/${customer.id}`}>Who changed this customer</a>}
      {isErasing && <Erase customer={customer} onClose={() => setErasing(false)} onErased={onErased} />}
    </article>
  );
}
