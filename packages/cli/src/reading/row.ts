/**
 * The common result of every format: rows, one by one, and what the file says about them. Nothing in this folder uses a
 * Node API: it turns text into rows, so that a browser can do the same.
 */
import type { Columns, Field } from './fields.ts';

/** A customer has a few thousand characters at most. A longer row is refused without being kept in memory. */
export const MAX_ROW_CHARACTERS = 1_000_000;

export type Customer = Partial<Record<Field, string>>;

export interface RowFault {
  code: 'UNREADABLE_ROW' | 'DUPLICATE_IN_BATCH';
  /** For people; it continues "the row …", as in "has 2 cells where the header has 9". */
  reason: string;
}

/** Has either `customer` or `fault`. */
export interface Row {
  /** The cells that the file of failures would hold, below `Table.headers`. */
  cells: string[];
  /** The customer to send. */
  customer?: Customer;
  /** Why the row can't be sent. */
  fault?: RowFault;
}

export interface Table {
  /** Headers of `cells`. */
  headers: string[];
  /** Columns or keys that belong to no field. Those of JSON are complete once all rows have been read. */
  ignored: ReadonlySet<string>;
  /** Columns that are two fields at once. */
  shared: readonly { header: string; fields: Field[] }[];
  /** Position in `headers` of the column of each field; undefined if each row has keys of its own. */
  columns: Columns | undefined;
  /** Separates cells; the outputs use the same. Undefined if the format has none, or an unusual one. */
  delimiter: string | undefined;
  /** The line of a row that has been read, as a spreadsheet numbers it. Undefined if the format has none. */
  lineOf: ((row: number) => number) | undefined;
  rows: AsyncGenerator<Row>;
}

export type Format = 'csv' | 'ndjson' | 'json';

/** A file or stream to read. */
export interface Input {
  /** Its name in messages. */
  name: string;
  format: Format;
  /** Reads the text from the beginning, in pieces. */
  text: () => AsyncGenerator<string>;
  /** Changes whenever the file is written to or replaced; undefined if the input can't be read twice. */
  state?: () => Promise<string>;
}

export const unreadable = (reason: string): RowFault => ({ code: 'UNREADABLE_ROW', reason });
