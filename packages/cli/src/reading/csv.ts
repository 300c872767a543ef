/** A CSV file: which line is the header, which columns are fields, and what is wrong with a row as a row of a table. */
import { EmptyFile, ImportFault } from './fault.ts';
import { mapColumns, type Columns } from './fields.ts';
import { undefuse } from './formulas.ts';
import { CsvRecords, CsvSyntaxError } from './csv-records.ts';
import { isMarked, isUnwritable, mark, ownColumns, repeatedFault, type OwnColumns } from './failures-file.ts';
import { MAX_ROW, unreadable, type Customer, type Fault, type Row, type Table } from './row.ts';

const DELIMITERS = [',', ';', '\t', '|'];

interface CsvFile {
  headers: string[];
  delimiter: string;
  /** Those below the header that are not blank. */
  records: AsyncGenerator<string[]>;
}

/** @throws ImportFault */
export async function openCsv(name: string, text: AsyncGenerator<string>): Promise<CsvFile> {
  const head = await readHead(text);
  const said = /^\s*"?sep=([^\w\s"]|\t)"?\1*[ \t]*(?:\r\n|[\r\n]|$)/i.exec(head);
  const rest = said === null ? head : head.slice(said[0].length);
  const delimiter = said?.[1] ?? delimiterOf(head);
  const records = readRecords(name, delimiter, rest, text);
  const first = await records.next();
  if (first.done === true) throw new EmptyFile(name);
  const read = first.value.map((header) => header.trim());
  const headers = ownColumns(read) === undefined ? read : read.map(undefuse);
  const nul = headers.findIndex((header) => header.includes('\0'));
  if (nul >= 0) {
    throw new ImportFault(
      `${name} has a NUL character in its header, in column ${nul + 1}. Take it out, or export the file anew.`,
    );
  }
  return { headers, delimiter, records };
}

/** @param map what the user said: see fields.ts */
export async function readCsv(name: string, text: AsyncGenerator<string>, map: string[]): Promise<Table> {
  const { headers, delimiter, records } = await openCsv(name, text);
  // Headers that are empty and last are a delimiter at the end of each line.
  const named = headers.findLastIndex((header) => header !== '') + 1;
  const { columns, unused } = mapColumns(headers.slice(0, named), map);
  const own = ownColumns(headers);
  const kept = Array.from({ length: named }, (_, position) => position).filter(
    (position) => own?.positions.has(position) !== true,
  );
  const ignored = unused
    .filter((position) => own?.positions.has(position) !== true)
    .map((position) => headers[position] || `column ${position + 1}, which has no name`);
  const layout = { headers, columns, named, kept, own, delimiter };
  return {
    headers: kept.map((position) => headers[position] ?? ''),
    ignored: new Set(ignored),
    // One that only a `sep=` line can say would not be found in what is written.
    delimiter: DELIMITERS.includes(delimiter) ? delimiter : undefined,
    rows: toRows(records, layout),
  };
}

/** All of the first line that is not blank, to find the delimiter in. */
async function readHead(text: AsyncGenerator<string>): Promise<string> {
  let head = '';
  while (head.length <= MAX_ROW && !/[\r\n]/.test(firstLines(head))) {
    const next = await text.next();
    if (next.done === true) break;
    head += next.value;
  }
  return head;
}

/** From the first line that is not blank on, without what is in quotation marks. */
const firstLines = (head: string) => head.replaceAll(/"[^"]*"/g, '""').trimStart();

/** The one that the header has most of, outside of quotation marks. */
function delimiterOf(head: string): string {
  const [line = ''] = firstLines(head).split(/[\r\n]/, 1);
  const count = (delimiter: string) => line.split(delimiter).length;
  return DELIMITERS.toSorted((one, other) => count(other) - count(one))[0] ?? ',';
}

