/** Work on the rows of a batch in turns, between which the isolate serves other requests. */
import { inSlices } from '../../lib/slices.ts';
import type { Runtime } from '../../runtime.ts';

/** Rows of a turn: 2 to 5 ms of CPU. Not measured by the clock, which stands still in a Worker while it computes. */
const ROWS_PER_TURN = 200;

/**
 * Calls `work` with one slice of the rows after the other.
 * @param work gets the slice, and the index of its first row
 * @returns the results, in order
 */
export async function inTurns<Row, Result>(
  { sleep }: Pick<Runtime, 'sleep'>,
  rows: Row[],
  work: (slice: Row[], first: number) => Result | Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const [turn, slice] of inSlices(rows, ROWS_PER_TURN).entries()) {
    if (turn > 0) await sleep(0);
    results.push(await work(slice, turn * ROWS_PER_TURN));
  }
  return results;
}
