/** `peere-import`: a file of customers, into the network. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { PeereError } from '../../client/src/client.ts';
import { MAX_RETRY_AFTER_SECONDS } from '../../client/src/transport.ts';
import { BATCH_ROWS, CONCURRENCY } from './defaults.ts';
import { explainDisk } from './files/disk.ts';
import { EmptyFile, FileChanged, ImportFault, ImportStopped } from './reading/fault.ts';
import { FIELD_NAMES } from './reading/fields.ts';
import { importFile, type Imported } from './import/importer.ts';
import type { Format } from './reading/row.ts';
import { count, countRows, printable } from './terminal/words.ts';

/** What the program ends with. */
const EXIT = {
  all: 0,
  some: 1,
  /** Or there was nothing to import. */
  none: 2,
  /** It could not begin, or not go on. */
  fault: 3,
  /** By SIGINT, which is what shells make of Ctrl-C (128 + 2), or by SIGTERM. */
  interrupted: 130,
} as const;

const whole = (most: number) => (text: string) => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most) {
    throw new InvalidArgumentError(`It is a whole number from 1 to ${most}.`);
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

/** Everything that is printed goes through these two, but the progress bar, which is numbers. */
const print = (line: string) => console.log(printable(line));
const printError = (line: string) => console.error(printable(line));

const program = new Command('peere-import')
  .version(manifest.version, '--version', 'print the version')
  .description('Brings a file of customers into the network, and writes down the phrase of each.')
  .argument('<file>', '.csv, .ndjson or .json, each also .gz; - for standard input')
  .addOption(new Option('--url <address>', 'of the service').env('PEERE_URL'))
  .addOption(
    new Option('--key <key>', 'of your bank; better in the environment, where others don’t see it').env(
      'PEERE_API_KEY',
    ),
  )
  .addOption(
    new Option('--format <format>', 'where the name does not say it').choices(['csv', 'ndjson', 'json']),
  )
  .option(
    '--map <field=column>',
    `which column is which field, where the names don’t tell; once for each. Fields: ${FIELD_NAMES.join(', ')}`,
    (pair: string, pairs: string[]) => [...pairs, pair],
    [],
  )
  .option('--dry-run', 'judge every row, and store nothing', false)
  .option('--concurrency <number>', 'batches under way at once', whole(16), CONCURRENCY)
  .option('--batch-rows <number>', 'rows of a batch', whole(10_000), BATCH_ROWS)
  .addHelpText(
    'after',
    `
Beside customers.csv it writes customers.phrases.csv, the id and the phrase of each customer;
customers.failures.csv, the rows that failed and why, to be mended and imported; and
customers.import.ndjson, its journal. Stopped at any moment, the same command goes on.

Ends with 0 when every row became a customer, 1 when some did, 2 when none did or the
file has none, 3 when it could not begin or go on, 130 when it was interrupted.

HTTP_PROXY, HTTPS_PROXY and NO_PROXY are honoured, by Node 24.5 and newer.`,
  )
  .exitOverride()
  .configureOutput({ outputError: (text) => printError(text.trim().replace('\n', ' ')) });

function report(
  { created, failed, rowsPerSecond, phrases, failures, already }: Imported,
  dryRun: boolean,
): void {
  const customers = created === 1 ? 'a customer' : 'customers';
  const became = dryRun ? `would become ${customers}` : `became ${customers}`;
  if (already) print('This file has been imported already. To import it again, move its journal away.');
  if (created + failed === 0) {
    print('The file has no rows: there is nothing to import.');
    return;
  }
  const rate = already ? '' : ` ${countRows(rowsPerSecond)}/s.`;
  print(`${countRows(created + failed)}: ${count(created)} ${became}, ${count(failed)} failed.${rate}`);
  if (phrases !== undefined && !dryRun) print(`  ${phrases}  the id and phrase of each customer`);
  if (failures !== undefined)
    print(`  ${failures}  the rows that failed and why; mend them and import this file`);
}

async function main(): Promise<number> {
  program.parse();
  const [path = ''] = program.args;
  const { url, key, format, ...options } = program.opts<Options>();
  if (url === undefined) throw new ImportFault('Where is the service? Say --url https://… or set PEERE_URL.');
  if (key === undefined) throw new ImportFault('Who are you? Say --key peere_… or set PEERE_API_KEY.');
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  const terminal = { stdin: process.stdin, stderr: process.stderr, say: printError };
  try {
    const imported = await importFile({ path, url, key, format, ...options }, terminal, stop.signal);
    report(imported, options.dryRun);
    if (imported.created === 0) return EXIT.none;
    return imported.failed === 0 ? EXIT.all : EXIT.some;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    printError(`Stopped. ${howToGoOn()}`);
    return EXIT.interrupted;
  }
}

/** @param error one that ends by itself, but later than a program should wait, tells when */
function howToGoOn(error?: unknown): string {
  const { retryAfter = 0 } = error instanceof PeereError ? error : {};
  const isLater = retryAfter > MAX_RETRY_AFTER_SECONDS;
  const when = isLater ? ` after ${new Date(Date.now() + retryAfter * 1_000).toISOString()}` : '';
  if (program.opts<Options>().dryRun) return `Nothing was stored; run the same command again${when}.`;
  return program.args[0] === '-'
    ? 'What was accepted is safe, but standard input can’t be gone on with: sent again, those rows fail as EXISTING_CUSTOMER.'
    : `What was accepted is safe; run the same command again${when} to go on.`;
}

/** Of an import that had begun. A fault of a file that can be read again tells how to go on by itself. */
function explainStop({ cause, wasSent }: ImportStopped): string[] {
  if (cause instanceof FileChanged) {
    const rest = wasSent
      ? 'What was sent is of the old file, and safe; put that back and run the same command again.'
      : 'Run the same command again: it begins with the new file.';
    return [`${cause.message} ${rest}`];
  }
  const isTold = cause instanceof ImportFault && program.args[0] !== '-';
  return isTold ? explain(cause) : [...explain(cause), howToGoOn(cause)];
}

/** @returns lines */
function explain(error: unknown): string[] {
  if (error instanceof ImportStopped) return explainStop(error);
  if (error instanceof PeereError) {
    const message = error.code === 'UNAUTHENTICATED' ? explainWrongKey() : error.message;
    return error.docs === undefined ? [message] : [message, error.docs];
  }
  // Of an option that is none, of a disk that fails: their words are for people.
  return [explainDisk(error) ?? (error instanceof Error ? error.message : String(error))];
}

function explainWrongKey(): string {
  const { origin } = new URL(program.opts<Options>().url ?? '');
  const source = program.getOptionValueSource('key') === 'env' ? 'PEERE_API_KEY' : '--key';
  return `The service at ${origin} does not accept the API key in ${source}: check that it is whole, of this service, and not expired or revoked.`;
}

function fail(error: unknown): void {
  for (const line of explain(error)) printError(line);
  process.exitCode = error instanceof EmptyFile ? EXIT.none : EXIT.fault;
}

// Whoever read what it prints may be gone, as in `peere-import … | head`: that ends no import.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
// Node would end with 1, which means that some rows became customers.
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
