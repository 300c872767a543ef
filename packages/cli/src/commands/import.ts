/** `peere import`: imports a file of customers into the network. */
import { MAX_RETRY_AFTER_SECONDS, PeereError } from '@peere/client';
import type { Command } from 'commander';
import { ImportStoppedError } from '../import/import-run.ts';
import { importFile, type ImportSummary } from '../import/importer.ts';
import { FileChangedError } from '../files/inspect.ts';
import { CommandError } from '../reading/errors.ts';
import { NEW_CUSTOMER } from '../reading/fields.ts';
import type { Format } from '../reading/row.ts';
import { count, countRows } from '../terminal/words.ts';
import { BATCH_ROWS, CONCURRENCY } from '../batches/defaults.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { formatOption, mapOption, wholeNumber } from './options.ts';
import type { Session } from './session.ts';

interface Options {
  format?: Format;
  map: string[];
  dryRun: boolean;
  concurrency: number;
  batchRows: number;
}

export function addImport(program: Command, session: Session): void {
  program
    .command('import')
    .summary('import customers from a file')
    .description('Imports a file of customers into the network and writes the phrase of each to a file.')
    .argument('<file>', '.csv, .ndjson or .json, optionally with .gz; - for standard input')
    .addOption(formatOption())
    .addOption(mapOption(NEW_CUSTOMER.names))
    .option('--dry-run', 'validate every row and store nothing', false)
    .option('--concurrency <number>', 'batches under way at the same time', wholeNumber(16), CONCURRENCY)
    .option('--batch-rows <number>', 'rows per batch', wholeNumber(10_000), BATCH_ROWS)
    .addHelpText(
      'after',
      `
Writes three files beside customers.csv: customers.phrases.csv has the id and phrase of each
customer; customers.failures.csv has the rows that failed, with the reasons, to be fixed and
imported; customers.import.ndjson is the journal. If the import is interrupted, run the same
command again to continue.

Examples:
  peere import customers.csv --dry-run
  peere import customers.csv
  peere import customers.csv --map firstname=Vorname --map lastname=Nachname

Exit codes: 0 if every row became a customer, 1 if some did, 2 if none did or the file has no
rows, 3 if the import could not begin or continue, 130 if it was interrupted.

HTTP_PROXY, HTTPS_PROXY and NO_PROXY are supported with Node 24.5 and newer.`,
    )
    .action((path: string, options: Options) =>
      session.run(
        () => runImport(path, options, session),
        (error) => advise(path, options, error),
      ),
    );
}

async function runImport(path: string, options: Options, session: Session): Promise<ExitCode> {
  const terminal = { stdin: process.stdin, ...session.reporter };
  const { format, ...rest } = options;
  const request = { path, format, ...rest, ...session.connection() };
  const summary = await importFile(request, terminal, session.signal);
  if (session.json) session.printJson(summary);
  else report(summary, options.dryRun, session);
  if (summary.created === 0) return EXIT.none;
  return summary.failed === 0 ? EXIT.ok : EXIT.partial;
}

function report(summary: ImportSummary, dryRun: boolean, session: Session): void {
  const { created, failed, rowsPerSecond, phrases, failures, wasFinished } = summary;
  const customers = created === 1 ? 'a customer' : 'customers';
  const became = dryRun ? `would become ${customers}` : `became ${customers}`;
  if (wasFinished)
    session.print(
      'This file has been imported already, for this bank or another. To import it again, move its journal away (the .import.ndjson file beside it).',
    );
  if (created + failed === 0) {
    session.print('The file has no rows: there is nothing to import.');
    return;
  }
  const rate = wasFinished ? '' : ` ${countRows(rowsPerSecond)}/s.`;
  session.print(
    `${countRows(created + failed)}: ${count(created)} ${became}, ${count(failed)} failed.${rate}`,
  );
  if (phrases !== undefined && !dryRun) session.print(`  ${phrases}  the id and phrase of each customer`);
  if (failures !== undefined)
    session.print(`  ${failures}  the rows that failed, with the reasons; fix them and import this file`);
}

/** An error before anything was sent, and one in the file, say by themselves how to continue. */
function advise(path: string, { dryRun }: Options, error?: unknown): string | undefined {
  if (error === undefined) return howToContinue(path, dryRun);
  if (!(error instanceof ImportStoppedError)) return undefined;
  const { cause, wasSent } = error;
  if (cause instanceof FileChangedError) {
    return wasSent
      ? 'What was sent is of the old file, and safe; put that file back and run the same command again.'
      : 'Run the same command again: it begins with the new file.';
  }
  const isComplete = cause instanceof CommandError && path !== '-';
  return isComplete ? undefined : howToContinue(path, dryRun, cause);
}

/** @param error says when to continue if the program should not wait for so long */
function howToContinue(path: string, dryRun: boolean, error?: unknown): string {
  const { retryAfter = 0 } = error instanceof PeereError ? error : {};
  const isLater = retryAfter > MAX_RETRY_AFTER_SECONDS;
  const when = isLater ? ` after ${new Date(Date.now() + retryAfter * 1_000).toISOString()}` : '';
  if (dryRun) return `Nothing was stored; run the same command again${when}.`;
  return path === '-'
    ? 'What was accepted is safe, but an import from standard input can’t be continued: sent again, those rows fail as EXISTING_CUSTOMER.'
    : `What was accepted is safe; run the same command again${when} to continue.`;
}
