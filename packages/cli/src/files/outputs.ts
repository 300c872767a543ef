/**
 * The two files that an import writes beside its input: the phrase of every customer, and the rows that failed, each
 * with its reason, ready to be mended and imported. A batch is added whole, and is on the disk before the journal says
 * so; what an import that was cut off had added beyond that is cut off again. A file that another import wrote is never
 * written over: it is moved aside.
 */
import { closeSync, existsSync, openSync, readSync, renameSync, statSync, truncateSync } from 'node:fs';
import { stringify } from 'csv-stringify/sync';
import { openPrivate, settleFolder, writeSurely } from './disk.ts';
import { ImportFault } from '../reading/fault.ts';
import { defuse } from '../reading/formulas.ts';
import { checkOf, COLUMNS_BEFORE, COLUMNS_BEHIND } from '../reading/failures-file.ts';

/** A CSV file that grows. It is there when it has a row. It begins with a byte order mark, or Excel reads no UTF-8. */
class Output {
  readonly path: string;
  readonly #headers: string[];
  readonly #delimiter: string;
  #bytes: number;
  #file: number | undefined;

  /** @param bytes what of it is there already and stays; 0: the file is a new one */
  constructor(path: string, headers: string[], delimiter: string, bytes: number) {
    this.path = path;
    this.#headers = headers;
    this.#delimiter = delimiter;
    this.#bytes = bytes;
    if (bytes === 0) moveAside(path);
    else if (!existsSync(path) || statSync(path).size < bytes) {
      throw new ImportFault(
        `${path} is not there any more, or shorter than this import left it. Put it back, or move the journal away to begin anew.`,
      );
    } else if (!this.#isOwn()) {
      throw new ImportFault(
        `${path} is not the file that this import wrote: another stands there. Put the old one back, or move the journal away to begin anew.`,
      );
    } else truncateSync(path, bytes);
  }

  /** It begins with the header that was written. */
  #isOwn(): boolean {
    const wanted = Buffer.from(this.#text([this.#headers], true));
    const found = Buffer.alloc(wanted.length);
    const file = openSync(this.path, 'r');
    readSync(file, found);
    closeSync(file);
    return found.equals(wanted);
  }

  #text(rows: string[][], isNew: boolean): string {
    return stringify(rows, { bom: isNew, delimiter: this.#delimiter });
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(rows: string[][]): void {
    if (rows.length === 0) return;
    const isNew = this.#bytes === 0;
    const text = this.#text(isNew ? [this.#headers, ...rows] : rows, isNew);
    this.#file ??= openPrivate(this.path, 'a');
    this.#bytes += writeSurely(this.#file, text);
    if (isNew) settleFolder(this.path);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }
}

/** `customers.phrases.csv` becomes `customers.phrases.1.csv`, or the next number that is free. */
function moveAside(path: string): void {
  if (!existsSync(path)) return;
  const numbered = (number: number) => path.replace(/csv$/, `${number}.csv`);
  let number = 1;
  while (existsSync(numbered(number))) number += 1;
  renameSync(path, numbered(number));
}

export interface Failed {
  /** In the file, from 1, the header not counted. */
  row: number;
  cells: string[];
  code: string;
  reason: string;
  /** It failed because of another row of the file: without that, it is a good row. */
  repeats: boolean;
}

export interface Created {
  /** In the file, from 1, the header not counted. */
  row: number;
  clientRef: string;
  id: string;
  phrase: string;
}

export interface Written {
  phrases: string | undefined;
  failures: string | undefined;
}

const phrasesOf = (stem: string) => `${stem}.phrases.csv`;
const failuresOf = (stem: string) => `${stem}.failures.csv`;

/** Those that there are. */
export function writtenAt(stem: string): Written {
  const ifThere = (path: string) => (existsSync(path) ? path : undefined);
  return { phrases: ifThere(phrasesOf(stem)), failures: ifThere(failuresOf(stem)) };
}

function failureCells({ row, cells, code, reason, repeats }: Failed): string[] {
  const check = repeats ? checkOf(cells) : '';
  return [String(row), ...[...cells, code, reason].map(defuse), check];
}

export class Outputs {
  readonly #failures: Output;
  readonly #phrases: Output;

  /**
   * @param stem path without its ending
   * @param table what is imported: the outputs have its headers, and its delimiter if it has one
   */
  constructor(
    stem: string,
    { headers, delimiter = ',' }: { headers: string[]; delimiter: string | undefined },
    { phrasesBytes, failuresBytes }: { phrasesBytes: number; failuresBytes: number },
  ) {
    const phraseHeaders = ['row', 'clientRef', 'id', 'phrase'];
    const failureHeaders = [...COLUMNS_BEFORE, ...headers.map(defuse), ...COLUMNS_BEHIND];
    this.#phrases = new Output(phrasesOf(stem), phraseHeaders, delimiter, phrasesBytes);
    this.#failures = new Output(failuresOf(stem), failureHeaders, delimiter, failuresBytes);
  }

  add(created: Created[], failed: Failed[]): { phrasesBytes: number; failuresBytes: number } {
    this.#phrases.add(
      created.map(({ row, clientRef, id, phrase }) => [String(row), defuse(clientRef), id, phrase]),
    );
    this.#failures.add(failed.map(failureCells));
    return { phrasesBytes: this.#phrases.bytes, failuresBytes: this.#failures.bytes };
  }

  close(): void {
    this.#phrases.close();
    this.#failures.close();
  }
}
