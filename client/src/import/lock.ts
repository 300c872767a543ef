/** One import of a file at a time: two would write into the same files. */
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { ImportFault } from './fault.ts';

/** @returns gives it back */
export function lock(path: string): () => void {
  for (;;) {
    try {
      const file = openSync(path, 'wx');
      writeSync(file, String(process.pid));
      closeSync(file);
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const owner = Number(readFileSync(path, 'utf8'));
      if (owner > 0 && isRunning(owner)) {
        throw new ImportFault(
          `This file is being imported already, by process ${owner}. Wait for it, or stop it.`,
        );
      }
      // Of one that was killed.
      rmSync(path, { force: true });
    }
  }
}

function isRunning(process_: number): boolean {
  try {
    process.kill(process_, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
