/** `peere-import`: a file of customers, into the network. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { PeereError } from '../client.ts';
import { MAX_RETRY_AFTER_SECONDS } from '../transport.ts';
import { BATCH_ROWS, CONCURRENCY } from './defaults.ts';
import { ImportFault } from './fault.ts';
import { FIELD_NAMES } from './fields.ts';
import { importFile, type Imported } from './importer.ts';
import type { Format } from './reading/row.ts';

/** What the program ends with. */
const EXIT = {
  all: 0,
  some: 1,
  none: 2,
  /** It could not begin, or not go on. */
  fault: 3,
  /** As shells have it: 128 and the signal's number. */
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

const program = new Command('peere-import')
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

Ends with 0 when every row became a customer, 1 when some did, 2 when none did,
3 when it could not begin or go on, 130 when it was interrupted.`,
  )
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text) });

const number = (value: number) => value.toLocaleString('en');

function report(
  { created, failed, rowsPerSecond, phrases, failures, already }: Imported,
  dryRun: boolean,
): void {
  const became = dryRun ? 'would become customers' : 'became customers';
  if (already) console.log('This file has been imported already. To import it again, move its journal away.');
  const rate = already ? '' : ` ${number(Math.round(rowsPerSecond))} rows/s.`;
  console.log(
    `${number(created + failed)} rows: ${number(created)} ${became}, ${number(failed)} failed.${rate}`,
  );
  if (phrases !== undefined && !dryRun) console.log(`  ${phrases}  the id and phrase of each customer`);
  if (failures !== undefined)
    console.log(`  ${failures}  the rows that failed and why; mend them and import this file`);
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
  const terminal = {
    stdin: process.stdin,
    stderr: process.stderr,
    say: (line: string) => console.error(line),
  };
  try {
    const imported = await importFile({ path, url, key, format, ...options }, terminal, stop.signal);
    report(imported, options.dryRun);
    if (imported.created === 0) return EXIT.none;
    return imported.failed === 0 ? EXIT.all : EXIT.some;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    console.error(
      goesOn()
        ? 'Stopped. What was accepted is safe; run the same command again to go on.'
        : 'Stopped. There is no going on from here: run it anew.',
    );
    return EXIT.interrupted;
  }
}

/** Can this import be gone on with, if it ends here? */
function goesOn(): boolean {
  return program.args[0] !== '-' && !program.opts<Options>().dryRun;
}

/** What to do about an error that ends by itself, but later than a program should wait. */
function whenToGoOn({ retryAfter = 0 }: PeereError): string {
  if (retryAfter <= MAX_RETRY_AFTER_SECONDS || !goesOn()) return '';
  const time = new Date(Date.now() + retryAfter * 1_000).toISOString();
  return `\nWhat was accepted is safe; run the same command again after ${time} to go on.`;
}

function explain(error: unknown): string {
  if (error instanceof ImportFault) return error.message;
  if (error instanceof PeereError) {
    const hint = error.docs === undefined ? '' : `\n${error.docs}`;
    return `${error.message}${whenToGoOn(error)}${hint}`;
  }
  // Of a file that can't be written, of an option that is none: their words are for people.
  return error instanceof Error ? error.message : String(error);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.all : EXIT.fault;
  else {
    console.error(explain(error));
    process.exitCode = EXIT.fault;
  }
}
