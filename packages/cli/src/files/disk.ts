/** Writes files so that they survive a power cut and nobody but their owner can read them. */
import { closeSync, fchmodSync, fstatSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Readable and writable by the owner alone: the files hold account numbers. */
export const PRIVATE_MODE = 0o600;
const OTHERS_MASK = 0o077;

/**
 * Opens a file for writing. Only its owner can read it, even if it existed before with wider permissions.
 * @param flags `a` appends, `w` starts a new file
 */
export function openPrivate(path: string, flags: 'a' | 'w'): number {
  const file = openSync(path, flags, PRIVATE_MODE);
  if ((fstatSync(file).mode & OTHERS_MASK) !== 0) restrictToOwner(file);
  return file;
}

function restrictToOwner(file: number): void {
  try {
    fchmodSync(file, PRIVATE_MODE);
  } catch (error) {
    // A file system without owners, such as FAT: its permissions are set when it is mounted.
    if (!['EPERM', 'ENOTSUP', 'ENOSYS'].includes(errnoOf(error))) throw error;
  }
}

/** Writes the whole text and waits until it is on the disk. @returns its bytes @throws if there is no room for it */
export function writeAndSync(file: number, text: string): number {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
  fsyncSync(file);
  return bytes.length;
}

/**
 * Is the text an unfinished JSON line of ours? That is false for a whole line, and for the text of another program.
 * @param beginning of each such line
 */
export function isTruncated(text: string, beginning: string): boolean {
  return beginning.startsWith(text.slice(0, beginning.length)) && !/[}\n]/.test(text);
}

/** Syncs the folder of a new file: until then, a power cut may remove the file. */
export function syncFolder(path: string): void {
  // Windows can't sync a folder, and does not need to.
  if (process.platform === 'win32') return;
  const folder = openSync(dirname(path), 'r');
  fsyncSync(folder);
  closeSync(folder);
}

export const errnoOf = (error: unknown) => (error as NodeJS.ErrnoException | undefined)?.code ?? '';

/** @returns a sentence that names the fault and the fix; undefined if the error is not one of a disk */
export function explainDiskError(error: unknown): string | undefined {
  const code = errnoOf(error);
  const { path = 'a file beside it' } = error as NodeJS.ErrnoException;
  if (['ENOSPC', 'EDQUOT', 'EFBIG'].includes(code)) {
    return `The disk has no room for the files that are written (${code}): free some space.`;
  }
  if (['EACCES', 'EPERM', 'EROFS'].includes(code)) {
    return `You do not have permission to open ${path} (${code}): change its permissions, or use a file in a folder of your own.`;
  }
  return undefined;
}
