/** The state of an import on the page. The Web Worker does the work and reports; this remembers what was accepted. */
import { useEffect, useReducer, useRef } from 'preact/hooks';
import { useSession } from '../session/session.ts';
import { useLeaveWarning } from '../ui/hooks.ts';
import { beginJournal, readJournal, removeExpiredJournals, writeJournal, type Journal } from './journal.ts';
import type { Command, CountedFile, Fault, ImportResult, OpenedFile, Plan, Report } from './plan.ts';

export type Step = 'choose' | 'reading' | 'map' | 'checking' | 'checked' | 'sending' | 'done';

export interface ImportState {
  step: Step;
  opened: OpenedFile | undefined;
  counted: CountedFile | undefined;
  /** An earlier import of this very file. */
  journal: Journal | undefined;
  progress: Progress;
  isPaused: boolean;
  result: ImportResult | undefined;
  fault: Fault | undefined;
}

export interface Progress {
  created: number;
  failed: number;
  /** Milliseconds: when this run began, less the time in which it was paused. */
  startedAt: number;
}

const NOTHING: Progress = { created: 0, failed: 0, startedAt: 0 };
const START: ImportState = {
  step: 'choose',
  opened: undefined,
  counted: undefined,
  journal: undefined,
  progress: NOTHING,
  isPaused: false,
  result: undefined,
  fault: undefined,
};

type Action =
  | Report
  | { type: 'chosen' }
  | { type: 'refused'; fault: Fault }
  | { type: 'found'; journal: Journal }
  | { type: 'began'; step: 'checking' | 'sending' }
  | { type: 'paused'; isPaused: boolean }
  | { type: 'reset' };

/** A failure goes back to where it can be mended. */
function afterFault(step: Step): Step {
  return step === 'reading' ? 'choose' : 'map';
}

function reduce(state: ImportState, action: Action): ImportState {
  switch (action.type) {
    case 'chosen':
      return { ...START, step: 'reading' };
    case 'opened':
      return { ...state, step: 'map', opened: action };
    case 'counted':
      return { ...state, counted: action };
    case 'found':
      return { ...state, journal: action.journal };
    case 'began':
      return {
        ...state,
        step: action.step,
        progress: { ...NOTHING, startedAt: performance.now() },
        isPaused: false,
        result: undefined,
        fault: undefined,
      };
    case 'progress':
      return { ...state, progress: { ...state.progress, created: action.created, failed: action.failed } };
    case 'paused':
      return { ...state, isPaused: action.isPaused };
    case 'finished':
      return { ...state, step: state.step === 'checking' ? 'checked' : 'done', result: action };
    case 'refused':
      return { ...START, fault: action.fault };
    case 'failed':
      return { ...state, step: afterFault(state.step), fault: action.fault };
    case 'accepted':
      return state;
    case 'reset':
      return START;
    default:
      return action satisfies never;
  }
}

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
  /** Goes on with the earlier import of this file, or reads its results again. */
  resumeJournal: () => void;
  setPaused: (isPaused: boolean) => void;
  reset: () => void;
}

export function useImport(): Import {
  const { key, bank } = useSession();
  const [state, dispatch] = useReducer(reduce, START);
  const worker = useRef<Worker>(undefined);
  const journal = useRef<Journal>(undefined);
  const counted = useRef<CountedFile>(undefined);

  useEffect(() => {
    removeExpiredJournals();
    return () => worker.current?.terminate();
  }, []);

  const record = (change: Partial<Journal>) => {
    if (journal.current === undefined || counted.current === undefined) return;
    journal.current = { ...journal.current, ...change };
    writeJournal(bank.id, counted.current.fingerprint, journal.current);
  };
  const onReport = (report: Report) => {
    if (report.type === 'counted') {
      counted.current = report;
      const known = readJournal(bank.id, report.fingerprint);
      if (known !== undefined) dispatch({ type: 'found', journal: known });
    }
    if (report.type === 'accepted') {
      record({ accepted: [...(journal.current?.accepted ?? []), [report.batch, report.batchId]] });
    }
    if (report.type === 'finished') record({ isFinished: true });
    // It can go on from here.
    if (report.type === 'failed' && journal.current !== undefined)
      dispatch({ type: 'found', journal: journal.current });
    dispatch(report);
  };
  useLeaveWarning(state.opened !== undefined && state.step !== 'done');
  const tell = (command: Command) => worker.current?.postMessage(command);
  const stopWorker = () => {
    worker.current?.terminate();
    [worker.current, journal.current, counted.current] = [undefined, undefined, undefined];
  };
  const sendAll = (begun: Journal) => {
    journal.current = begun;
    record({});
    dispatch({ type: 'began', step: 'sending' });
    tell({ type: 'send', plan: begun.plan, key, importId: begun.id, accepted: begun.accepted });
  };
  return {
    ...state,
    choose: (file) => {
      stopWorker();
      dispatch({ type: 'chosen' });
      worker.current = new Worker('/console-import.js');
      worker.current.addEventListener('message', ({ data }: MessageEvent<Report>) => onReport(data));
      worker.current.addEventListener('error', ({ message }) =>
        onReport({
          type: 'failed',
          fault: { message: message || 'The file can’t be read in this browser.' },
        }),
      );
      tell({ type: 'open', file, format: undefined });
    },
    check: (plan) => {
      dispatch({ type: 'began', step: 'checking' });
      tell({ type: 'check', plan, key });
    },
    send: (plan) => sendAll(beginJournal(plan)),
    resumeJournal: () => {
      const known = journal.current ?? state.journal;
      if (known !== undefined) sendAll(known);
    },
    setPaused: (isPaused) => {
      tell({ type: isPaused ? 'pause' : 'resume' });
      dispatch({ type: 'paused', isPaused });
    },
    reset: () => {
      stopWorker();
      dispatch({ type: 'reset' });
    },
  };
}
