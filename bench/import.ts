/**
 * `npm run bench:import [-- --rows 1000000]`: a CSV file into a local server by `peere-import`, and in how much memory.
 * Then, in turns, a tenth of it again, beside the same server given bodies that are made already: how much of what the
 * server can take does the importer bring it? About six minutes.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { BATCH_ROWS, CONCURRENCY } from '../packages/cli/src/defaults.ts';
import { run } from '../tools/lib/arguments.ts';
import { writeCsv } from '../tools/lib/csv.ts';
import { makeCustomers, type SentCustomer } from '../tools/dev/customers.ts';
import { watchMemory } from '../tools/lib/memory.ts';
import { startServer } from '../tools/dev/server.ts';
import { projectFolder } from '../tools/lib/wrangler.ts';
import { median } from './median.ts';

const KEY = 'peere_test_lagos_full';
/** Turns of each. */
const ROUNDS = 3;

function batchOf(number: number, domain: string): SentCustomer[] {
  return makeCustomers(BATCH_ROWS, number + 1, `${number}.${domain}`).map((row, index) => ({
    ...row,
    clientRef: `${number}-${index}`,
  }));
}

async function ask(url: string, path: string, body?: string): Promise<Response> {
  return fetch(url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { Authorization: `Bearer ${KEY}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body }),
  });
}

/** @returns rows a second, from the first body to the last customer */
async function serverAlone(url: string, rows: number, domain: string): Promise<number> {
  const bodies = Array.from({ length: Math.ceil(rows / BATCH_ROWS) }, (_, number) =>
    JSON.stringify({ customers: batchOf(number, domain) }),
  );
  const sent = bodies.length * BATCH_ROWS;
  const startedAt = performance.now();
  const work = async () => {
    for (let body = bodies.pop(); body !== undefined; body = bodies.pop()) {
      const answer = await ask(url, '/v1/bank/customers', body);
      const { data } = (await answer.json()) as { data: { batchId: string } };
      for (;;) {
        const batch = await ask(url, `/v1/bank/customers/batches/${data.batchId}`);
        const { data: now } = (await batch.json()) as { data: { status: string } };
        if (now.status !== 'PROCESSING') break;
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return (sent / (performance.now() - startedAt)) * 1_000;
}

function* partsOf(rows: number, domain: string): Generator<SentCustomer[]> {
  for (let number = 0; number * BATCH_ROWS < rows; number += 1) {
    yield batchOf(number, domain).slice(0, rows - number * BATCH_ROWS);
  }
}

/** @returns rows a second, and the most memory that it took, in MB; null where the system does not tell */
async function importCsv(url: string, file: string, rows: number) {
  const child = spawn(process.execPath, [join(projectFolder, 'client', 'bin', 'peere-import.js'), file], {
    env: { ...process.env, PEERE_URL: url, PEERE_API_KEY: KEY },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (text) => (output += String(text)));
  const mostMemory = watchMemory(child.pid);
  const startedAt = performance.now();
  await once(child, 'exit');
  const most = mostMemory();
  const seconds = (performance.now() - startedAt) / 1_000;
  if (!output.includes(`${rows.toLocaleString('en')} rows: `))
    throw new Error(`Not all was imported:\n${output}`);
  return { rate: rows / seconds, most, output };
}

const program = new Command('bench:import')
  .description('how fast a file is imported into a local server, beside what the server can take')
  .option('--rows <number>', 'of the file', Number, 1_000_000)
  .action(async ({ rows }: { rows: number }) => {
    const folder = await mkdtemp(join(tmpdir(), 'peere-import-'));
    const server = await startServer();
    try {
      const file = join(folder, 'customers.csv');
      await writeCsv(file, partsOf(rows, 'import.example.com'));
      const { rate, most, output } = await importCsv(server.url, file, rows);
      console.log(`${output}${rate.toFixed(0)} rows/s, ${most?.toFixed(0) ?? '?'} MB at the most\n`);
      const ratios: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const few = Math.ceil(rows / 10);
        const part = join(folder, `part-${round}.csv`);
        await writeCsv(part, partsOf(few, `part${round}.example.com`));
        const { rate: imported } = await importCsv(server.url, part, few);
        const alone = await serverAlone(server.url, few, `alone${round}.example.com`);
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
