/** One import of a file at a time: two would write into the same files. */
import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { errnoOf, explainDisk, isCutOff, PRIVATE_MODE } from './disk.ts';
import { ImportFault } from '../reading/fault.ts';
import { isRunning, startOf, type Process } from './process.ts';

interface Owner extends Process {
  host: string;
  /** When it began; ISO 8601. */
  since?: string;
}

/** A lock that can't be read may be about to be written, where it can't be made at once; not for longer than this. */
const MADE_WITHIN_MS = 60_000;

/** @returns gives it back @throws ImportFault where another import may be running */
export function lock(path: string): () => void {
  const { pid } = process;
  const own: Owner = { host: hostname(), pid, started: startOf(pid), since: new Date().toISOString() };
  const text = JSON.stringify(own);
  while (!create(path, text)) removeStale(path);
  return () => {
    if (readLock(path) === text) rmSync(path, { force: true });
  };
}

/** @returns false where there is one already */
function create(path: string, text: string): boolean {
  const draft = `${path}.${randomUUID()}`;
  try {
    writeFileSync(draft, text, { mode: PRIVATE_MODE });
    return linkOrWrite(draft, path, text);
  } catch (error) {
    if (explainDisk(error) === undefined) throw error;
    throw new ImportFault(
      `Nothing can be written into the folder ${resolve(dirname(path))} (${errnoOf(error)}), where the import’s files go: copy the file to a folder of your own and import it there.`,
    );
  } finally {
    rmSync(draft, { force: true });
  }
}

function linkOrWrite(draft: string, path: string, text: string): boolean {
  try {
    // There at once and whole, or not at all.
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
  }
  try {
    // A disk without hard links, such as FAT and some of the network.
    writeFileSync(path, text, { flag: 'wx', mode: PRIVATE_MODE });
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Removes the lock of an import that is over. @throws ImportFault where it may be running */
function removeStale(path: string): void {
  const found = readLock(path);
  if (found === undefined) return;
  assertStale(path, found);
  const removed = `${path}.${randomUUID()}.stale`;
  try {
    renameSync(path, removed);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return;
    throw error;
  }
  // Another import may have replaced it since it was read: then this is a lock that holds.
  if (readLock(removed) === found) rmSync(removed, { force: true });
  else renameSync(removed, path);
}

function assertStale(path: string, text: string): void {
  const owner = parse(text);
  const orRemove = `remove ${path} and run the same command again`;
  if (owner === undefined) {
    if (!isCutOff(text, BEGINNING)) throw foreign(path);
    // Negative where the clock of a disk of the network is ahead.
    if (Date.now() - statSync(path).mtimeMs > MADE_WITHIN_MS) return;
    throw new ImportFault(
      `An import of this file has just begun, or was cut off as it did: wait a minute, then run the same command again.`,
    );
  }
  const since = owner.since === undefined ? '' : ` since ${owner.since.slice(0, 16).replace('T', ' ')} UTC`;
  if (owner.host !== hostname()) {
    throw new ImportFault(
      `This file is being imported already, by process ${owner.pid} on ${owner.host}${since}: wait for it, or if no peere-import runs there any more, ${orRemove}.`,
    );
  }
  if (isRunning(owner)) {
    throw new ImportFault(
      `This file is being imported already, by process ${owner.pid}${since}: wait for it, or if that is no peere-import, ${orRemove}.`,
    );
  }
}

/** @returns undefined where there is none */
function readLock(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    if (errnoOf(error) === 'EISDIR') throw foreign(path);
    throw error;
  }
}

function foreign(path: string): ImportFault {
  return new ImportFault(
    `${path} is not the lock of an import, which is made there: move it away, and run the same command again.`,
  );
}

/** What the text of each lock begins with. */
const BEGINNING = '{"host":';

/** @returns undefined for what is no whole lock */
function parse(text: string): Owner | undefined {
  try {
    const { host, pid, ...rest } = JSON.parse(text) as Owner;
    const areTexts = [rest.since ?? '', rest.started ?? '', host].every((value) => typeof value === 'string');
    return areTexts && Number.isInteger(pid) ? { host, pid, ...rest } : undefined;
  } catch {
    return undefined;
  }
}
