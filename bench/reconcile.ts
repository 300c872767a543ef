/**
 * `npm run bench:reconcile [-- --rows 1000000]`: imports a CSV file into a local server, exports it again, and reconciles
 * the file with the directory: first as it is, then with one row in a hundred changed and one in a hundred left out.
 * Measures the time and the memory of each. Takes about ten minutes.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { run } from '../tools/lib/arguments.ts';
import { writeCsv } from '../tools/lib/csv.ts';
import type { SentCustomer } from '../tools/dev/customers.ts';
import { startServer } from '../tools/dev/server.ts';
import { partsOf, runPeere } from './peere.ts';

const DOMAIN = 'reconcile.example.com';
/** One row in so many is changed, and the one after it is left out. */
const EVERY = 100;

function* changedParts(rows: number): Generator<SentCustomer[]> {
  for (const part of partsOf(rows, DOMAIN)) {
    yield part
      .filter((_, index) => index % EVERY !== 1)
      .map((row, index) => (index % EVERY === 0 ? { ...row, address: 'Another Road 1' } : row));
  }
}

async function measure(url: string, rows: number, args: string[], exits: number[]): Promise<void> {
  const { output, code, seconds, megabytes } = await runPeere(url, args);
  if (code === null || !exits.includes(code))
    throw new Error(`peere ${args[0]} ended with ${code}:\n${output}`);
  console.log(
    `${output}peere ${args[0]}: ${seconds.toFixed(0)} s, ${(rows / seconds).toFixed(0)} rows/s, ${megabytes?.toFixed(0) ?? '?'} MB at most\n`,
  );
}

const program = new Command('bench:reconcile')
  .description('measure the export of a bank’s customers, and their reconciliation with a file')
  .option('--rows <number>', 'rows of the file', Number, 1_000_000)
  .action(async ({ rows }: { rows: number }) => {
    const folder = await mkdtemp(join(tmpdir(), 'peere-reconcile-'));
    const server = await startServer();
    try {
      const [file, changed] = [join(folder, 'customers.csv'), join(folder, 'changed.csv')];
      await writeCsv(file, partsOf(rows, DOMAIN));
      await measure(server.url, rows, ['import', file], [1]);
      await measure(server.url, rows, ['export', join(folder, 'export.csv')], [0]);
      await measure(server.url, rows, ['reconcile', file], [1]);
      await writeCsv(changed, changedParts(rows));
      await measure(server.url, rows, ['reconcile', changed], [1]);
    } finally {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });

await run(program);
