/** The state of an import as the page shows it, and how each report of the Web Worker changes it. */
import type { Journal } from './journal.ts';
import type { Fault } from '../ui/errors.ts';
import type { CountedFile, ImportResult, OpenedFile, Report } from './plan.ts';

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
export const START: ImportState = {
  step: 'choose',
  opened: undefined,
  counted: undefined,
  journal: undefined,
  progress: NOTHING,
  isPaused: false,
  result: undefined,
  fault: undefined,
};

export type Action =
  | Report
  | { type: 'chosen' }
  | { type: 'found'; journal: Journal }
  | { type: 'began'; step: 'checking' | 'sending' }
  | { type: 'paused'; isPaused: boolean }
  /** From what a check has found to the columns. */
  | { type: 'back' }
  | { type: 'reset' };

/** A failure goes back to where it can be fixed. */
function afterFault(step: Step): Step {
  return step === 'reading' ? 'choose' : 'map';
}

export function reduce(state: ImportState, action: Action): ImportState {
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
    case 'failed':
      return { ...state, step: afterFault(state.step), fault: action.fault };
    case 'accepted':
      return state;
    case 'back':
      return { ...state, step: 'map', result: undefined };
    case 'reset':
      return START;
    default:
      return action satisfies never;
  }
}
