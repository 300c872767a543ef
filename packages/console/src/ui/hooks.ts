/** Hooks that every view uses: a task with its error, the view in the URL, and polling. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

export interface Task<Arguments extends unknown[]> {
  run: (...args: Arguments) => void;
  isBusy: boolean;
  /** Why the last run failed; undefined while one is under way. */
  error: unknown;
}

/** Runs something that takes time, and keeps its error to be shown. Aborted when the view goes away. */
export function useTask<Arguments extends unknown[]>(
  work: (signal: AbortSignal, ...args: Arguments) => Promise<void>,
): Task<Arguments> {
  const [state, setState] = useState<{ isBusy: boolean; error: unknown }>({
    isBusy: false,
    error: undefined,
  });
  const latest = useRef(work);
  latest.current = work;
  const stop = useRef(new AbortController());
  useEffect(() => () => stop.current.abort(), []);
  const run = useCallback((...args: Arguments) => {
    stop.current.abort();
    const controller = new AbortController();
    stop.current = controller;
    setState({ isBusy: true, error: undefined });
    const settle = (error: unknown) => {
      if (!controller.signal.aborted) setState({ isBusy: false, error });
    };
    latest.current(controller.signal, ...args).then(() => settle(undefined), settle);
  }, []);
  return { run, ...state };
}

/** Moves the focus to the first field of a view, or to its heading. */
export function focusFirst(view: HTMLElement | null): void {
  const field = view?.querySelector<HTMLElement>('input:not([type=file])');
  const heading = view?.querySelector<HTMLElement>('h1');
  heading?.setAttribute('tabindex', '-1');
  (field ?? heading)?.focus({ preventScroll: true });
}

/** Rows that one task renders: a whole table at once would hold the page up, on a slow computer for long. */
const ROWS_PER_TASK = 10;

/** Renders a table a few rows at a time. @returns the rows to render by now */
export function useStepwise<Row>(rows: readonly Row[]): readonly Row[] {
  const [count, setCount] = useState(ROWS_PER_TASK);
  const isWhole = count >= rows.length;
  useEffect(() => {
    if (isWhole) return undefined;
    const timer = setTimeout(() => setCount((before) => before + ROWS_PER_TASK));
    return () => clearTimeout(timer);
  }, [isWhole, count]);
  return isWhole ? rows : rows.slice(0, count);
}

/** The part of the URL that names the view: `#batches/bat_…` is `['batches', 'bat_…']`. It never holds an API key. */
export function useRoute(): string[] {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const onChange = () => setHash(location.hash);
    addEventListener('hashchange', onChange);
    return () => removeEventListener('hashchange', onChange);
  }, []);
  return hash.slice(1).split('/');
}

/** Calls again and again while something is under way and the page is visible. */
export function usePolling(isActive: boolean, poll: () => void, intervalMs: number): void {
  const latest = useRef(poll);
  latest.current = poll;
  useEffect(() => {
    if (!isActive) return undefined;
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') latest.current();
    }, intervalMs);
    return () => clearInterval(timer);
  }, [isActive, intervalMs]);
}

/** Asks before the page is left while something would be lost. */
export function useLeaveWarning(isActive: boolean): void {
  useEffect(() => {
    if (!isActive) return undefined;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [isActive]);
}
