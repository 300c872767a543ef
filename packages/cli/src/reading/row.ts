/**
 * What every format is read into: rows, one by one, and what there is to say of the file. Everything in this folder
 * is free of Node APIs: it gets text and makes rows of it, so that a browser can do the same.
 */
import type { Field } from './fields.ts';

/** Characters of a row: a customer has a few thousand at most. What is longer is not kept in memory to its end. */
export const MAX_ROW = 1_000_000;

export type Customer = Partial<Record<Field, string>>;

export interface Fault {
  code: 'UNREADABLE_ROW' | 'DUPLICATE_IN_BATCH';
  /** For people; it follows "the row", as in "has 2 cells where the header has 9". */
  reason: string;
}

/** Either `customer` or `fault` is there. */
export interface Row {
  /** What the file of failures would hold of it, below `Table.headers`. */
  cells: string[];
  /** What is sent. */
  customer?: Customer;
  /** Why it can't be sent. */
  fault?: Fault;
}

export interface Table {
  /** Headers of `cells`. */
  headers: string[];
  /** Names of columns or keys that are of no field. Those of JSON are known when all rows have been read. */
  ignored: ReadonlySet<string>;
  /** Between two cells; outputs keep it. Undefined if the format has none, or an unusual one. */
  delimiter: string | undefined;
  rows: AsyncGenerator<Row>;
}

export type Format = 'csv' | 'ndjson' | 'json';

/** Something to read. */
export interface Input {
  /** As messages call it. */
  name: string;
  format: Format;
  /** The text in pieces, read anew. */
  text: () => AsyncGenerator<string>;
  /** What changes whenever somebody writes to it, or puts another there; undefined for what can't be read again. */
  state?: () => Promise<string>;
}

export const unreadable = (reason: string): Fault => ({ code: 'UNREADABLE_ROW', reason });
