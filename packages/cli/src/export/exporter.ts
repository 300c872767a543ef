/**
 * Exports every customer of a bank to a file. Promise: the file has its name only when it is whole; interrupted at any
 * moment and run again, the export continues, and no customer is in it twice.
 */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Bank, PeereClient } from '@peere/client';
import { acquireLock } from '../files/lock.ts';
import { collectGarbage, keepMemorySmall } from '../files/memory.ts';
import { readCustomerPages } from '../network/pages.ts';
import { CommandError, StoppedError } from '../reading/errors.ts';
import { Progress } from '../terminal/progress.ts';
import { countRows } from '../terminal/words.ts';
import { ExportFile } from './export-file.ts';
import { fieldsOf, headerOf, rowsOf, type ExportFormat, type FieldSet } from './format.ts';

const EXTENDED_SCOPE = 'customers:read:extended';

export interface ExportOptions {
  path: string;
  /** Origin of the service. */
  origin: string;
  bank: Bank;
  format: ExportFormat;
  /** Undefined: as many as the API key shows. */
  fields: FieldSet | undefined;
  /** Overwrites the file. */
  force: boolean;
}

export interface ExportSummary {
  file: string;
  rows: number;
  format: ExportFormat;
  fields: FieldSet;
  /** In this run. */
  rowsPerSecond: number;
}

interface Reporter {
  log: (line: string) => void;
  stderr: NodeJS.WriteStream;
}

/** Pages between two garbage collections. */
const COLLECT_EVERY_PAGES = 10;

/** @throws CommandError, StoppedError, PeereError */
export async function exportCustomers(
  { path, origin, bank, format, fields: wanted, force }: ExportOptions,
  client: PeereClient,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<ExportSummary> {
  keepMemorySmall(true);
  const fields = chooseFields(bank, wanted);
  const release = acquireLock(`${path}.export.lock`, 'exported');
  try {
    const plan = { origin, bankId: bank.id, format, fields };
    const file = ExportFile.open(path, plan, headerOf(format, fieldsOf(fields)), force);
    const before = file.rows;
    if (before > 0) reporter.log(`Continuing after ${countRows(before)}.`);
    const progress = new Progress(reporter.stderr, before);
    try {
      await writePages(file, { client, format, fields, progress, signal });
    } catch (error) {
      throw new StoppedError('The export has stopped.', { cause: error });
    } finally {
      progress.end();
      file.close();
    }
    // Another program may have written a file of this name meanwhile.
    assertFree(path, force);
    file.finish();
    return { file: path, rows: file.rows, format, fields, rowsPerSecond: progress.rate(file.rows) };
  } finally {
    release();
  }
}

interface Work {
  client: PeereClient;
  format: ExportFormat;
  fields: FieldSet;
  progress: Progress;
  signal: AbortSignal;
}

async function writePages(
  file: ExportFile,
  { client, format, fields, progress, signal }: Work,
): Promise<void> {
  // An earlier run wrote the last page.
  if (file.rows > 0 && file.next === null) return;
  const names = fieldsOf(fields);
  let pages = 0;
  for await (const { customers, total, next } of readCustomerPages(client, signal, file.next ?? undefined)) {
    file.append(rowsOf(format, names, customers), customers.length, next ?? null);
    progress.show({ done: file.rows, failed: 0, share: total === 0 ? 1 : Math.min(file.rows / total, 1) });
    pages += 1;
    if (pages % COLLECT_EVERY_PAGES === 0) collectGarbage();
  }
}

/** @throws CommandError */
export function formatOf(path: string): ExportFormat {
  if (/\.csv$/i.test(path)) return 'csv';
  if (/\.(ndjson|jsonl)$/i.test(path)) return 'ndjson';
  throw new CommandError(`The format of ${path} can’t be told from its name: use --format csv or ndjson.`);
}

/** @throws CommandError if the export may not write the file */
export function assertFree(path: string, force: boolean): void {
  if (!existsSync(dirname(path))) throw new CommandError(`There is no folder ${dirname(path)}.`);
  if (force || !existsSync(path)) return;
  throw new CommandError(`${path} exists already: name another file, or use --force to overwrite it.`);
}

function chooseFields({ scopes }: Bank, wanted: FieldSet | undefined): FieldSet {
  const seesExtended = scopes.includes(EXTENDED_SCOPE);
  if (wanted === 'extended' && !seesExtended) {
    throw new CommandError(
      `The API key does not have the scope ${EXTENDED_SCOPE}, which --fields extended needs: use another API key, or --fields standard.`,
    );
  }
  return wanted ?? (seesExtended ? 'extended' : 'standard');
}
