/** A list that is read page by page, as far as somebody reads on. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

/** Rows that are read at a time. */
export const PAGE_ROWS = 50;

export interface Pages<Row> {
  /** Undefined until the first page has arrived. */
  rows: Row[] | undefined;
  isBusy: boolean;
  hasMore: boolean;
  error: unknown;
  readOn: () => void;
  /** Reads as many rows again as are shown. The old ones stay until the new ones are there. */
  reload: () => void;
}

interface Reader<Row> {
  rows: AsyncGenerator<Row>;
  stop: AbortController;
}

async function take<Row>(
  rows: AsyncGenerator<Row>,
  limit: number,
): Promise<{ taken: Row[]; isEnd: boolean }> {
  const taken: Row[] = [];
  while (taken.length < limit) {
    const next = await rows.next();
    if (next.done === true) return { taken, isEnd: true };
    taken.push(next.value);
  }
  return { taken, isEnd: false };
}

interface State<Row> {
  rows: Row[] | undefined;
  isBusy: boolean;
  hasMore: boolean;
  error: unknown;
}

const LOADING = { rows: undefined, isBusy: true, hasMore: false, error: undefined };

/** @param key of what is listed: another one begins anew */
export function usePages<Row>(key: string, open: (signal: AbortSignal) => AsyncGenerator<Row>): Pages<Row> {
  const [state, setState] = useState<State<Row>>(LOADING);
  const latest = useRef(open);
  latest.current = open;
  const reader = useRef<Reader<Row>>(undefined);

  const read = useCallback(async (isAnew: boolean, limit: number) => {
    if (isAnew || reader.current === undefined) {
      reader.current?.stop.abort();
      const stop = new AbortController();
      reader.current = { rows: latest.current(stop.signal), stop };
    }
    const { rows, stop } = reader.current;
    setState((before) => ({ ...before, isBusy: true, error: undefined }));
    try {
      const { taken, isEnd } = await take(rows, limit);
      if (stop.signal.aborted) return;
      setState((before) => ({
        rows: isAnew ? taken : [...(before.rows ?? []), ...taken],
        isBusy: false,
        hasMore: !isEnd,
        error: undefined,
      }));
    } catch (error) {
      if (stop.signal.aborted) return;
      // The generator has ended with its error: reading on begins anew.
      reader.current = undefined;
      setState((before) => ({ ...before, isBusy: false, error }));
    }
  }, []);

  useEffect(() => {
    setState(LOADING);
    void read(true, PAGE_ROWS);
    return () => reader.current?.stop.abort();
  }, [key, read]);

  const shown = state.rows?.length ?? 0;
  return {
    ...state,
    readOn: () => void read(reader.current === undefined, PAGE_ROWS),
    reload: () => void read(true, Math.max(shown, PAGE_ROWS)),
  };
}
