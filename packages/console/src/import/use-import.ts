/** Runs an import from the page. The Web Worker does the work and reports; this remembers what was accepted. */
import { useEffect, useReducer, useRef } from 'preact/hooks';
import { useSession } from '../session/session.ts';
import { useLeaveWarning } from '../ui/hooks.ts';
import { reduce, START, type ImportState } from './import-state.ts';
import { beginJournal, readJournal, removeExpiredJournals, writeJournal, type Journal } from './journal.ts';
import type { Command, CountedFile, Plan, Report } from './plan.ts';

/** With fewer rows in a batch the progress moves more often; a large file is sent faster with more. */
const SMALL_FILE_ROWS = 20_000;
const BATCH_ROWS = { small: 1_000, large: 4_000 };

export function batchRowsFor(rows: number): number {
  return rows <= SMALL_FILE_ROWS ? BATCH_ROWS.small : BATCH_ROWS.large;
}

export interface Import extends ImportState {
  choose: (file: File) => void;
  check: (plan: Plan) => void;
  send: (plan: Plan) => void;
  /** Goes on with an earlier import of this file, or reads its results again. */
  resume: (journal: Journal) => void;
  setPaused: (isPaused: boolean) => void;
  /** From what a check has found to the columns. */
  goBack: () => void;
  reset: () => void;
}

const UNREADABLE =
  'The file can’t be read. Choose it again, or save it again as “CSV UTF-8” in your spreadsheet.';

/** A Web Worker for each file. */
function useImportWorker(onReport: (report: Report) => void) {
  const worker = useRef<Worker>(undefined);
  const stop = () => worker.current?.terminate();
  const tell = (command: Command) => worker.current?.postMessage(command);
  useEffect(() => stop, []);
  return {
    stop,
    start: (file: File) => {
      stop();
      worker.current = new Worker('/console-import.js');
      worker.current.addEventListener('message', ({ data }: MessageEvent<Report>) => onReport(data));
      worker.current.addEventListener('error', ({ message }) =>
        onReport({ type: 'failed', fault: { message: message || UNREADABLE } }),
      );
      tell({ type: 'open', file, format: undefined });
    },
    tell,
  };
}

/** The journal of the file that is open. */
function useJournal(bankId: string) {
  const file = useRef<CountedFile>(undefined);
  const journal = useRef<Journal>(undefined);
  useEffect(removeExpiredJournals, []);
  return {
    current: () => journal.current,
    /** @returns the journal of an earlier import of this very file */
    find: (counted: CountedFile) => {
      file.current = counted;
      journal.current = readJournal(bankId, counted.fingerprint);
      return journal.current;
    },
    record: (change: Journal | Partial<Journal>) => {
      if (file.current === undefined) return;
      journal.current = { ...(journal.current as Journal), ...change };
      writeJournal(bankId, file.current.fingerprint, journal.current);
    },
    forget: () => {
      [file.current, journal.current] = [undefined, undefined];
    },
  };
}

export function useImport(): Import {
  const { key, bank } = useSession();
  const [state, dispatch] = useReducer(reduce, START);
  const journal = useJournal(bank.id);
  const showJournal = (known = journal.current()) => {
    if (known !== undefined) dispatch({ type: 'found', journal: known });
  };
  const worker = useImportWorker((report) => {
    if (report.type === 'counted') showJournal(journal.find(report));
    if (report.type === 'accepted') {
      const { accepted = [] } = journal.current() ?? {};
      journal.record({ accepted: [...accepted, [report.batch, report.batchId]] });
    }
    // A check has no journal of its own: what it finds is no result of an import.
    if (report.type === 'finished' && isSending.current) journal.record({ isFinished: true });
    // It can go on from here.
    if (report.type === 'failed') showJournal();
    dispatch(report);
  });
  const isSending = useRef(false);
  useLeaveWarning(state.opened !== undefined && state.step !== 'done');
  const start = (step: 'checking' | 'sending', command: Command) => {
    isSending.current = step === 'sending';
    dispatch({ type: 'began', step });
    worker.tell(command);
  };
  const sendAll = (begun: Journal) => {
    journal.record(begun);
    start('sending', { type: 'send', plan: begun.plan, key, importId: begun.id, accepted: begun.accepted });
  };
  return {
    ...state,
    choose: (file) => {
      journal.forget();
      dispatch({ type: 'chosen' });
      worker.start(file);
    },
    check: (plan) => start('checking', { type: 'check', plan, key }),
    send: (plan) => sendAll(beginJournal(plan)),
    resume: sendAll,
    setPaused: (isPaused) => {
      worker.tell({ type: isPaused ? 'pause' : 'resume' });
      dispatch({ type: 'paused', isPaused });
    },
    goBack: () => dispatch({ type: 'back' }),
    reset: () => {
      worker.stop();
      journal.forget();
      dispatch({ type: 'reset' });
    },
  };
}
