/** `peere-import`: imports a file of customers into the network. */
import { MAX_RETRY_AFTER_SECONDS, PeereError } from '@peere/client';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { BATCH_ROWS, CONCURRENCY } from './defaults.ts';
import { explainDiskError } from './files/disk.ts';
import { ImportStoppedError } from './import/import-run.ts';
import { importFile, type ImportSummary } from './import/importer.ts';
import { FileChangedError } from './import/inspect.ts';
import { EmptyFileError, ImportError } from './reading/errors.ts';
import { FIELD_NAMES } from './reading/fields.ts';
import type { Format } from './reading/row.ts';
import { count, countRows, printable } from './terminal/words.ts';

/** Exit codes. */
const EXIT = {
  all: 0,
  some: 1,
  /** Also if there was nothing to import. */
  none: 2,
  /** The import could not begin or continue. */
  fault: 3,
  /** By SIGINT, for which shells use 128 + 2, or by SIGTERM. */
  interrupted: 130,
} as const;

const wholeNumber = (max: number) => (text: string) => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${max}.`);
  }
  return value;
};

interface Options {
  url?: string;
  key?: string;
  format?: Format;
  map: string[];
  dryRun: boolean;
  concurrency: number;
  batchRows: number;
}

/** Everything is printed through these two, except for the progress bar, which only has numbers. */
const print = (line: string) => console.log(printable(line));
const printError = (line: string) => console.error(printable(line));

const program = new Command('peere-import')
  .version(manifest.version, '--version', 'print the version')
  .description('Imports a file of customers into the network and writes the phrase of each to a file.')
  .argument('<file>', '.csv, .ndjson or .json, optionally with .gz; - for standard input')
  .addOption(new Option('--url <url>', 'URL of the service').env('PEERE_URL'))
  .addOption(
    new Option(
      '--key <key>',
      'API key of your bank; safer in the environment, where other users can’t see it',
    ).env('PEERE_API_KEY'),
  )
  .addOption(
    new Option('--format <format>', 'format of the file, if its name does not tell').choices([
      'csv',
      'ndjson',
      'json',
    ]),
  )
  .option(
    '--map <field=column>',
    `column of a field, if the column’s name does not tell; repeat it for each field. Fields: ${FIELD_NAMES.join(', ')}`,
    (pair: string, pairs: string[]) => [...pairs, pair],
    [],
  )
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

Exit codes: 0 if every row became a customer, 1 if some did, 2 if none did or the file has no
rows, 3 if the import could not begin or continue, 130 if it was interrupted.

HTTP_PROXY, HTTPS_PROXY and NO_PROXY are supported with Node 24.5 and newer.`,
  )
  .exitOverride()
  .configureOutput({ outputError: (text) => printError(text.trim().replace('\n', ' ')) });

function report(
  { created, failed, rowsPerSecond, phrases, failures, wasFinished }: ImportSummary,
  dryRun: boolean,
): void {
  const customers = created === 1 ? 'a customer' : 'customers';
  const became = dryRun ? `would become ${customers}` : `became ${customers}`;
  if (wasFinished) print('This file has been imported already. To import it again, move its journal away.');
  if (created + failed === 0) {
    print('The file has no rows: there is nothing to import.');
    return;
  }
  const rate = wasFinished ? '' : ` ${countRows(rowsPerSecond)}/s.`;
  print(`${countRows(created + failed)}: ${count(created)} ${became}, ${count(failed)} failed.${rate}`);
  if (phrases !== undefined && !dryRun) print(`  ${phrases}  the id and phrase of each customer`);
  if (failures !== undefined)
    print(`  ${failures}  the rows that failed, with the reasons; fix them and import this file`);
}

async function main(): Promise<number> {
  program.parse();
  const [path = ''] = program.args;
  const { url, key, format, ...options } = program.opts<Options>();
  if (url === undefined) {
    throw new ImportError('The URL of the service is missing: use --url https://… or set PEERE_URL.');
  }
  if (key === undefined) {
    throw new ImportError('The API key is missing: set PEERE_API_KEY or use --key peere_….');
  }
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  const terminal = { stdin: process.stdin, stderr: process.stderr, log: printError };
  try {
    const summary = await importFile({ path, url, key, format, ...options }, terminal, stop.signal);
    report(summary, options.dryRun);
    if (summary.created === 0) return EXIT.none;
    return summary.failed === 0 ? EXIT.all : EXIT.some;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    printError(`Stopped. ${howToContinue()}`);
    return EXIT.interrupted;
  }
}

/** @param error says when to continue if the program should not wait for so long */
function howToContinue(error?: unknown): string {
  const { retryAfter = 0 } = error instanceof PeereError ? error : {};
  const isLater = retryAfter > MAX_RETRY_AFTER_SECONDS;
  const when = isLater ? ` after ${new Date(Date.now() + retryAfter * 1_000).toISOString()}` : '';
  if (program.opts<Options>().dryRun) return `Nothing was stored; run the same command again${when}.`;
  return program.args[0] === '-'
    ? 'What was accepted is safe, but an import from standard input can’t be continued: sent again, those rows fail as EXISTING_CUSTOMER.'
    : `What was accepted is safe; run the same command again${when} to continue.`;
}

/** Explains why an import ended that had begun. An error in a file says by itself how to continue. */
function explainStop({ cause, wasSent }: ImportStoppedError): string[] {
  if (cause instanceof FileChangedError) {
    const rest = wasSent
      ? 'What was sent is of the old file, and safe; put that file back and run the same command again.'
      : 'Run the same command again: it begins with the new file.';
    return [`${cause.message} ${rest}`];
  }
  const isComplete = cause instanceof ImportError && program.args[0] !== '-';
  return isComplete ? explain(cause) : [...explain(cause), howToContinue(cause)];
}

/** @returns lines to print */
function explain(error: unknown): string[] {
  if (error instanceof ImportStoppedError) return explainStop(error);
  if (error instanceof PeereError) {
    const message = error.code === 'UNAUTHENTICATED' ? explainWrongKey() : error.message;
    return error.docs === undefined ? [message] : [message, error.docs];
  }
  // Messages of an unknown option or a failed disk are fit for people.
  return [explainDiskError(error) ?? (error instanceof Error ? error.message : String(error))];
}

function explainWrongKey(): string {
  const { origin } = new URL(program.opts<Options>().url ?? '');
  const source = program.getOptionValueSource('key') === 'env' ? 'PEERE_API_KEY' : '--key';
  return `The service at ${origin} does not accept the API key in ${source}: check that it is complete, belongs to this service, and has not expired or been revoked.`;
}

function fail(error: unknown): void {
  for (const line of explain(error)) printError(line);
  process.exitCode = error instanceof EmptyFileError ? EXIT.none : EXIT.fault;
}

// The reader of the output may be gone, as in `peere-import … | head`: that must not end the import.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
// Node would exit with 1, which means that some rows became customers.
process.on('uncaughtException', (error) => {
  fail(error);
  process.exit();
});

try {
  process.exitCode = await main();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.all : EXIT.fault;
  else fail(error);
}
