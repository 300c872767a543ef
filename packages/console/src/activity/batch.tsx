/** One batch: how far it is, which rows failed, and which became customers. */
import type { Batch, CreatedCustomer, RowFailure } from '@peere/client';
import { useEffect, useState } from 'preact/hooks';
import { useSession } from '../session/session.ts';
import { count } from '../ui/format.ts';
import { usePolling, useTask } from '../ui/hooks.ts';
import { faultsInWords, LABELS } from '../ui/labels.ts';
import { usePages } from '../ui/pages.ts';
import { Copy, ErrorNote, Id, Time } from '../ui/parts.tsx';
import { List } from '../ui/table.tsx';
import { BATCH_POLL_MS, BatchState } from './batch-state.tsx';

const FAILURE_COLUMNS = [
  { name: 'Row', isNumber: true, cell: ({ index }: RowFailure) => count(index + 1) },
  { name: LABELS.clientRef, cell: ({ clientRef }: RowFailure) => clientRef ?? '–' },
  {
    name: 'What is wrong',
    cell: ({ message, errors }: RowFailure) => faultsInWords(errors) || message,
  },
  {
    name: 'Code',
    cell: ({ code }: RowFailure) => (
      <a href={`/errors#${code}`} target="_blank" rel="noreferrer">
        {code}
      </a>
    ),
  },
];

const CUSTOMER_COLUMNS = [
  { name: 'Row', isNumber: true, cell: ({ index }: CreatedCustomer) => count(index + 1) },
  { name: LABELS.clientRef, cell: ({ clientRef }: CreatedCustomer) => clientRef },
  {
    name: 'Phrase',
    cell: ({ phrase }: CreatedCustomer) => (
      <span class="id">
        <code>{phrase}</code>
        <Copy text={phrase} what={`the phrase ${phrase}`} />
      </span>
    ),
  },
  {
    name: 'Customer',
    cell: ({ id }: CreatedCustomer) => (
      <a href={`#customers/${id}`}>
        <code>{id}</code>
      </a>
    ),
  },
];

export function BatchView({ id }: { id: string }) {
  const { client } = useSession();
  const [batch, setBatch] = useState<Batch>();
  const read = useTask(async (signal) => setBatch(await client.getBatch(id, { signal })));
  useEffect(() => read.run(), [id]);
  const isUnderWay = batch?.status === 'PROCESSING';
  usePolling(isUnderWay && !read.isBusy, read.run, BATCH_POLL_MS);
  // The lists are final once the batch is completed; until then each look shows what is there.
  const state = batch === undefined ? '' : `${id} ${batch.status}`;
  return (
    <>
      <a class="back" href="#batches">
        ← All batches
      </a>
      <h1>Batch</h1>
      <p>
        <Id value={id} />
      </p>
      <ErrorNote error={read.error} />
      {batch !== undefined && (
        <>
          <Facts batch={batch} />
          <Results key={state} id={id} batch={batch} />
        </>
      )}
    </>
  );
}

function Facts({ batch }: { batch: Batch }) {
  const { status, summary, progress, createdAt, completedAt } = batch;
  const facts = [
    ['State', <BatchState key="state" status={status} />],
    ['Processed', `${count(progress.processed)} of ${count(progress.total)} rows`],
    ['Customers', count(summary.successful)],
    ['Failed', count(summary.failed)],
    ['Accepted', <Time key="accepted" at={createdAt} />],
    ['Completed', completedAt === null ? '–' : <Time key="completed" at={completedAt} />],
  ] as const;
  return (
    <dl class="facts" aria-live="polite">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Results({ id, batch }: { id: string; batch: Batch }) {
  const { client } = useSession();
  const failures = usePages(`failures ${id}`, (signal) => client.listBatchFailures(id, { signal }));
  const customers = usePages(`customers ${id}`, (signal) => client.listBatchCustomers(id, { signal }));
  const notYet = batch.status === 'PROCESSING' ? 'The batch is still in process.' : undefined;
  return (
    <>
      <h2>Failed rows</h2>
      <List
        label="Failed rows"
        columns={FAILURE_COLUMNS}
        pages={failures}
        empty={{ title: 'No row failed', text: notYet ?? 'Every row became a customer.' }}
      />
      <h2>Customers</h2>
      <List
        label="Customers of this batch"
        columns={CUSTOMER_COLUMNS}
        pages={customers}
        empty={{
          title: 'No customers',
          text: notYet ?? 'No row became a customer, or they have been erased since.',
        }}
      />
    </>
  );
}
