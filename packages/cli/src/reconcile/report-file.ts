/** One of the files that a comparison writes. It gets its name only when it is whole. */
import { closeSync, existsSync, renameSync, rmSync } from 'node:fs';
import { stringify } from 'csv-stringify/sync';
import { openPrivate, syncFolder, writeAndSync } from '../files/disk.ts';

/** Rows that are kept in memory and written together. */
const BUFFERED_ROWS = 500;

export class ReportFile {
  readonly path: string;
  readonly #headers: string[];
  readonly #delimiter: string;
  #rows: string[][] = [];
  #file: number | undefined;
  #count = 0;

  constructor(path: string, headers: string[], delimiter: string) {
    this.path = path;
    this.#headers = headers;
    this.#delimiter = delimiter;
  }

  get count(): number {
    return this.#count;
  }

  append(cells: string[]): void {
    this.#rows.push(cells);
    this.#count += 1;
    if (this.#rows.length >= BUFFERED_ROWS) this.#flush();
  }

  close(): void {
    this.#flush();
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #flush(): void {
    if (this.#rows.length === 0) return;
    const isNew = this.#file === undefined;
    const rows = isNew ? [this.#headers, ...this.#rows] : this.#rows;
    this.#file ??= openPrivate(partOf(this.path), 'w');
    writeAndSync(this.#file, stringify(rows, { bom: isNew, delimiter: this.#delimiter }));
    this.#rows = [];
  }
}

const partOf = (path: string) => `${path}.part`;

/** Gives a file its name, if it was written. */
export function publish(path: string): void {
  if (!existsSync(partOf(path))) return;
  renameSync(partOf(path), path);
  syncFolder(path);
}

/** Removes what an interrupted comparison left. */
export function discardPart(path: string): void {
  rmSync(partOf(path), { force: true });
}
