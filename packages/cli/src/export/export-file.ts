/**
 * An export that is being written: `customers.csv.part`, and beside it a journal that says how far it is. Each page is on
 * the disk before its line in the journal, so an interrupted export continues after the last line. The file gets its own
 * name when it is whole.
 */
import { closeSync, existsSync, readFileSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs';
import { isTruncated, openPrivate, syncFolder, writeAndSync } from '../files/disk.ts';
import { CommandError } from '../reading/errors.ts';
import type { ExportFormat, FieldSet } from './format.ts';

/** What an export must have in common with the one that it continues. */
export interface ExportPlan {
  /** Origin of the service. */
  origin: string;
  bankId: string;
  format: ExportFormat;
  fields: FieldSet;
}

interface Step {
  /** Size of the file after this page. */
  bytes: number;
  rows: number;
  /** Cursor of the next page; null after the last one. */
  next: string | null;
}

/** The first line of the journal. All others are steps. */
interface Beginning extends ExportPlan {
  export: number;
  /** Size of the file with its header alone. */
  bytes: number;
}

const BEGINNING = '{"export":';
const VERSION = 1;

export class ExportFile {
  readonly #path: string;
  readonly #part: number;
  readonly #journal: number;
  #step: Step;

  private constructor(path: string, step: Step, flags: 'a' | 'w') {
    this.#path = path;
    this.#step = step;
    this.#journal = openPrivate(journalOf(path), flags);
    this.#part = openPrivate(partOf(path), flags);
  }

  /**
   * Continues the unfinished export of this file, or begins it.
   * @param force begins again, whatever there is, unless it is what this export can continue
   * @throws CommandError for an unfinished export of another plan, and for files that are no export
   */
  static open(path: string, plan: ExportPlan, header: string, force: boolean): ExportFile {
    const hasPart = existsSync(partOf(path));
    const text = readText(journalOf(path));
    const found = text === undefined ? undefined : parseJournal(journalOf(path), text);
    if (hasPart && found !== undefined) {
      if (isSame(found.plan, plan)) return ExportFile.#continue(path, found);
      if (!force) throw begunOtherwise(path, found.plan);
    }
    if (hasPart && text === undefined && !force) {
      throw new CommandError(
        `${partOf(path)} is in the way: move it away, because the export writes its rows there.`,
      );
    }
    return ExportFile.#begin(path, plan, header);
  }

  static #begin(path: string, plan: ExportPlan, header: string): ExportFile {
    const file = new ExportFile(path, { bytes: 0, rows: 0, next: null }, 'w');
    const bytes = writeAndSync(file.#part, header);
    const beginning: Beginning = { export: VERSION, ...plan, bytes };
    writeAndSync(file.#journal, `${JSON.stringify(beginning)}\n`);
    syncFolder(path);
    file.#step = { bytes, rows: 0, next: null };
    return file;
  }

  static #continue(path: string, { step, bytes }: KnownJournal): ExportFile {
    if (statSync(partOf(path)).size < step.bytes) {
      throw new CommandError(
        `${partOf(path)} is shorter than this export left it. Put it back, or remove it to start again.`,
      );
    }
    // What was written after the last whole line of the journal is written again.
    truncateSync(partOf(path), step.bytes);
    truncateSync(journalOf(path), bytes);
    return new ExportFile(path, step, 'a');
  }

  get rows(): number {
    return this.#step.rows;
  }

  /** Cursor of the next page; null for the first page, and after the last one. */
  get next(): string | null {
    return this.#step.next;
  }

  append(text: string, rows: number, next: string | null): void {
    const bytes = this.#step.bytes + writeAndSync(this.#part, text);
    const step: Step = { bytes, rows: this.#step.rows + rows, next };
    writeAndSync(this.#journal, `${JSON.stringify(step)}\n`);
    this.#step = step;
  }

  close(): void {
    closeSync(this.#part);
    closeSync(this.#journal);
  }

  /** Gives the file its own name. Call it after `close`. */
  finish(): void {
    renameSync(partOf(this.#path), this.#path);
    syncFolder(this.#path);
    rmSync(journalOf(this.#path), { force: true });
  }
}

const partOf = (path: string) => `${path}.part`;
const journalOf = (path: string) => `${path}.export.ndjson`;

const isSame = (one: ExportPlan, other: ExportPlan) =>
  (['origin', 'bankId', 'format', 'fields'] as const).every((name) => one[name] === other[name]);

function begunOtherwise(path: string, { origin, bankId, format, fields }: ExportPlan): CommandError {
  return new CommandError(
    `${partOf(path)} is the beginning of an export of ${bankId} from ${origin} (--format ${format} --fields ${fields}): finish it with that bank’s API key and these options, or use --force to start again.`,
  );
}

function readText(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

interface KnownJournal {
  plan: ExportPlan;
  /** The last page that is known to be in the file. */
  step: Step;
  /** Size of the journal up to that page. */
  bytes: number;
}

/** @returns undefined if the export had not begun @throws CommandError if the text is something else */
function parseJournal(path: string, text: string): KnownJournal | undefined {
  if (isTruncated(text, BEGINNING)) return undefined;
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const [first = '', ...steps] = whole.trimEnd().split('\n');
  try {
    const { export: version, bytes, ...plan } = JSON.parse(first) as Beginning;
    if (version !== VERSION) throw new TypeError('not a journal of this version');
    const step = JSON.parse(steps.at(-1) ?? JSON.stringify({ bytes, rows: 0, next: null })) as Step;
    return { plan, step, bytes: Buffer.byteLength(whole) };
  } catch {
    throw new CommandError(
      `${path} is not the journal of an export. Move it away: the export writes its journal there.`,
    );
  }
}
