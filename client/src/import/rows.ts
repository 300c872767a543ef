/** From text to rows, one by one: whatever the size of the file, a few rows of it are in memory. */
import { createHash } from 'node:crypto';
import { JSONParser } from '@streamparser/json';
import { CsvError, parse } from 'csv-parse';
import { ImportFault } from './fault.ts';
import { FAILURE_COLUMNS, FIELD_NAMES, mapColumns, type Columns, type Field } from './fields.ts';
import { undefuse } from './formulas.ts';
import { clearUp } from './memory.ts';
import type { Source } from './source.ts';

export interface Row {
  /** The row as it was, for the file of failures. */
  cells: string[];
  /** What is sent. */
  customer?: object;
  /** Why nothing can be. */
  fault?: string;
}

export interface Table {
  /** Headers of `cells`. */
  headers: string[];
  /** Headers that are of no field. */
  ignored: string[];
  rows: AsyncGenerator<Row>;
}

/** A row of a megabyte is a quotation mark that was never closed. */
const LONGEST_ROW = 1_000_000;
/** Rows between two times of clearing up, where nothing of them is kept. */
const INSPECTED_AT_ONCE = 10_000;
const DELIMITERS = [',', ';', '\t', '|'];

/** @param map see fields.ts; for CSV alone */
export async function readTable(source: Source, map: string[]): Promise<Table> {
  if (source.format === 'csv') return readCsv(source.name, source.text(), map);
  if (map.length > 0) throw new ImportFault('--map is for CSV: in JSON, fields have their own names.');
  return { headers: FIELD_NAMES, ignored: [], rows: readValues(source) };
}

export interface Inspected {
  /** SHA-256 of the text, hexadecimal. */
  fingerprint: string;
  rows: number;
}

/** Reads all of a file before anything of it is sent: what can't be read at its end should not be begun. */
export async function inspect(source: Source): Promise<Inspected> {
  const hash = createHash('sha256');
  const hashed = async function* () {
    for await (const text of source.text()) {
      hash.update(text);
      yield text;
    }
  };
  const isCsv = source.format === 'csv';
  const read = isCsv ? readRecords(source.name, hashed()) : readValues({ ...source, text: hashed });
  let rows = isCsv ? -1 : 0;
  for await (const _ of read) {
    rows += 1;
    if (rows % INSPECTED_AT_ONCE === 0) clearUp();
  }
  return { fingerprint: hash.digest('hex'), rows: Math.max(rows, 0) };
}

function readValues({ name, format, text }: Source): AsyncGenerator<Row> {
  return format === 'ndjson' ? readLines(text()) : readJson(name, text());
}

async function readCsv(name: string, text: AsyncGenerator<string>, map: string[]): Promise<Table> {
  const records = readRecords(name, text);
  const first = await records.next();
  if (first.done === true) throw new ImportFault(`${name} is empty.`);
  const all = first.value.map((header) => header.trim());
  const { columns, ignored } = mapColumns(all, map);
  const ownFailures = FAILURE_COLUMNS.every((column) => all.includes(column));
  const kept = all.flatMap((header, position) =>
    FAILURE_COLUMNS.some((column) => column === header) ? [] : [position],
  );
  const headers = kept.map((position) => all[position] ?? '');
  return { headers, ignored, rows: toRows(records, { columns, width: all.length, kept, ownFailures }) };
}

interface Layout {
  columns: Columns;
  width: number;
  /** Positions of the columns that are the user's own. */
  kept: number[];
  /** The file is one that an import wrote: cells that it made harmless are what they were. */
  ownFailures: boolean;
}

async function* toRows(
  records: AsyncGenerator<string[]>,
  { columns, width, kept, ownFailures }: Layout,
): AsyncGenerator<Row> {
  for await (const read of records) {
    const record = ownFailures ? read.map(undefuse) : read;
    const own = (cells: string[]) => (ownFailures ? kept.map((position) => cells[position] ?? '') : cells);
    if (record.length === width) yield { cells: own(record), customer: toCustomer(columns, record) };
    else {
      const fault = `has ${record.length} cells where the header has ${width}; is a cell with a separator in it not quoted?`;
      yield { cells: own(fit(record, width)), fault };
    }
  }
}

/** In the file of failures too, each cell stands below its header; what is too much stands in the last one. */
function fit(record: string[], width: number): string[] {
  const fitted = Array.from({ length: width }, (_, position) => record[position] ?? '');
  if (record.length > width) fitted[width - 1] = record.slice(width - 1).join(', ');
  return fitted;
}

/** An empty cell is no value. */
function toCustomer(columns: Columns, cells: string[]): object {
  const customer: Partial<Record<Field, string>> = {};
  for (const [field, position] of columns) {
    const cell = cells[position];
    if (cell !== undefined && cell !== '') customer[field] = cell;
  }
  return customer;
}

