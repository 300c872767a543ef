/** Reads a CSV file: finds its delimiter and header, maps columns to fields, and checks the shape of each row. */
import { CsvRecords, CsvSyntaxError } from './csv-records.ts';
import { EmptyFileError, CommandError } from './errors.ts';
import {
  findOwnColumns,
  isMarked,
  isUnwritable,
  mark,
  repeatedFault,
  type OwnColumns,
} from './failures-file.ts';
import { mapColumns, sharedColumns, type Columns, type Mapping, type WantedFields } from './fields.ts';
import { isExport } from './export-header.ts';
import { Lines } from './lines.ts';
import { unescapeFormula } from './formulas.ts';
import { respell } from './spellings.ts';
import { MAX_ROW_CHARACTERS, unreadable, type Customer, type Row, type RowFault, type Table } from './row.ts';

const DELIMITERS = [',', ';', '\t', '|'];

interface CsvFile {
  headers: string[];
  delimiter: string;
  /** The records below the header that are not blank. */
  records: AsyncGenerator<string[]>;
  /** Of the records that have been read. */
  lines: Lines;
}

/** @throws CommandError */
export async function openCsv(name: string, text: AsyncGenerator<string>): Promise<CsvFile> {
  const head = await readHead(text);
  const sepLine = /^\s*"?sep=([^\w\s"]|\t)"?\1*[ \t]*(?:\r\n|[\r\n]|$)/i.exec(head);
  const rest = sepLine === null ? head : head.slice(sepLine[0].length);
  const delimiter = sepLine?.[1] ?? guessDelimiter(head);
  const lines = new Lines();
  const records = readRecords(name, new CsvRecords(delimiter), withHeadAndEnd(rest, text), lines);
  const first = await records.next();
  if (first.done === true) throw new EmptyFileError(name);
  const read = first.value.map((header) => header.trim());
  const headers = findOwnColumns(read) === undefined ? read : read.map(unescapeFormula);
  const nul = headers.findIndex((header) => header.includes('\0'));
  if (nul >= 0) {
    throw new CommandError(
      `${name} has a NUL character in its header, in column ${nul + 1}. Remove it, or export the file again.`,
    );
  }
  return { headers, delimiter, records, lines };
}

/** @param map as in `mapColumns` */
export async function readCsv(
  name: string,
  text: AsyncGenerator<string>,
  map: Mapping,
  wanted: WantedFields,
): Promise<Table> {
  const { headers, delimiter, records, lines } = await openCsv(name, text);
  // Empty headers at the end come from a delimiter at the end of each line.
  const named = headers.findLastIndex((header) => header !== '') + 1;
  const { columns, unused } = mapColumns(headers.slice(0, named), map, wanted);
  const own = findOwnColumns(headers);
  const kept = Array.from({ length: named }, (_, position) => position).filter(
    (position) => own?.positions.has(position) !== true,
  );
  const ignored = unused
    .filter((position) => own?.positions.has(position) !== true)
    .map((position) => headers[position] || `column ${position + 1}, which has no name`);
  const isEscaped = own !== undefined || isExport(headers);
  const layout = { headers, columns, named, kept, own, isEscaped, delimiter };
  return {
    headers: kept.map((position) => headers[position] ?? ''),
    ignored: new Set(ignored),
    shared: sharedColumns(columns).map(([position, fields]) => ({ header: headers[position] ?? '', fields })),
    columns: new Map([...columns].map(([field, position]) => [field, kept.indexOf(position)])),
    // An unusual delimiter, from a `sep=` line, could not be guessed from the files that are written.
    delimiter: DELIMITERS.includes(delimiter) ? delimiter : undefined,
    lineOf: (row) => lines.lineOf(row),
    rows: toRows(records, layout),
  };
}

