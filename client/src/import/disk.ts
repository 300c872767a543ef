/** Writing so that it is there after a power cut. */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** All of it, on the disk. @throws where there is no room for it */
export function writeSurely(file: number, text: string): number {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
  fsyncSync(file);
  return bytes.length;
}

/** A new file is in its folder only when the folder is on the disk. */
export function settleFolder(path: string): void {
  // Windows has no way to ask for it, and needs none.
  if (process.platform === 'win32') return;
  const folder = openSync(dirname(path), 'r');
  fsyncSync(folder);
  closeSync(folder);
}
