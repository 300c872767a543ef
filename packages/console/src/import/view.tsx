/** Brings in a file: choose, map, check, send, and what became of each row. */
import { useEffect, useState } from 'preact/hooks';
import { useSession } from '../session/session.ts';
import { counted, onDate } from '../ui/format.ts';
import { focusFirst } from '../ui/hooks.ts';
import { Empty, FaultNote, ViewHead } from '../ui/parts.tsx';
import { shareReference, type Columns } from '../../../cli/src/reading/fields.ts';
import { Choose } from './choose.tsx';
import { ChooseColumns } from './choose-columns.tsx';
import { Counts, DownloadLink, Failures } from './outcome.tsx';
import type { Journal } from './journal.ts';
import { ProgressBar } from './progress.tsx';
import type { OpenedFile, Plan } from './plan.ts';
import { batchRowsFor, type Import } from './use-import.ts';

/** @param state which lives longer than this view: an import goes on while somebody looks at another one */
export function ImportView({ state }: { state: Import }) {
  const { may } = useSession();
  const { step, opened, fault } = state;
  // Each step takes the place of the one before, with whatever had the focus.
  useEffect(() => {
    if (document.activeElement === document.body) focusFirst(document.querySelector<HTMLElement>('.view'));
  }, [step]);
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
      {fault !== undefined && (
        <FaultNote fault={fault}>
          {state.progress.startedAt > 0 && (
            <p class="soft">Whatever was accepted is safe. Go on, and nothing is created twice.</p>
          )}
        </FaultNote>
      )}
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

function Steps({ state, opened }: { state: Import; opened: OpenedFile }) {
  const { step, journal, progress, isPaused, result, counted: found } = state;
  const [chosen, setChosen] = useState<Columns>(() => new Map(opened.recognised));
  const columns = shareReference(chosen, new Map(opened.ambiguous));
  const plan: Plan = {
    format: opened.format,
    columns: [...columns],
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
          <button type="button" class="button" onClick={state.goBack}>
            Back to the columns
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
  if (journal !== undefined) return <Earlier state={state} journal={journal} plan={plan} />;
  return <ChooseColumns state={state} opened={opened} columns={columns} plan={plan} onChange={setChosen} />;
}

/** This very file was imported before, or its import was interrupted. */
function Earlier({ state, journal, plan }: { state: Import; journal: Journal; plan: Plan }) {
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
        <button type="button" class="button primary" onClick={() => state.resume(journal)}>
          {isFinished ? 'Show its results' : 'Go on'}
        </button>
        <button type="button" class="button" onClick={() => state.check(plan)}>
          Check it as a new import
        </button>
      </div>
    </div>
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
