/** One import of a file at a time: two would write into the same files. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { ImportFault } from './fault.ts';

interface Owner {
  pid: number;
  host: string;
}

/** @returns gives it back */
export function lock(path: string): () => void {
  const own: Owner = { pid: process.pid, host: hostname() };
  const made = `${path}.${own.pid}`;
  writeFileSync(made, JSON.stringify(own));
  try {
    for (;;) {
      try {
        // There at once and whole, or not at all.
        linkSync(made, path);
        return () => rmSync(path, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        takeOver(path, own);
      }
    }
  } finally {
    rmSync(made, { force: true });
  }
}

/** Removes the lock of one that is no more. @throws ImportFault where it may be running */
function takeOver(path: string, own: Owner): void {
  const owner = readOwner(path);
  if (owner !== undefined && owner.host !== own.host) {
    throw new ImportFault(
      `This file is being imported already, on ${owner.host}. If that is over, remove ${path} and try again.`,
    );
  }
  // A process of this very number is this one: the other was killed, as in a container that was started again.
  if (owner !== undefined && owner.pid !== own.pid && isRunning(owner.pid)) {
    throw new ImportFault(
      `This file is being imported already, by process ${owner.pid}. Wait for it, or stop it.`,
    );
  }
  const removed = `${path}.${own.pid}.stale`;
  try {
    // Of two that find it, one moves it away.
    renameSync(path, removed);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  rmSync(removed, { force: true });
}

function readOwner(path: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
