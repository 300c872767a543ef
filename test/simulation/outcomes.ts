/** How likely each outcome of a call across a boundary is, in percent. */
import type { Boundary, CallOutcome } from './scheduler.ts';

export const OUTCOMES: Record<Exclude<Boundary, 'timer'>, { weight: number; choice: CallOutcome }[]> = {
  d1: [
    { weight: 79, choice: 'works' },
    { weight: 9, choice: 'before' },
    { weight: 12, choice: 'after' },
  ],
  // Lost answers are the harder case.
  'd1 change': [
    { weight: 72, choice: 'works' },
    { weight: 9, choice: 'before' },
    { weight: 19, choice: 'after' },
  ],
  queue: [
    { weight: 70, choice: 'works' },
    { weight: 10, choice: 'before' },
    { weight: 10, choice: 'after' },
    { weight: 10, choice: 'partly' },
  ],
  receiver: [
    { weight: 64, choice: 'works' },
    { weight: 12, choice: 'before' },
    { weight: 10, choice: 'after' },
    { weight: 10, choice: 'fails' },
    { weight: 2, choice: 'redirects' },
    { weight: 2, choice: 'gone' },
  ],
  'cache get': [
    { weight: 60, choice: 'works' },
    { weight: 10, choice: 'before' },
    { weight: 10, choice: 'garbage' },
    { weight: 20, choice: 'foreign' },
  ],
  'cache put': [
    { weight: 75, choice: 'works' },
    { weight: 15, choice: 'before' },
    { weight: 10, choice: 'after' },
  ],
};

/** During an outage of D1. */
export const OUTAGE_OUTCOMES: { weight: number; choice: CallOutcome }[] = [
  { weight: 8, choice: 'works' },
  { weight: 90, choice: 'before' },
  { weight: 2, choice: 'after' },
];
