/**
 * The two files that an import writes beside its input: the phrase of every customer, and the rows that failed, each
 * with its reason, ready to be mended and imported. A batch is added whole, and is on the disk before the journal says
 * so; what an import that was cut off had added beyond that is cut off again.
 */
import { closeSync, existsSync, fsyncSync, openSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { stringify } from 'csv-stringify/sync';
import { FAILURE_COLUMNS } from './fields.ts';

/** A CSV file that grows. It is there when it has a row. */
class Output {
  readonly path: string;
  readonly #headers: string[];
  #bytes: number;
  #file: number | undefined;

  /** @param bytes what of it is there already and stays */
  constructor(path: string, headers: string[], bytes: number) {
    this.path = path;
    this.#headers = headers;
    this.#bytes = bytes;
    if (bytes === 0) rmSync(path, { force: true });
    else truncateSync(path, bytes);
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(rows: string[][]): void {
    if (rows.length === 0) return;
    const isNew = this.#bytes === 0;
    const text = stringify(isNew ? [this.#headers, ...rows] : rows, { escape_formulas: true });
    this.#file ??= openSync(this.path, 'a');
    this.#bytes += writeSync(this.#file, text);
    fsyncSync(this.#file);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }
}

export interface Failed {
  cells: string[];
  code: string;
  reason: string;
}

export interface Created {
  /** In the file, from 1, the header not counted. */
  row: number;
  clientRef: string;
  id: string;
  phrase: string;
}

export class Outputs {
  readonly #failures: Output;
  readonly #phrases: Output;

  /** @param stem path without its ending */
  constructor(stem: string, headers: string[], sizes: { phrasesBytes: number; failuresBytes: number }) {
    this.#phrases = new Output(
      `${stem}.phrases.csv`,
      ['row', 'clientRef', 'id', 'phrase'],
      sizes.phrasesBytes,
    );
    this.#failures = new Output(
      `${stem}.failures.csv`,
      [...headers, ...FAILURE_COLUMNS],
      sizes.failuresBytes,
    );
  }

  add(created: Created[], failed: Failed[]): { phrasesBytes: number; failuresBytes: number } {
    this.#phrases.add(created.map(({ row, clientRef, id, phrase }) => [String(row), clientRef, id, phrase]));
    this.#failures.add(failed.map(({ cells, code, reason }) => [...cells, code, reason]));
    return { phrasesBytes: this.#phrases.bytes, failuresBytes: this.#failures.bytes };
  }

  /** Paths of those that there are. */
  close(): { phrases: string | undefined; failures: string | undefined } {
    this.#phrases.close();
    this.#failures.close();
    const ifThere = ({ path }: Output) => (existsSync(path) ? path : undefined);
    return { phrases: ifThere(this.#phrases), failures: ifThere(this.#failures) };
  }
}
