/**
 * What an import has done, beside its input: so that one that was stopped goes on where it was, and nothing is sent
 * twice. A line a step, on the disk before the next step is taken. The name of each batch, its Idempotency-Key, comes
 * of the journal too: should a batch have been accepted and the line be missing, sending it again makes nothing twice.
 */
import { closeSync, readFileSync, truncateSync } from 'node:fs';
import { errnoOf, isCutOff, openPrivate, settleFolder, writeSurely } from '../files/disk.ts';
import { ImportFault } from '../reading/fault.ts';
import type { Format } from '../reading/row.ts';

/** It changes with the form of the journal, and with what counts as a row: both decide what a batch is. */
export const JOURNAL_VERSION = 2;

export interface Beginning {
  /** `JOURNAL_VERSION` of the program that began it. */
  journal: number;
  /** Of this import; a batch's key is this and its number. */
  id: string;
  /** SHA-256 of the text that is imported. */
  input: string;
  url: string;
  /** Of the input. Journals of earlier versions lack it: theirs is what the name of the input says. */
  format?: Format | undefined;
  map: string[];
  batchRows: number;
}

/** A batch whose rows are customers and failures, all written down. */
export interface Done {
  done: number;
  created: number;
  failed: number;
  /** Bytes of the two files, when this batch had been added to them. */
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

type Line = Beginning | Accepted | Done | Finished;

/** What the text of each journal begins with. */
const BEGINNING = '{"journal":';

export class Journal {
  readonly beginning: Beginning;
  readonly #file: number;
  readonly #accepted = new Map<number, string>();
  #done: Done[] = [];
  #finished = false;
  #firstBatchId: string | undefined;

  private constructor(file: number, beginning: Beginning) {
    this.#file = file;
    this.beginning = beginning;
  }

  /** @returns undefined where there is none */
  static read(path: string): Journal | undefined {
    const text = readText(path);
    // Cut off in its first line, nothing of it had begun.
    if (text === undefined || isCutOff(text, BEGINNING)) return undefined;
    // A line that was not finished is a step that was not taken.
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
    settleFolder(path);
    return journal;
  }

  get finished(): boolean {
    return this.#finished;
  }

  /** Batches are done in their order: these are the first. */
  get done(): readonly Done[] {
    return this.#done;
  }

  /** A batch that the bank knows whose import this is; undefined: nothing is known to have been sent. */
  get firstBatchId(): string | undefined {
    return this.#firstBatchId;
  }

  batchIdOf(batch: number): string | undefined {
    return this.#accepted.get(batch);
  }

  accept(batch: number, batchId: string): void {
    this.#write({ accepted: batch, batchId });
  }

  finishBatch(done: Done): void {
    this.#write(done);
  }

  finish(): void {
    this.#write({ finished: true });
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(line: Line): void {
    writeSurely(this.#file, `${JSON.stringify(line)}\n`);
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
    // Told below, as every other line that is none of a journal.
  }
  throw unreadable(path);
}

/** A file of somebody else may have the same name: what is not known for sure to be a journal is left as it is. */
function isBeginning(line: Line): line is Beginning {
  if (!('journal' in line)) return false;
  const { journal, id, input, url, map, batchRows } = line;
  const areTexts = [id, input, url].every((value) => typeof value === 'string');
  return areTexts && Number.isInteger(journal) && Number.isInteger(batchRows) && Array.isArray(map);
}

function unreadable(path: string): ImportFault {
  return new ImportFault(
    `${path} is not the journal of an import. Move it away: an import writes its journal there.`,
  );
}