async function* readRecords(
  name: string,
  delimiter: string,
  head: string,
  text: AsyncGenerator<string>,
): AsyncGenerator<string[]> {
  const reader = new CsvRecords(delimiter);
  // The header is row 0.
  let row = 0;
  try {
    for await (const piece of withHeadAndEnd(head, text)) {
      reader.add(piece);
      for (let record = reader.next(); record !== undefined; record = reader.next()) {
        if (isBlank(record)) continue;
        yield record;
        row += 1;
      }
    }
  } catch (error) {
    if (!(error instanceof CsvSyntaxError)) throw error;
    const where = row === 0 ? 'its header' : `row ${row}`;
    throw new ImportFault(
      `${name} can't be read as CSV, in ${where}: ${error.message}. Look there for a quotation mark that is not closed, or not doubled inside a quoted cell.`,
    );
  }
}

async function* withHeadAndEnd(
  head: string,
  text: AsyncGenerator<string>,
): AsyncGenerator<string | undefined> {
  yield head;
  yield* text;
  yield undefined;
}

const isBlank = (record: string[]) => record.every((cell) => cell.trim() === '');

interface Layout {
  headers: string[];
  columns: Columns;
  /** Columns that have a name; those behind them must be empty. */
  named: number;
  /** Positions of the columns that are the user's own. */
  kept: number[];
  /** The file is one that an import wrote: cells that it made harmless are what they were. */
  own: OwnColumns | undefined;
  delimiter: string;
}

async function* toRows(records: AsyncGenerator<string[]>, layout: Layout): AsyncGenerator<Row> {
  for await (const record of records) yield toRow(record, layout);
}

function toRow(record: string[], layout: Layout): Row {
  const { headers, columns, named, kept, own } = layout;
  const ragged = raggedFault(record, layout);
  if (ragged !== undefined) return { cells: fit(record, layout), fault: ragged };
  const values = own === undefined ? record : record.map(undefuse);
  const cells = kept.length === record.length ? values : kept.map((position) => values[position] ?? '');
  const nul = values.findIndex((cell, position) => position < named && cell.includes('\0'));
  if (nul >= 0) {
    const fault = unreadable(`has a NUL character in column ${nul + 1}, "${headers[nul]}"`);
    return { cells: cells.map((cell) => (isUnwritable(cell) ? mark(cell) : cell)), fault };
  }
  const marked = kept[cells.findIndex(isMarked)];
  if (marked !== undefined) return { cells, fault: stillMarked(headers[marked] ?? '', own, values) };
  const repeated = own?.check === undefined ? undefined : repeatedFault(cells, values[own.check] ?? '');
  if (repeated !== undefined) return { cells, fault: repeated };
  return { cells, customer: toCustomer(columns, values) };
}

/** Why it could not be read is in the file that an import wrote; elsewhere, that it could not is all that is known. */
function stillMarked(header: string, own: OwnColumns | undefined, values: string[]): Fault {
  const before = own === undefined ? '' : values[own.reason];
  return unreadable(before || `could not be read before, and "${header}" still says so: put its value there`);
}

function raggedFault(record: string[], { headers, named }: Layout): Fault | undefined {
  const width = headers.length;
  const hint = 'is a cell with a separator in it not quoted?';
  if (record.length !== width) {
    return unreadable(`has ${record.length} cells where the header has ${width}; ${hint}`);
  }
  const surplus = record.findIndex((cell, position) => position >= named && cell.trim() !== '');
  if (surplus < 0) return undefined;
  return unreadable(`has something in column ${surplus + 1}, which has no header; ${hint}`);
}

/** In the file of failures too, each cell stands below its header. From the last one on it is not known which is which. */
function fit(record: string[], { kept, delimiter }: Layout): string[] {
  const last = kept.at(-1) ?? 0;
  const rest = record.slice(last).join(delimiter) || 'no cell';
  return kept.map((position) => {
    const cell = position === last ? mark(rest) : (record[position] ?? '');
    return isUnwritable(cell) ? mark(cell) : cell;
  });
}

/** An empty cell is no value. */
function toCustomer(columns: Columns, cells: string[]): Customer {
  const customer: Customer = {};
  for (const [field, position] of columns) {
    const cell = cells[position];
    if (cell !== undefined && cell !== '') customer[field] = cell;
  }
  return customer;
}
