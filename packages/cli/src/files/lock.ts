/** Allows one command to work on a file at a time: two would write to the same files. */
import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { CommandError } from '../reading/errors.ts';
import { errnoOf, explainDiskError, isTruncated, PRIVATE_MODE } from './disk.ts';
import { isRunning, startOf, type Process } from './process.ts';

interface Owner extends Process {
  host: string;
  /** When the command began; ISO 8601. */
  since?: string;
}

/** What a command does to a file, in its errors: "This file is being imported already". */
export type Work = 'imported' | 'exported' | 'reconciled';

/** How long a truncated lock may be one that another process is still writing. */
const MAX_WRITE_MS = 60_000;

/** @returns a function that releases the lock @throws CommandError if another such command may be running */
export function acquireLock(path: string, work: Work): () => void {
  const { pid } = process;
  const own: Owner = { host: hostname(), pid, started: startOf(pid), since: new Date().toISOString() };
  const text = JSON.stringify(own);
  while (!create(path, text)) removeStale(path, work);
  return () => {
    if (readLock(path) === text) rmSync(path, { force: true });
  };
}

/** @returns false if there is a lock already */
function create(path: string, text: string): boolean {
  const draft = `${path}.${randomUUID()}`;
  try {
    writeFileSync(draft, text, { mode: PRIVATE_MODE });
    return linkOrWrite(draft, path, text);
  } catch (error) {
    if (explainDiskError(error) === undefined) throw error;
    throw new CommandError(
      `The folder ${resolve(dirname(path))}, where this command writes its files, is not writable (${errnoOf(error)}): copy the file to a folder of your own, or name a file in one.`,
    );
  } finally {
    rmSync(draft, { force: true });
  }
}

function linkOrWrite(draft: string, path: string, text: string): boolean {
  try {
    // A link appears at once and whole, or not at all.
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
  }
  try {
    // A file system without hard links, such as FAT and some network drives.
    writeFileSync(path, text, { flag: 'wx', mode: PRIVATE_MODE });
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Removes the lock of a command that has ended. @throws CommandError if it may still be running */
function removeStale(path: string, work: Work): void {
  const found = readLock(path);
  if (found === undefined) return;
  assertStale(path, found, work);
  const removed = `${path}.${randomUUID()}.stale`;
  try {
    renameSync(path, removed);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return;
    throw error;
  }
  // Another command may have replaced the lock since it was read: then it is valid and goes back.
  if (readLock(removed) === found) rmSync(removed, { force: true });
  else renameSync(removed, path);
}

function assertStale(path: string, text: string, work: Work): void {
  const owner = parse(text);
  const orRemove = `remove ${path} and run the same command again`;
  if (owner === undefined) {
    if (!isTruncated(text, BEGINNING)) throw foreign(path);
    // Negative if the clock of a network drive is ahead.
    if (Date.now() - statSync(path).mtimeMs > MAX_WRITE_MS) return;
    throw new CommandError(
      'The work on this file has just begun, or was stopped as it began: wait a minute, then run the same command again.',
    );
  }
  const since = owner.since === undefined ? '' : ` since ${owner.since.slice(0, 16).replace('T', ' ')} UTC`;
  if (owner.host !== hostname()) {
    throw new CommandError(
      `This file is being ${work} already, by process ${owner.pid} on ${owner.host}${since}: wait for it, or if no peere is running there any more, ${orRemove}.`,
    );
  }
  if (isRunning(owner)) {
    throw new CommandError(
      `This file is being ${work} already, by process ${owner.pid}${since}: wait for it, or if that process is not peere, ${orRemove}.`,
    );
  }
}

/** @returns undefined if there is no lock */
function readLock(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    if (errnoOf(error) === 'EISDIR') throw foreign(path);
    throw error;
  }
}

function foreign(path: string): CommandError {
  return new CommandError(
    `${path} is not the lock of this command, which belongs there: move it away and run the same command again.`,
  );
}

/** Every lock begins with this text. */
const BEGINNING = '{"host":';

/** @returns undefined if the text is not a complete lock */
function parse(text: string): Owner | undefined {
  try {
    const { host, pid, ...rest } = JSON.parse(text) as Owner;
    const areTexts = [rest.since ?? '', rest.started ?? '', host].every((value) => typeof value === 'string');
    return areTexts && Number.isInteger(pid) ? { host, pid, ...rest } : undefined;
  } catch {
    return undefined;
  }
}
