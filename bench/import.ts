/**
 * `npm run bench:import [-- --rows 1000000]`: imports a CSV file into a local server with `peere import`, and measures the
 * memory. Then it alternates between imports of a tenth of the rows and the same server fed with prepared bodies: how
 * close does the importer come to the server's maximum? Takes about six minutes.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { BATCH_ROWS, CONCURRENCY } from '../packages/cli/src/batches/defaults.ts';
import { run } from '../tools/lib/arguments.ts';
import { writeCsv } from '../tools/lib/csv.ts';
import { startServer } from '../tools/dev/server.ts';
import { batchOf, KEY, partsOf, runPeere } from './peere.ts';
import { median } from './statistics.ts';

/** Rounds of each. */
const ROUNDS = 3;

async function send(url: string, path: string, body?: string): Promise<Response> {
  return fetch(url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { Authorization: `Bearer ${KEY}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body }),
  });
}

/** @returns rows per second, from the first body to the last customer */
async function measureServerAlone(url: string, rows: number, domain: string): Promise<number> {
  const bodies = Array.from({ length: Math.ceil(rows / BATCH_ROWS) }, (_, number) =>
    JSON.stringify({ customers: batchOf(number, domain) }),
  );
  const sent = bodies.length * BATCH_ROWS;
  const startedAt = performance.now();
  const work = async () => {
    for (let body = bodies.pop(); body !== undefined; body = bodies.pop()) {
      const created = await send(url, '/v1/bank/customers', body);
      const { data } = (await created.json()) as { data: { batchId: string } };
      for (;;) {
        const batch = await send(url, `/v1/bank/customers/batches/${data.batchId}`);
        const { data: now } = (await batch.json()) as { data: { status: string } };
        if (now.status !== 'PROCESSING') break;
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return (sent / (performance.now() - startedAt)) * 1_000;
}

/** @returns rows per second, and the peak memory in MB; null if the system does not report it */
async function importCsv(url: string, file: string, rows: number) {
  const { output, seconds, megabytes } = await runPeere(url, ['import', file]);
  if (!output.includes(`${rows.toLocaleString('en')} rows: `))
    throw new Error(`Not every row was imported:\n${output}`);
  return { rate: rows / seconds, megabytes, output };
}

const program = new Command('bench:import')
  .description('measure the import of a file into a local server, compared with the server’s maximum')
  .option('--rows <number>', 'rows of the file', Number, 1_000_000)
  .action(async ({ rows }: { rows: number }) => {
    const folder = await mkdtemp(join(tmpdir(), 'peere-import-'));
    const server = await startServer();
    try {
      const file = join(folder, 'customers.csv');
      await writeCsv(file, partsOf(rows, 'import.example.com'));
      const { rate, megabytes, output } = await importCsv(server.url, file, rows);
      console.log(`${output}${rate.toFixed(0)} rows/s, ${megabytes?.toFixed(0) ?? '?'} MB at most\n`);
      const ratios: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const fewer = Math.ceil(rows / 10);
        const part = join(folder, `part-${round}.csv`);
        await writeCsv(part, partsOf(fewer, `part${round}.example.com`));
        const { rate: imported } = await importCsv(server.url, part, fewer);
        const alone = await measureServerAlone(server.url, fewer, `alone${round}.example.com`);
        ratios.push(imported / alone);
        console.log(`importer ${imported.toFixed(0)} rows/s, server alone ${alone.toFixed(0)} rows/s`);
      }
      console.log(
        `ratio ${median(ratios).toFixed(2)} (${ratios.map((ratio) => ratio.toFixed(2)).join(', ')})`,
      );
    } finally {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });

await run(program);
