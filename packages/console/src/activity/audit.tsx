/** The audit log: who changed what, newest first. */
import type { Change } from '@peere/client';
import { useSession } from '../session/session.ts';
import { labelOf, listed } from '../ui/labels.ts';
import { usePages } from '../ui/pages.ts';
import { Empty, Time, ViewHead } from '../ui/parts.tsx';
import { List } from '../ui/table.tsx';

const PAGE_ROWS = 50;

/** The view that shows a subject, by the beginning of its id. */
const VIEWS = { cus: 'customers', bat: 'batches', whk: 'webhooks' } as const;

function Subject({ id }: { id: string }) {
  const view = VIEWS[id.slice(0, 3) as keyof typeof VIEWS];
  const code = <code>{id}</code>;
  return view === undefined ? code : <a href={`#${view}/${id}`}>{code}</a>;
}

const COLUMNS = [
  { name: 'When', cell: ({ at }: Change) => <Time at={at} /> },
  { name: 'What', cell: ({ action }: Change) => action },
  { name: 'Of', cell: ({ subject }: Change) => <Subject id={subject} /> },
  { name: 'Fields', cell: ({ fields }: Change) => (fields.length === 0 ? '–' : listed(fields.map(labelOf))) },
  {
    name: 'API key',
    cell: ({ keyId }: Change) => (keyId === null ? 'by hand, in the database' : <code>{keyId}</code>),
  },
  { name: 'Request', cell: ({ requestId }: Change) => <code>{requestId}</code> },
];

export function AuditView({ subject }: { subject: string | undefined }) {
  const { client, may } = useSession();
  const pages = usePages(`audit ${subject ?? ''}`, (signal) =>
    client.listChanges({ limit: PAGE_ROWS, ...(subject === undefined ? {} : { subject }) }, { signal }),
  );
  if (!may('audit:read'))
    return <Empty title="This API key may not read the audit log">It needs the scope audit:read.</Empty>;
  const lead =
    subject === undefined ? (
      'Who changed what, newest first. Names of fields, never their values.'
    ) : (
      <>
        Changes of <code>{subject}</code>. <a href="#audit">Show all</a>
      </>
    );
  return (
    <>
      <ViewHead title="Audit log" lead={lead}>
        <button type="button" class="button" disabled={pages.isBusy} onClick={pages.reload}>
          Read again
        </button>
      </ViewHead>
      <List
        label="Changes"
        columns={COLUMNS}
        pages={pages}
        empty={{ title: 'No changes', text: 'Each change of a customer, batch or webhook appears here.' }}
      />
    </>
  );
}
