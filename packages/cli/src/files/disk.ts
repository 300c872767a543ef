/** Writing so that it is there after a power cut, and nobody else can read it. */
import { closeSync, fchmodSync, fstatSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Read and written by its owner alone: account numbers are in it. */
export const PRIVATE_MODE = 0o600;
const OTHERS = 0o077;

/**
 * Opens a file to write to. It is its owner's alone, even if it was there before.
 * @param flags `a` adds to it, `w` begins anew
 */
export function openPrivate(path: string, flags: 'a' | 'w'): number {
  const file = openSync(path, flags, PRIVATE_MODE);
  if ((fstatSync(file).mode & OTHERS) !== 0) closeToOthers(file);
  return file;
}

function closeToOthers(file: number): void {
  try {
    fchmodSync(file, PRIVATE_MODE);
  } catch (error) {
    // A disk that knows no owners, such as FAT, says who may read when it is mounted.
    if (!['EPERM', 'ENOTSUP', 'ENOSYS'].includes(errnoOf(error))) throw error;
  }
}

/** All of it, on the disk. @throws where there is no room for it */
export function writeSurely(file: number, text: string): number {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
  fsyncSync(file);
  return bytes.length;
}

/**
 * Was one line of JSON cut off as it was written, or is it being written? A whole one is not, and neither is a file of
 * somebody else.
 * @param beginning what each such line begins with
 */
export function isCutOff(text: string, beginning: string): boolean {
  return beginning.startsWith(text.slice(0, beginning.length)) && !/[}\n]/.test(text);
}

/** A new file is in its folder only when the folder is on the disk. */
export function settleFolder(path: string): void {
  // Windows has no way to ask for it, and needs none.
  if (process.platform === 'win32') return;
  const folder = openSync(dirname(path), 'r');
  fsyncSync(folder);
  closeSync(folder);
}

export const errnoOf = (error: unknown) => (error as NodeJS.ErrnoException | undefined)?.code ?? '';

/** @returns what a disk refused, as a sentence that names the fault and the fix; undefined: it was no disk's error */
export function explainDisk(error: unknown): string | undefined {
  const code = errnoOf(error);
  const { path = 'a file beside it' } = error as NodeJS.ErrnoException;
  if (['ENOSPC', 'EDQUOT', 'EFBIG'].includes(code)) {
    return `The disk has no room for what the import writes beside its file (${code}): make some.`;
  }
  if (['EACCES', 'EPERM', 'EROFS'].includes(code)) {
    return `You may not open ${path} (${code}): change who may, or copy the file to a folder of your own and import it there.`;
  }
  return undefined;
}