/** Reads up to the end of the first line that is not blank. */
async function readHead(text: AsyncGenerator<string>): Promise<string> {
  let head = '';
  while (head.length <= MAX_ROW_CHARACTERS && !/[\r\n]/.test(fromFirstLine(head))) {
    const next = await text.next();
    if (next.done === true) break;
    head += next.value;
  }
  return head;
}

/** The text from the first line that is not blank, without the contents of quotation marks. */
const fromFirstLine = (head: string) => head.replaceAll(/"[^"]*"/g, '""').trimStart();

/** Chooses the delimiter that the header has most of, outside of quotation marks. */
function guessDelimiter(head: string): string {
  const [line = ''] = fromFirstLine(head).split(/[\r\n]/, 1);
  const count = (delimiter: string) => line.split(delimiter).length;
  return DELIMITERS.toSorted((one, other) => count(other) - count(one))[0] ?? ',';
}

async function* readRecords(
  name: string,
  reader: CsvRecords,
  text: AsyncGenerator<string | undefined>,
  lines: Lines,
): AsyncGenerator<string[]> {
  // The header is row 0.
  let [row, line] = [0, 0];
  try {
    for await (const piece of text) {
      reader.add(piece);
      for (let record = reader.next(); record !== undefined; record = reader.next()) {
        line += 1;
        if (isBlank(record)) continue;
        lines.add(row, line);
        yield record;
        row += 1;
      }
    }
  } catch (error) {
    if (!(error instanceof CsvSyntaxError)) throw error;
    const where = row === 0 ? 'its header' : `row ${row} (line ${line + 1})`;
    throw new CommandError(
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
  /** Number of columns that have a name; cells after them must be empty. */
  named: number;
  /** Positions of the user's columns. */
  kept: number[];
  /** Set if an import wrote the file. */
  own: OwnColumns | undefined;
  /** Are its formulas escaped, because this program wrote it? */
  isEscaped: boolean;
  delimiter: string;
}

async function* toRows(records: AsyncGenerator<string[]>, layout: Layout): AsyncGenerator<Row> {
  for await (const record of records) yield toRow(record, layout);
}

function toRow(record: string[], layout: Layout): Row {
  const { headers, columns, named, kept, own, isEscaped } = layout;
  const ragged = raggedFault(record, layout);
  if (ragged !== undefined) return { cells: fit(record, layout), fault: ragged };
  const values = isEscaped ? record.map(unescapeFormula) : record;
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

/** A file that an import wrote has the reason; any other file only has the mark. */
function stillMarked(header: string, own: OwnColumns | undefined, values: string[]): RowFault {
  const before = own === undefined ? '' : values[own.reason];
  return unreadable(
    before || `could not be read before, and "${header}" is still marked: put the right value there`,
  );
}

function raggedFault(record: string[], { headers, named }: Layout): RowFault | undefined {
  const width = headers.length;
  const hint = 'does a cell contain the separator without being quoted?';
  if (record.length !== width) {
    return unreadable(`has ${record.length} cells where the header has ${width}; ${hint}`);
  }
  const surplus = record.findIndex((cell, position) => position >= named && cell.trim() !== '');
  if (surplus < 0) return undefined;
  return unreadable(`has a value in column ${surplus + 1}, which has no header; ${hint}`);
}

/** Fits a ragged record below the headers of the file of failures; the last column gets all surplus cells. */
function fit(record: string[], { kept, delimiter }: Layout): string[] {
  const last = kept.at(-1) ?? 0;
  const rest = record.slice(last).join(delimiter) || 'no cell';
  return kept.map((position) => {
    const cell = position === last ? mark(rest) : (record[position] ?? '');
    return isUnwritable(cell) ? mark(cell) : cell;
  });
}

/** An empty cell means that the field is absent. */
function toCustomer(columns: Columns, cells: string[]): Customer {
  const customer: Customer = {};
  for (const [field, position] of columns) {
    const cell = cells[position];
    if (cell !== undefined && cell !== '') customer[field] = respell(field, cell);
  }
  return customer;
}
