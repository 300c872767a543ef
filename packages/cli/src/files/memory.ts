/**
 * Keeps the program's memory small, whatever the size of the file. V8 prefers to grow: left alone it takes 400 MB for
 * what needs 50. So it optimises for size (without that it keeps 40 MB more between batches); its young generation stays
 * as small as it starts; and it collects garbage when it is told to, which takes a hundredth of a second.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Rows that may be read into a batch between two collections. */
export const COLLECT_EVERY_ROWS = 1_000;

let collect: (() => void) | undefined;

/**
 * @param compute whether the optimising compiler is needed: it takes tens of megabytes, and helps little in a command
 *   that waits for a server
 */
export function keepMemorySmall(compute = false): void {
  setFlagsFromString('--optimize-for-size');
  setFlagsFromString('--semi-space-growth-factor=1');
  if (!compute) setFlagsFromString('--no-opt');
}

export function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}
