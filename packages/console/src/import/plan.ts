/** What the page and its Web Worker tell each other about an import. Types and data only: both bundles have it. */
import type { Field } from '../../../cli/src/reading/fields.ts';
import type { Format } from '../../../cli/src/reading/row.ts';
import type { Fault } from '../ui/errors.ts';

/** What the beginning of a file shows. */
export interface OpenedFile {
  name: string;
  /** Of the downloads, before `.phrases.csv`. */
  stem: string;
  format: Format;
  headers: string[];
  /** The first rows, as they are in the file. */
  preview: string[][];
  /** The field of each column as far as its name says it. In JSON each row has keys of its own, which are read so too. */
  recognised: [field: Field, position: number][];
  /** Fields that several columns could be: the user must choose one of them. */
  ambiguous: [field: Field, positions: number[]][];
  /** Is it a file of failures of an earlier import? */
  isFailuresFile: boolean;
}

/** What reading a file to its end has found out. */
export interface CountedFile {
  rows: number;
  /** SHA-256 of the bytes, by which the file is known when it is chosen again. */
  fingerprint: string;
}

/** Determines which rows are in which batch, and stays the same when an import continues. */
export interface Plan {
  format: Format;
  columns: [field: Field, position: number][];
  batchRows: number;
}

/** What a row that failed shows in the page; all of them are in the file of failures. */
export interface ShownFailure {
  /** In CSV the line, as a spreadsheet numbers it; in JSON the number of the row. */
  place: number;
  reason: string;
  /** What the file has in the fields at fault. */
  values: string[];
  /** By which the customer is known: empty if the row can’t be read. */
  clientRef: string;
  accountName: string;
}

/** Failures by field, and how many rows have each. */
export interface FaultGroup {
  /** The label of a field, or what else is wrong with the row. */
  name: string;
  rows: number;
  /** One of the reasons. */
  example: string;
}

export interface ImportResult {
  created: number;
  failed: number;
  groups: FaultGroup[];
  /** The first ones. */
  failures: ShownFailure[];
  /** What their places are. */
  places: 'Line' | 'Row';
  /** Columns or keys that belong to no field. */
  ignored: string[];
  /** Undefined if there are none, and in a dry run. */
  phrasesFile: Blob | undefined;
  /** Undefined if there are none. */
  failuresFile: Blob | undefined;
}

interface SendOptions {
  plan: Plan;
  /** The API key. */
  key: string;
}

export type Command =
  | { type: 'open'; file: File; format: Format | undefined }
  | ({ type: 'check' } & SendOptions)
  /** @param importId with the number of a batch, it is the batch's Idempotency-Key */
  | ({ type: 'send'; importId: string; accepted: [batch: number, batchId: string][] } & SendOptions)
  | { type: 'pause' }
  | { type: 'resume' };

export type Report =
  | ({ type: 'opened' } & OpenedFile)
  | ({ type: 'counted' } & CountedFile)
  | { type: 'accepted'; batch: number; batchId: string }
  | { type: 'progress'; created: number; failed: number }
  | ({ type: 'finished' } & ImportResult)
  | { type: 'failed'; fault: Fault };
