/** Collects the outcomes of an import: the two files to download, and what the page shows. Runs in the Web Worker. */
import {
  failureCells,
  failureHeaders,
  phraseCells,
  PHRASE_HEADERS,
  toCsv,
  type BatchOutcome,
  type FailedRow,
} from '../../../cli/src/batches/outcome.ts';
import { NEW_CUSTOMER, type Columns, type Field } from '../../../cli/src/reading/fields.ts';
import type { Table } from '../../../cli/src/reading/row.ts';
import { labelOf } from '../ui/labels.ts';
import type { FaultGroup, ImportResult, ShownFailure } from './plan.ts';

/** Rows in the page's table of failures. */
const MAX_SHOWN_FAILURES = 100;

/** Names of what is wrong with a row apart from its fields. */
const OTHER_GROUPS: Record<string, string> = {
  UNREADABLE_ROW: 'The row can’t be read',
  DUPLICATE_IN_BATCH: 'Repeats an earlier row',
  EXISTING_CUSTOMER: 'Is a customer already',
};

/** A file that grows by a piece for each batch, so that the browser may keep it on the disk. */
class Download {
  readonly #headers: string[];
  readonly #delimiter: string;
  readonly #pieces: Blob[] = [];

  constructor(headers: string[], delimiter: string) {
    this.#headers = headers;
    this.#delimiter = delimiter;
  }

  append(rows: string[][]): void {
    if (rows.length === 0) return;
    const isFirst = this.#pieces.length === 0;
    const all = isFirst ? [this.#headers, ...rows] : rows;
    this.#pieces.push(new Blob([toCsv(all, this.#delimiter, isFirst)]));
  }

  toFile(): Blob | undefined {
    return this.#pieces.length === 0 ? undefined : new Blob(this.#pieces, { type: 'text/csv' });
  }
}

export class ResultCollector {
  created = 0;
  failed = 0;
  readonly #columns: Columns;
  readonly #lineOf: ((row: number) => number) | undefined;
  readonly #phrases: Download;
  readonly #failures: Download;
  readonly #shown: ShownFailure[] = [];
  readonly #groups = new Map<string, FaultGroup>();

  /** @param table the input, whose headers and delimiter the files use */
  constructor({ headers, delimiter = ',', columns, lineOf }: Table) {
    // In JSON, the cells of a row are those of every field.
    this.#columns = columns ?? new Map(NEW_CUSTOMER.names.map((field, at) => [field, at]));
    this.#lineOf = lineOf;
    this.#phrases = new Download(PHRASE_HEADERS, delimiter);
    this.#failures = new Download(failureHeaders(headers), delimiter);
  }

  add({ created, createdCount, failed }: BatchOutcome): void {
    this.created += createdCount;
    this.failed += failed.length;
    this.#phrases.append(created.map(phraseCells));
    this.#failures.append(failed.map(failureCells));
    for (const row of failed) this.#show(row);
  }

  #show({ row, code, reason, cells, fields = [] }: FailedRow): void {
    const parts = reason.split('; ').map((part) => this.#inWords(part, fields));
    if (this.#shown.length < MAX_SHOWN_FAILURES) {
      const valueOf = (field: string) => cells[this.#columns.get(field as Field) ?? -1] ?? '';
      this.#shown.push({
        place: this.#lineOf?.(row) ?? row,
        reason: parts.join('; '),
        values: fields.map(valueOf),
        clientRef: valueOf('clientRef'),
        accountName: valueOf('accountName'),
      });
    }
    const other = OTHER_GROUPS[code];
    const found = fields.length > 0 ? fields.map(labelOf) : [code];
    for (const name of other === undefined ? new Set(found) : [other]) {
      const example = parts.find((part) => part.startsWith(`${name} `)) ?? parts.join('; ');
      const group = this.#groups.get(name) ?? { name, rows: 0, example };
      this.#groups.set(name, { ...group, rows: group.rows + 1 });
    }
  }

  /** A part of a reason, with the label of its field, and with lines of the file instead of rows. */
  #inWords(part: string, fields: readonly string[]): string {
    const field = fields.find((known) => part.startsWith(`${known} `));
    const named = field === undefined ? part : labelOf(field) + part.slice(field.length);
    const lineOf = this.#lineOf;
    if (lineOf === undefined) return named;
    return named.replaceAll(/\brow (\d+)\b/g, (_, row: string) => `line ${lineOf(Number(row))}`);
  }

  toResult(ignored: ReadonlySet<string>): ImportResult {
    return {
      created: this.created,
      failed: this.failed,
      groups: [...this.#groups.values()].toSorted((one, other) => other.rows - one.rows),
      failures: this.#shown,
      places: this.#lineOf === undefined ? 'Row' : 'Line',
      ignored: [...ignored],
      phrasesFile: this.#phrases.toFile(),
      failuresFile: this.#failures.toFile(),
    };
  }
}
