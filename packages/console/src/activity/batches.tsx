/** The batches of the bank, newest first. */
import type { Batch } from '@peere/client';
import { useSession } from '../session/session.ts';
import { count } from '../ui/format.ts';
import { usePolling } from '../ui/hooks.ts';
import { usePages } from '../ui/pages.ts';
import { Empty, Time, ViewHead } from '../ui/parts.tsx';
import { List } from '../ui/table.tsx';
import { BATCH_POLL_MS, BatchState } from './batch-state.tsx';
import { BatchView } from './batch.tsx';

const PAGE_ROWS = 50;

const COLUMNS = [
  { name: 'Accepted', cell: ({ createdAt }: Batch) => <Time at={createdAt} /> },
  { name: 'State', cell: ({ status }: Batch) => <BatchState status={status} /> },
  { name: 'Rows', isNumber: true, cell: ({ summary }: Batch) => count(summary.total) },
  { name: 'Customers', isNumber: true, cell: ({ summary }: Batch) => count(summary.successful) },
  { name: 'Failed', isNumber: true, cell: ({ summary }: Batch) => count(summary.failed) },
  {
    name: 'Batch',
    cell: ({ batchId }: Batch) => (
      <a href={`#batches/${batchId}`}>
        <code>{batchId}</code>
      </a>
    ),
  },
];

export function BatchesView({ id }: { id: string | undefined }) {
  const { may } = useSession();
  if (!may('customers:read', 'customers:read:extended', 'customers:write'))
    return <Empty title="This API key may not read batches">It needs the scope customers:read.</Empty>;
  return id === undefined ? <Batches /> : <BatchView key={id} id={id} />;
}

function Batches() {
  const { client } = useSession();
  const pages = usePages('batches', (signal) => client.listBatches({ limit: PAGE_ROWS }, { signal }));
  const isUnderWay = pages.rows?.some(({ status }) => status === 'PROCESSING') === true;
  usePolling(isUnderWay && !pages.isBusy, pages.reload, BATCH_POLL_MS);
  return (
    <>
      <ViewHead title="Batches" lead="What was sent to be added, newest first. Kept for 30 days." />
      <List
        label="Batches"
        columns={COLUMNS}
        pages={pages}
        empty={{
          title: 'No batches yet',
          text: (
            <>
              <a href="#import">Import a file</a>, and its batches appear here.
            </>
          ),
        }}
      />
    </>
  );
}
