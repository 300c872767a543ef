/**
 * `npm run bench:import [-- --rows 1000000]`: a CSV file into a local server by `peere-import`, beside the same server
 * given bodies that are made already: how much of what the server can take does the importer bring it, and in how much
 * memory?
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { stringify } from 'csv-stringify/sync';
import { run } from '../tools/arguments.ts';
import { makeCustomers, type SentCustomer } from '../tools/customers.ts';
import { startServer } from '../tools/server.ts';
import { projectFolder } from '../tools/wrangler.ts';

const KEY = 'peere_test_lagos_full';
/** As the importer does by itself. */
const BATCH_ROWS = 5_000;
const CONCURRENCY = 8;
/** Rows of each of the two turns in which the server is given bodies: before the import, and after it. */
const OWN_ROWS = 100_000;

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
  const bodies = Array.from({ length: rows / BATCH_ROWS }, (_, number) =>
    JSON.stringify({ customers: batchOf(number, domain) }),
  );
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
  return (rows / (performance.now() - startedAt)) * 1_000;
}

async function writeCsv(file: string, rows: number): Promise<void> {
  const out = createWriteStream(file);
  for (let number = 0; number * BATCH_ROWS < rows; number += 1) {
    const batch = batchOf(number, 'import.example.com');
    const columns = [
      'clientRef',
      'firstname',
      'lastname',
      'middlename',
      'accountName',
      'email',
      'country',
      'address',
    ];
    columns.push('gender', 'phone', 'accountNumber', 'reference');
    if (!out.write(stringify(batch, { header: number === 0, columns }))) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
}

/** @returns rows a second, and the most memory that it took, in MB; null where the system does not tell */
async function importCsv(url: string, file: string, rows: number) {
  const child = spawn(process.execPath, [join(projectFolder, 'client', 'bin', 'peere-import.js'), file], {
    env: { ...process.env, PEERE_URL: url, PEERE_API_KEY: KEY },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (text) => (output += String(text)));
  const seen: { most: number | null } = { most: null };
  const watch = setInterval(() => {
    void readFile(`/proc/${child.pid}/status`, 'utf8').then(
      (status) => (seen.most = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1_024),
      () => undefined,
    );
  }, 200);
  const startedAt = performance.now();
  await once(child, 'exit');
  clearInterval(watch);
  const seconds = (performance.now() - startedAt) / 1_000;
  if (!output.includes(`${rows.toLocaleString('en')} rows: `))
    throw new Error(`Not all was imported:\n${output}`);
  return { rate: rows / seconds, most: seen.most, output };
}

const program = new Command('bench:import')
  .description('how fast a file is imported into a local server, beside what the server can take')
  .option('--rows <number>', 'of the file', Number, 1_000_000)
  .action(async ({ rows }: { rows: number }) => {
    const folder = await mkdtemp(join(tmpdir(), 'peere-import-'));
    const server = await startServer();
    try {
      const file = join(folder, 'customers.csv');
      await writeCsv(file, rows);
      const before = await serverAlone(server.url, OWN_ROWS, 'before.example.com');
      const { rate, most, output } = await importCsv(server.url, file, rows);
      const after = await serverAlone(server.url, OWN_ROWS, 'after.example.com');
      const alone = (before + after) / 2;
      console.log(output);
      console.log(`importer   ${rate.toFixed(0)} rows/s, ${most?.toFixed(0) ?? '?'} MB at the most`);
      console.log(`server     ${before.toFixed(0)} rows/s before, ${after.toFixed(0)} rows/s after`);
      console.log(`ratio      ${(rate / alone).toFixed(2)}`);
    } finally {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });

await run(program);
