/**
 * Writes the two files beside the input: the phrase of every customer, and the rows that failed, each with its reason,
 * ready to be fixed and imported. A batch is appended as a whole and is on the disk before the journal says so; whatever
 * an interrupted import appended after that is truncated. A file of another import is never overwritten but renamed.
 */
import { closeSync, existsSync, openSync, readSync, renameSync, statSync, truncateSync } from 'node:fs';
import { CommandError } from '../reading/errors.ts';
import {
  failureCells,
  failureHeaders,
  phraseCells,
  PHRASE_HEADERS,
  toCsv,
  type CreatedRow,
  type FailedRow,
} from '../batches/outcome.ts';
import { openPrivate, syncFolder, writeAndSync } from './disk.ts';

/** A growing CSV file, created with its first row. */
class Output {
  readonly path: string;
  readonly #headers: string[];
  readonly #delimiter: string;
  #bytes: number;
  #file: number | undefined;

  /** @param bytes of the file to keep; 0 creates a new one */
  constructor(path: string, headers: string[], delimiter: string, bytes: number) {
    this.path = path;
    this.#headers = headers;
    this.#delimiter = delimiter;
    this.#bytes = bytes;
    if (bytes === 0) renameExisting(path);
    else if (!existsSync(path) || statSync(path).size < bytes) {
      throw new CommandError(
        `${path} is missing or shorter than this import left it. Put it back, or move the journal away to start again.`,
      );
    } else if (!this.#isOwn()) {
      throw new CommandError(
        `${path} is not the file that this import wrote. Put that one back, or move the journal away to start again.`,
      );
    } else truncateSync(path, bytes);
  }

  /** Does it begin with the header that this import writes? */
  #isOwn(): boolean {
    const wanted = Buffer.from(this.#text([this.#headers], true));
    const found = Buffer.alloc(wanted.length);
    const file = openSync(this.path, 'r');
    readSync(file, found);
    closeSync(file);
    return found.equals(wanted);
  }

  #text(rows: string[][], isNew: boolean): string {
    return toCsv(rows, this.#delimiter, isNew);
  }

  get bytes(): number {
    return this.#bytes;
  }

  append(rows: string[][]): void {
    if (rows.length === 0) return;
    const isNew = this.#bytes === 0;
    const text = this.#text(isNew ? [this.#headers, ...rows] : rows, isNew);
    this.#file ??= openPrivate(this.path, 'a');
    this.#bytes += writeAndSync(this.#file, text);
    if (isNew) syncFolder(this.path);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }
}

/** `customers.phrases.csv` becomes `customers.phrases.1.csv`, or the next number that is free. */
function renameExisting(path: string): void {
  if (!existsSync(path)) return;
  const numbered = (number: number) => path.replace(/csv$/, `${number}.csv`);
  let number = 1;
  while (existsSync(numbered(number))) number += 1;
  renameSync(path, numbered(number));
}

export interface OutputPaths {
  phrases: string | undefined;
  failures: string | undefined;
}

const phrasesPath = (stem: string) => `${stem}.phrases.csv`;
const failuresPath = (stem: string) => `${stem}.failures.csv`;

/** @returns the paths of the outputs that exist */
export function existingOutputs(stem: string): OutputPaths {
  const ifExists = (path: string) => (existsSync(path) ? path : undefined);
  return { phrases: ifExists(phrasesPath(stem)), failures: ifExists(failuresPath(stem)) };
}

export class Outputs {
  readonly #failures: Output;
  readonly #phrases: Output;

  /**
   * @param stem path of the input without its extension
   * @param table the input, whose headers and delimiter the outputs use; without a delimiter, a comma
   */
  constructor(
    stem: string,
    { headers, delimiter = ',' }: { headers: string[]; delimiter: string | undefined },
    { phrasesBytes, failuresBytes }: { phrasesBytes: number; failuresBytes: number },
  ) {
    this.#phrases = new Output(phrasesPath(stem), PHRASE_HEADERS, delimiter, phrasesBytes);
    this.#failures = new Output(failuresPath(stem), failureHeaders(headers), delimiter, failuresBytes);
  }

  append(created: CreatedRow[], failed: FailedRow[]): { phrasesBytes: number; failuresBytes: number } {
    this.#phrases.append(created.map(phraseCells));
    this.#failures.append(failed.map(failureCells));
    return { phrasesBytes: this.#phrases.bytes, failuresBytes: this.#failures.bytes };
  }

  close(): void {
    this.#phrases.close();
    this.#failures.close();
  }
}
