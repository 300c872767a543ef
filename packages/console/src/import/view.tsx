/** Brings in a file: choose, map, check, send, and what became of each row. */
import { useEffect, useState } from 'preact/hooks';
import { useSession } from '../session/session.ts';
import { counted, onDate } from '../ui/format.ts';
import { Empty, Note, ViewHead } from '../ui/parts.tsx';
import { Choose } from './choose.tsx';
import { MapColumns, missingFields, type Mapping } from './map-columns.tsx';
import { Counts, DownloadLink, Failures } from './outcome.tsx';
import { ProgressBar } from './progress.tsx';
import type { Fault, OpenedFile, Plan } from './plan.ts';
import { batchRowsFor, type Import } from './use-import.ts';

/** @param state which lives longer than this view: an import goes on while somebody looks at another one */
export function ImportView({ state }: { state: Import }) {
  const { may } = useSession();
  const { step, opened, fault } = state;
  if (!may('customers:write'))
    return <Empty title="This API key may not add customers">It needs the scope customers:write.</Empty>;
  return (
    <>
      <ViewHead
        title="Import"
        lead={
          opened === undefined ? 'A file becomes customers, each with a phrase.' : <FileLine state={state} />
        }
      >
        {opened !== undefined && step !== 'sending' && (
          <button type="button" class="button" onClick={state.reset}>
            Another file
          </button>
        )}
      </ViewHead>
      {fault !== undefined && <FaultNote fault={fault} wasSending={state.progress.startedAt > 0} />}
      {(step === 'choose' || step === 'reading') && (
        <Choose isBusy={step === 'reading'} onChoose={state.choose} />
      )}
      {opened !== undefined && <Steps key={opened.name} state={state} opened={opened} />}
    </>
  );
}

function FileLine({ state: { opened, counted: found } }: { state: Import }) {
  return (
    <>
      <strong>{opened?.name}</strong>,{' '}
      {found === undefined ? 'counting its rows …' : counted(found.rows, 'row')}
    </>
  );
}

function FaultNote({ fault, wasSending }: { fault: Fault; wasSending: boolean }) {
  return (
    <div class="note bad" role="alert">
      <p>{fault.message}</p>
      {fault.docs !== undefined && (
        <p class="soft">
          <a href={fault.docs} target="_blank" rel="noreferrer">
            {fault.code}: why, and what to do
          </a>
        </p>
      )}
      {wasSending && <p class="soft">Whatever was accepted is safe. Go on, and nothing is created twice.</p>}
    </div>
  );
}

function Steps({ state, opened }: { state: Import; opened: OpenedFile }) {
  const { step, journal, progress, isPaused, result, counted: found } = state;
  const [mapping, setMapping] = useState<Mapping>(
    () => new Map(opened.recognised.map(([field, position]) => [position, field])),
  );
  const columns = [...mapping].map(([position, field]) => [field, position] as const);
  const plan: Plan = {
    format: opened.format,
    columns: columns.map(([field, position]) => [field, position]),
    batchRows: batchRowsFor(found?.rows ?? 0),
  };
  if (step === 'checking')
    return <ProgressBar label="Checking" progress={progress} total={found?.rows} isPaused={false} />;
  if (step === 'sending')
    return (
      <>
        <ProgressBar label="Sending" progress={progress} total={found?.rows} isPaused={isPaused} />
        <div class="actions">
          <button type="button" class="button" onClick={() => state.setPaused(!isPaused)}>
            {isPaused ? 'Go on' : 'Pause'}
          </button>
        </div>
        <p class="soft">
          You may close this tab. To go on later, choose the same file again: nothing is created twice.
        </p>
      </>
    );
  if (step === 'done' && result !== undefined) return <Done state={state} opened={opened} />;
  if (step === 'checked' && result !== undefined)
    return (
      <>
        <Counts result={result} isDryRun />
        <div class="actions">
          <button
            type="button"
            class="button primary"
            disabled={result.created === 0}
            onClick={() => state.send(plan)}
          >
            Import {counted(result.created, 'customer')}
          </button>
          <DownloadLink
            file={result.failuresFile}
            name={`${opened.stem}.failures.csv`}
            what="to be fixed and imported"
          />
        </div>
        <Failures result={result} />
      </>
    );
  if (journal !== undefined) return <Earlier state={state} plan={plan} />;
  return <Mapped state={state} opened={opened} mapping={mapping} plan={plan} onChange={setMapping} />;
}

/** This very file was imported before, or its import was interrupted. */
function Earlier({ state, plan }: { state: Import; plan: Plan }) {
  const { journal } = state;
  if (journal === undefined) return null;
  const { isFinished, startedAt, accepted } = journal;
  return (
    <div class="card earlier">
      <h2>{isFinished ? 'This file was imported already' : 'This file’s import was interrupted'}</h2>
      <p>
        It was begun on {onDate(startedAt)}, and {counted(accepted.length, 'batch', 'batches')} of it{' '}
        {accepted.length === 1 ? 'is' : 'are'} known to be accepted.{' '}
        {isFinished
          ? 'Its results can be read again, with both files.'
          : 'Go on where it ended: with the same columns, and nothing is created twice.'}
      </p>
      <div class="actions">
        <button type="button" class="button primary" onClick={state.resumeJournal}>
          {isFinished ? 'Show its results' : 'Go on'}
        </button>
        <button type="button" class="button" onClick={() => state.check(plan)}>
          Check it as a new import
        </button>
      </div>
    </div>
  );
}

interface MappedProps {
  state: Import;
  opened: OpenedFile;
  mapping: Mapping;
  plan: Plan;
  onChange: (mapping: Mapping) => void;
}

function Mapped({ state, opened, mapping, plan, onChange }: MappedProps) {
  const isCsv = opened.format === 'csv';
  const missing = isCsv ? missingFields(mapping) : [];
  const isReady = missing.length === 0 && state.counted !== undefined;
  return (
    <>
      {missing.length > 0 ? (
        <Note tone="warn">
          <strong>Choose the column of {missing.join(', ')}.</strong> Every customer needs{' '}
          {missing.length === 1 ? 'it' : 'them'}.
        </Note>
      ) : (
        <Note tone="good">
          {isCsv ? 'Every field that is needed has a column.' : 'Keys are matched to fields by their names.'}{' '}
          Look at the first rows, then check the whole file. Checking stores nothing.
        </Note>
      )}
      <div class="actions">
        <button type="button" class="button primary" disabled={!isReady} onClick={() => state.check(plan)}>
          Check the file
        </button>
      </div>
      <h2>The first rows</h2>
      <MapColumns opened={opened} mapping={mapping} onChange={onChange} />
    </>
  );
}

function Done({ state, opened }: { state: Import; opened: OpenedFile }) {
  const { result } = state;
  useEffect(() => document.querySelector<HTMLElement>('.downloads a')?.focus({ preventScroll: true }), []);
  if (result === undefined) return null;
  return (
    <>
      <Counts result={result} isDryRun={false} />
      <div class="downloads">
        <DownloadLink
          file={result.phrasesFile}
          name={`${opened.stem}.phrases.csv`}
          what="The id and phrase of each customer"
        />
        <DownloadLink
          file={result.failuresFile}
          name={`${opened.stem}.failures.csv`}
          what="The rows that failed, with the reasons. Fix them, and import this file."
        />
      </div>
      <Failures result={result} />
    </>
  );
}
