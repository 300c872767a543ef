/** Signed in or not, and the view that the URL names. */
import type { Bank } from '@peere/client';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { AuditView } from './activity/audit.tsx';
import { BatchesView } from './activity/batches.tsx';
import { EventsView } from './activity/events.tsx';
import { WebhooksView } from './activity/webhooks.tsx';
import { CustomersView } from './customers/view.tsx';
import { useImport, type Import } from './import/use-import.ts';
import { ImportView } from './import/view.tsx';
import { forgetKey, SessionProvider, type Scope, type Session } from './session/session.ts';
import { SignIn } from './session/sign-in.tsx';
import { counted } from './ui/format.ts';
import { focusFirst, useRoute, useTask } from './ui/hooks.ts';

interface View {
  name: string;
  title: string;
  /**
   * @param id what the URL names within the view
   * @param countAgain to be called when the bank has fewer customers
   */
  show: (id: string | undefined, importing: Import, countAgain: () => void) => ComponentChildren;
}

const VIEWS: View[] = [
  {
    name: 'customers',
    title: 'Customers',
    show: (id, _, countAgain) => <CustomersView id={id} onErased={countAgain} />,
  },
  { name: 'import', title: 'Import', show: (_, importing) => <ImportView state={importing} /> },
  { name: 'batches', title: 'Batches', show: (id) => <BatchesView id={id} /> },
  { name: 'events', title: 'Events', show: () => <EventsView /> },
  { name: 'webhooks', title: 'Webhooks', show: () => <WebhooksView /> },
  { name: 'audit', title: 'Audit log', show: (id) => <AuditView subject={id} /> },
];

/** What each scope allows, in words. */
const MAY: Record<Scope, string> = {
  'customers:read': 'Look up customers',
  'customers:read:extended': 'See emails, phones and addresses',
  'customers:write': 'Add and change customers',
  'customers:erase': 'Erase customers',
  'audit:read': 'Read the audit log',
  'events:read': 'Read events',
  'webhooks:manage': 'Manage webhooks',
  'network:resolve': 'Ask for payees of other banks',
};

export function App() {
  const [session, setSession] = useState<Session>();
  if (session === undefined) return <SignIn onSignIn={setSession} />;
  const signOut = () => {
    forgetKey();
    // Nothing of the session stays in memory or in the URL.
    history.replaceState(null, '', '/console');
    setSession(undefined);
  };
  return (
    <SessionProvider value={session}>
      <SignedIn session={session} onBank={(bank) => setSession({ ...session, bank })} onSignOut={signOut} />
    </SessionProvider>
  );
}

interface SignedInProps {
  session: Session;
  /** Tells what has changed: the number of its customers. */
  onBank: (bank: Bank) => void;
  onSignOut: () => void;
}

function SignedIn({ session: { bank, client }, onBank, onSignOut }: SignedInProps) {
  const importing = useImport();
  const isImported = importing.step === 'done';
  const countAgain = useTask(async (signal) => onBank(await client.getBank({ signal })));
  useEffect(() => {
    if (isImported) countAgain.run();
  }, [isImported]);
  const [name, id] = useRoute();
  const view = VIEWS.find((known) => known.name === name) ?? VIEWS[0];
  // The form that had the focus is gone: a keyboard goes on in what it has opened.
  const viewed = useRef<HTMLDivElement>(null);
  useEffect(() => focusFirst(viewed.current), []);
  useEffect(() => {
    document.title = `${view?.title} · Console · Peere customers`;
  }, [view]);
  return (
    <div class="console">
      <aside>
        <nav aria-label="Console">
          {VIEWS.map((known) => (
            <a key={known.name} href={`#${known.name}`} aria-current={known === view ? 'page' : undefined}>
              {known.title}
            </a>
          ))}
        </nav>
        <section class="who" aria-label="Signed in">
          <strong>{bank.name}</strong>
          {bank.customerCount !== null && <span>{counted(bank.customerCount, 'customer')}</span>}
          <details>
            <summary>What you may do</summary>
            <ul>
              {bank.scopes.map((scope) => (
                <li key={scope}>{MAY[scope]}</li>
              ))}
            </ul>
            API key <code>{bank.keyId}</code>
          </details>
          <button type="button" class="button small" onClick={onSignOut}>
            Sign out
          </button>
        </section>
      </aside>
      <div class="view" ref={viewed}>
        {view?.show(id, importing, countAgain.run)}
      </div>
    </div>
  );
}
