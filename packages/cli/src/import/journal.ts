/**
 * Records the progress of an import in a file beside its input, so that an interrupted import continues where it was
 * and sends nothing twice. Each step is a line, which is on the disk before the next step begins. The Idempotency-Key of
 * each batch derives from the journal too: if a batch was accepted and its line is missing, sending the batch again
 * creates nothing twice.
 */
import { closeSync, readFileSync, truncateSync } from 'node:fs';
import { errnoOf, isTruncated, openPrivate, syncFolder, writeAndSync } from '../files/disk.ts';
import { CommandError } from '../reading/errors.ts';
import type { Format } from '../reading/row.ts';

/** Changes with the format of the journal and with what counts as a row: both determine the batches. */
export const JOURNAL_VERSION = 2;

export interface Beginning {
  /** `JOURNAL_VERSION` of the program that began the import. */
  journal: number;
  /** Random id of this import; with the number of a batch, it is the batch's Idempotency-Key. */
  id: string;
  /** SHA-256 of the input's text. */
  input: string;
  url: string;
  /** Format of the input. Journals of earlier versions lack it: they took the one that the file name suggests. */
  format?: Format | undefined;
  map: string[];
  batchRows: number;
}

/** A batch whose outcome is in the output files. */
export interface DoneBatch {
  done: number;
  created: number;
  failed: number;
  /** Sizes of the two output files after this batch. */
  phrasesBytes: number;
  failuresBytes: number;
}

interface Accepted {
  accepted: number;
  batchId: string;
}

interface Finished {
  finished: true;
}

type Line = Beginning | Accepted | DoneBatch | Finished;

/** Every journal begins with this text. */
const BEGINNING = '{"journal":';

export class Journal {
  readonly beginning: Beginning;
  readonly #file: number;
  readonly #accepted = new Map<number, string>();
  #done: DoneBatch[] = [];
  #finished = false;
  #firstBatchId: string | undefined;

  private constructor(file: number, beginning: Beginning) {
    this.#file = file;
    this.beginning = beginning;
  }

  /** @returns undefined if there is no journal @throws CommandError if the file is something else */
  static read(path: string): Journal | undefined {
    const text = readText(path);
    // If its first line is truncated, the import had not begun.
    if (text === undefined || isTruncated(text, BEGINNING)) return undefined;
    // An unfinished line is a step that was not taken.
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const lines = whole.split('\n').filter((line) => line !== '');
    const [beginning, ...steps] = lines.map((line) => parse(path, line));
    if (beginning === undefined || !isBeginning(beginning)) throw unreadable(path);
    truncateSync(path, Buffer.byteLength(whole));
    const journal = new Journal(openPrivate(path, 'a'), beginning);
    for (const step of steps) journal.#apply(step);
    return journal;
  }

  static begin(path: string, plan: Omit<Beginning, 'journal'>): Journal {
    const beginning = { journal: JOURNAL_VERSION, ...plan };
    const journal = new Journal(openPrivate(path, 'w'), beginning);
    journal.#write(beginning);
    syncFolder(path);
    return journal;
  }

  get finished(): boolean {
    return this.#finished;
  }

  /** Batches are finished in order: these are the first ones. */
  get done(): readonly DoneBatch[] {
    return this.#done;
  }

  /** Id of the first batch that was accepted; undefined if none is known to be. */
  get firstBatchId(): string | undefined {
    return this.#firstBatchId;
  }

  batchIdOf(batch: number): string | undefined {
    return this.#accepted.get(batch);
  }

  accept(batch: number, batchId: string): void {
    this.#write({ accepted: batch, batchId });
  }

  finishBatch(done: DoneBatch): void {
    this.#write(done);
  }

  finish(): void {
    this.#write({ finished: true });
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(line: Line): void {
    writeAndSync(this.#file, `${JSON.stringify(line)}\n`);
    this.#apply(line);
  }

  #apply(line: Line): void {
    if ('accepted' in line) {
      this.#accepted.set(line.accepted, line.batchId);
      this.#firstBatchId ??= line.batchId;
    } else if ('done' in line) {
      this.#done.push(line);
      this.#accepted.delete(line.done);
    } else if ('finished' in line) this.#finished = true;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    if (errnoOf(error) === 'EISDIR') throw unreadable(path);
    throw error;
  }
}

function parse(path: string, line: string): Line {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as Line;
  } catch {
    // Handled below, like any other line that is not of a journal.
  }
  throw unreadable(path);
}

/** Another program's file may have the same name: a file that is not certainly a journal is left alone. */
function isBeginning(line: Line): line is Beginning {
  if (!('journal' in line)) return false;
  const { journal, id, input, url, map, batchRows } = line;
  const areTexts = [id, input, url].every((value) => typeof value === 'string');
  return areTexts && Number.isInteger(journal) && Number.isInteger(batchRows) && Array.isArray(map);
}

function unreadable(path: string): CommandError {
  return new CommandError(
    `${path} is not the journal of an import. Move it away: the import writes its journal there.`,
  );
}
