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
  readonly #headers: string[];
  readonly #phrases: Download;
  readonly #failures: Download;
  readonly #shown: ShownFailure[] = [];
  readonly #groups = new Map<string, FaultGroup>();

  /** @param table the input, whose headers and delimiter the files use */
  constructor({ headers, delimiter = ',' }: { headers: string[]; delimiter: string | undefined }) {
    this.#headers = headers;
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
    if (this.#shown.length < MAX_SHOWN_FAILURES) this.#shown.push({ row, code, reason, cells });
    const other = OTHER_GROUPS[code];
    for (const name of other === undefined ? new Set(fields.length > 0 ? fields : [code]) : [other]) {
      const group = this.#groups.get(name) ?? { name, rows: 0, example: exampleOf(name, reason) };
      this.#groups.set(name, { ...group, rows: group.rows + 1 });
    }
  }

  toResult(ignored: ReadonlySet<string>): ImportResult {
    return {
      created: this.created,
      failed: this.failed,
      groups: [...this.#groups.values()].toSorted((one, other) => other.rows - one.rows),
      failures: this.#shown,
      headers: this.#headers,
      ignored: [...ignored],
      phrasesFile: this.#phrases.toFile(),
      failuresFile: this.#failures.toFile(),
    };
  }
}

/** The part of a reason that is about a field. */
function exampleOf(name: string, reason: string): string {
  return reason.split('; ').find((part) => part.startsWith(`${name} `)) ?? reason;
}