async function* readRecords(name: string, text: AsyncGenerator<string>): AsyncGenerator<string[]> {
  let head = '';
  let next = await text.next();
  // All of the header, to find the delimiter in.
  while (next.done !== true && !/[\r\n]/.test(head.trimStart())) {
    head += next.value;
    next = await text.next();
  }
  const parser = parse({
    delimiter: delimiterOf(head),
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: LONGEST_ROW,
  });
  const fed = feed(parser, head, next, text);
  // Told of where the records are read; who stops reading them needs not be told that they were more.
  fed.catch(() => undefined);
  try {
    for await (const record of parser as AsyncIterable<string[]>) yield record;
    await fed;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new ImportFault(
      `${name} can't be read as CSV near row ${parser.info.records}: ${error.message} Look for a quotation mark that is not closed, or not doubled inside a quoted cell.`,
    );
  }
}

async function feed(
  parser: ReturnType<typeof parse>,
  head: string,
  next: IteratorResult<string>,
  text: AsyncGenerator<string>,
): Promise<void> {
  try {
    await write(parser, head);
    for (let at = next; at.done !== true; at = await text.next()) await write(parser, at.value);
    parser.end();
  } catch (error) {
    parser.destroy(error as Error);
    throw error;
  } finally {
    await text.return(undefined);
  }
}

/** Waits where the parser has enough, so that a file is not read into memory ahead of what is sent. */
function write(parser: ReturnType<typeof parse>, text: string): Promise<void> {
  if (text === '' || parser.write(text)) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => () => {
      parser.off('drain', drained);
      parser.off('close', closed);
      act();
    };
    const drained = settle(resolve);
    const closed = settle(() => reject(new Error('the parser was closed')));
    parser.on('drain', drained);
    parser.on('close', closed);
  });
}

/** The one that the header has most of, outside of quotation marks. */
function delimiterOf(head: string): string {
  const [line = ''] = head
    .trimStart()
    .replaceAll(/"[^"]*"/g, '')
    .split(/[\r\n]/);
  const count = (delimiter: string) => line.split(delimiter).length;
  return DELIMITERS.toSorted((one, other) => count(other) - count(one))[0] ?? ',';
}

async function* readLines(text: AsyncGenerator<string>): AsyncGenerator<Row> {
  let rest = '';
  let number = 0;
  for await (const piece of text) {
    const lines = (rest + piece).split(/\r?\n/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      number += 1;
      if (line.trim() !== '') yield toRow(line, number);
    }
  }
  if (rest.trim() !== '') yield toRow(rest, number + 1);
}

/** Of what is no object. */
const NO_CELLS = FIELD_NAMES.map(() => '');
/** Of a line that can't be read, enough to find it by. */
const SHOWN_CHARACTERS = 200;

function toRow(line: string, number: number): Row {
  try {
    return fromValue(JSON.parse(line));
  } catch {
    const fault = `line ${number} is not JSON: ${line.slice(0, SHOWN_CHARACTERS)}`;
    return { cells: NO_CELLS, fault };
  }
}

function fromValue(value: unknown): Row {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const shown = JSON.stringify(value).slice(0, SHOWN_CHARACTERS);
    return { cells: NO_CELLS, fault: `is not an object: ${shown}` };
  }
  return { cells: FIELD_NAMES.map((field) => toCell(Reflect.get(value, field))), customer: value };
}

function toCell(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** `[{…}, …]`, or as the API takes them: `{"customers": [{…}, …]}`. */
async function* readJson(name: string, text: AsyncGenerator<string>): AsyncGenerator<Row> {
  let found: Row[] = [];
  let parser: JSONParser | undefined;
  let any = false;
  let isList = true;
  try {
    for await (const piece of text) {
      if (parser === undefined) {
        const first = piece.trimStart().charAt(0);
        if (first === '') continue;
        isList = first === '[';
        parser = new JSONParser({ paths: [isList ? '$.*' : '$.customers.*'], keepStack: false });
        parser.onValue = ({ value }) => found.push(fromValue(value));
      }
      parser.write(piece);
      any ||= found.length > 0;
      yield* found;
      found = [];
    }
    if (parser?.isEnded !== true) throw new SyntaxError('it ends in the middle');
  } catch (error) {
    if (error instanceof ImportFault || !isSyntax(error)) throw error;
    throw new ImportFault(`${name} is not JSON: ${(error as Error).message}`);
  }
  if (!any && !isList) throw new ImportFault(`${name} has no list called customers.`);
}

/** The parser's own errors are of classes that it does not tell of; what ends reading is an abort. */
function isSyntax(error: unknown): boolean {
  return error instanceof Error && error.name !== 'AbortError';
}
