/** The three files of a comparison: rows without a customer, customers without a row, and both that differ. */
import { existsSync, rmSync } from 'node:fs';
import type { Customer } from '@peere/client';
import { fieldsOf, toCell } from '../export/format.ts';
import { failureCells, failureHeaders, type FailedRow } from '../batches/outcome.ts';
import { CommandError } from '../reading/errors.ts';
import type { Customer as FileCustomer } from '../reading/row.ts';
import { discardPart, publish, ReportFile } from './report-file.ts';
import { shown, stored, type ComparedField } from './values.ts';

export const REPORT_NAMES = ['missing', 'extra', 'changed'] as const;
export type ReportName = (typeof REPORT_NAMES)[number];

export const reportPath = (stem: string, name: ReportName) => `${stem}.${name}.csv`;

/** Columns of the changed file: what the file and the directory have in a field. */
export const inFile = (field: ComparedField) => `${field} in file`;
export const inDirectory = (field: ComparedField) => `${field} in directory`;

export class Reports {
  readonly #fields: ComparedField[];
  readonly #missing: ReportFile;
  readonly #extra: ReportFile;
  readonly #changed: ReportFile;

  /**
   * @param stem path of the input without its extension
   * @param fields that are compared
   */
  constructor(
    stem: string,
    { headers, delimiter = ',' }: { headers: string[]; delimiter: string | undefined },
    fields: ComparedField[],
  ) {
    const file = (name: ReportName, columns: string[]) =>
      new ReportFile(reportPath(stem, name), columns, delimiter);
    this.#fields = fields;
    // As the failures of an import, so that the file can be imported.
    this.#missing = file('missing', failureHeaders(headers));
    this.#extra = file('extra', fieldsOf('extended'));
    const compared = fields.flatMap((field) => [inFile(field), inDirectory(field)]);
    this.#changed = file('changed', ['row', 'id', 'phrase', 'email', 'fields', ...compared]);
  }

  addMissing(row: FailedRow): void {
    this.#missing.append(failureCells(row));
  }

  addExtra(customer: Customer): void {
    this.#extra.append(fieldsOf('extended').map((field) => toCell(customer[field])));
  }

  /** @param differing fields */
  addChanged(row: number, ofFile: FileCustomer, customer: Customer, differing: ComparedField[]): void {
    const { id, phrase, email = '' } = customer;
    const values = this.#fields.flatMap((field) => [
      stored(field, ofFile, customer.country),
      shown(field, customer),
    ]);
    this.#changed.append([String(row), id, phrase, email, differing.join(' '), ...values].map(toCell));
  }

  /** Writes what is still in memory. The files get their names by `publishReports`. */
  close(): void {
    for (const file of [this.#missing, this.#extra, this.#changed]) file.close();
  }
}

/** @throws CommandError if one of the files exists */
export function assertReportsFree(stem: string): void {
  const taken = REPORT_NAMES.map((name) => reportPath(stem, name)).find((path) => existsSync(path));
  if (taken === undefined) return;
  throw new CommandError(`${taken} exists already: move it away, or use --force to overwrite it.`);
}

/**
 * Removes the files of an earlier comparison, finished or not. With them goes the journal of importing the missing rows:
 * the next file of missing rows may be the same to the byte, and its rows must be sent again all the same.
 */
export function removeReports(stem: string): void {
  for (const name of REPORT_NAMES) {
    discardPart(reportPath(stem, name));
    rmSync(reportPath(stem, name), { force: true });
  }
  rmSync(`${stem}.missing.import.ndjson`, { force: true });
}

export function publishReports(stem: string): void {
  for (const name of REPORT_NAMES) publish(reportPath(stem, name));
}

/** @returns the paths of the files that exist: without a difference there is none */
export function existingReports(stem: string): Partial<Record<ReportName, string>> {
  const paths = REPORT_NAMES.map((name) => [name, reportPath(stem, name)] as const);
  return Object.fromEntries(paths.filter(([, path]) => existsSync(path)));
}
