/** What a check or an import has found: counts, faults by field, the rows that failed, and the files to download. */
import { useEffect, useState } from 'preact/hooks';
import { count, counted } from '../ui/format.ts';
import { LABELS } from '../ui/labels.ts';
import { Badge } from '../ui/parts.tsx';
import { Table } from '../ui/table.tsx';
import type { ImportResult, ShownFailure } from './plan.ts';

export function DownloadLink({ file, name, what }: { file: Blob | undefined; name: string; what: string }) {
  const [url, setUrl] = useState('');
  useEffect(() => {
    if (file === undefined) return undefined;
    const made = URL.createObjectURL(file);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  if (file === undefined) return null;
  return (
    <a class="download" href={url} download={name}>
      <strong>{name}</strong>
      <span>{what}</span>
    </a>
  );
}

const GROUP_COLUMNS = [
  { name: 'What', cell: ({ name }: ImportResult['groups'][number]) => name },
  { name: 'Rows', isNumber: true, cell: ({ rows }: ImportResult['groups'][number]) => count(rows) },
  { name: 'For example', cell: ({ example }: ImportResult['groups'][number]) => example },
];

const failureColumns = (places: ImportResult['places']) => [
  { name: places, isNumber: true, cell: ({ place }: ShownFailure) => count(place) },
  { name: 'What is wrong', cell: ({ reason }: ShownFailure) => <span class="reason">{reason}</span> },
  { name: 'In the file', cell: ({ values }: ShownFailure) => <Values values={values} /> },
  { name: LABELS.accountName, cell: ({ accountName }: ShownFailure) => accountName },
  { name: LABELS.clientRef, cell: ({ clientRef }: ShownFailure) => clientRef },
];

/** What is in the file where something is wrong: often that is nothing. */
function Values({ values }: { values: string[] }) {
  return (
    <>
      {values.map((value, at) => (
        <span key={at} class="value">
          {value === '' ? <span class="soft">empty</span> : value}
        </span>
      ))}
    </>
  );
}

export function Failures({ result }: { result: ImportResult }) {
  const { failed, failures, groups, places } = result;
  if (failed === 0) return null;
  return (
    <>
      <h2>What is wrong</h2>
      <Table label="Failures by field" columns={GROUP_COLUMNS} rows={groups} />
      <h2>
        Rows that failed{' '}
        {failures.length < failed && (
          <Badge tone="plain">
            the first {count(failures.length)} of {count(failed)}
          </Badge>
        )}
      </h2>
      <Table label="Rows that failed" columns={failureColumns(places)} rows={failures} />
    </>
  );
}

export function Counts({ result, isDryRun }: { result: ImportResult; isDryRun: boolean }) {
  const { created, failed, ignored } = result;
  return (
    <>
      <div class="tiles" role="status">
        <div class="tile good">
          <strong>{count(created)}</strong>
          <span>{isDryRun ? 'would become customers' : 'became customers'}</span>
        </div>
        <div class={`tile ${failed === 0 ? '' : 'bad'}`}>
          <strong>{count(failed)}</strong>
          <span>{isDryRun ? 'would fail' : 'failed'}</span>
        </div>
      </div>
      {ignored.length > 0 && (
        <p class="soft">
          {counted(ignored.length, 'column')} not sent: {ignored.join(', ')}.
        </p>
      )}
    </>
  );
}
