/**
 * `npm run demo`: sends 10,000 customers to a running server, then looks up, lists and updates some. If no server
 * responds, it starts one with its own state folder. Each run sends new customers.
 * `-- --file customers.csv` writes them to a file instead, like a bank's export.
 */
import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { SingleBar } from 'cli-progress';
import { toCsv } from '../lib/csv.ts';
import { pathOfCaller, run } from '../lib/arguments.ts';
import { generateCustomers } from './customers.ts';
import { isServiceAt, startServer } from './server.ts';

const FULL = 'peere_test_lagos_full';
const STANDARD = 'peere_test_lagos_standard';
/** Of the other demo bank: it asks about payees of all banks. */
const NETWORK = 'peere_test_network';
const MAX_WAIT_MS = 120_000;

interface Reply {
  status: number;
  // The demo reads responses without their types, as any program could.
  // oxlint-disable-next-line typescript/no-explicit-any
  body: any;
  headers: Headers;
  milliseconds: number;
}

async function request(
  url: string,
  method: string,
  path: string,
  key: string,
  body?: unknown,
): Promise<Reply> {
  const startedAt = performance.now();
  const response = await fetch(url + path, {
    method,
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const milliseconds = performance.now() - startedAt;
  return { status: response.status, body: JSON.parse(text), headers: response.headers, milliseconds };
}

function show(what: string, { status, headers, milliseconds }: Reply, detail = ''): void {
  const cache = headers.get('X-Cache') ?? '';
  console.log(
    `  ${what.padEnd(34)} ${status}  ${milliseconds.toFixed(1).padStart(7)} ms  ${cache.padEnd(7)} ${detail}`,
  );
}

async function countOf(url: string): Promise<number> {
  const { headers } = await request(url, 'GET', '/v1/bank/customers?limit=1', FULL);
  return Number(headers.get('X-Total-Count'));
}

/** Generates customers of a domain that was never used before. */
function newCustomers(count: number) {
  return generateCustomers(count, undefined, `${Date.now().toString(36)}.example.com`);
}

async function sendBatch(url: string, count: number): Promise<Reply> {
  const customers = newCustomers(count);
  const before = await countOf(url);
  console.log(`\nSending ${count} customers in one request …`);
  const reply = await request(url, 'POST', '/v1/bank/customers', FULL, { customers });
  const { summary, failures } = reply.body.data;
  show('POST /v1/bank/customers', reply);
  const bar = new SingleBar({ format: '  processing {bar} {value}/{total} customers, {duration_formatted}' });
  const startedAt = performance.now();
  bar.start(summary.successful, 0);
  for (let done = 0; done < summary.successful;) {
    if (performance.now() - startedAt > MAX_WAIT_MS)
      throw new Error('The batch was not completed in two minutes: npm start -- --verbose shows why.');
    await new Promise((resolve) => setTimeout(resolve, 100));
    done = (await countOf(url)) - before;
    bar.update(done);
  }
  bar.stop();
  console.log(
    `  all visible after ${((performance.now() - startedAt + reply.milliseconds) / 1000).toFixed(1)} s`,
  );
  console.log(`\nSummary  ${JSON.stringify(summary)}\nThe first failures`);
  for (const failure of failures.slice(0, 5)) {
    const faults = failure.errors.map(
      (error: { field: string; message: string }) => `${error.field} ${error.message}`,
    );
    console.log(`  row ${failure.index}  ${failure.code}  ${faults.join('; ')}`);
  }
  return reply;
}

async function lookAround(url: string, id: string): Promise<void> {
  console.log('\nReading');
  const byId = await request(url, 'GET', `/v1/bank/customer?id=${id}`, FULL);
  show('by id', byId, byId.body.data.accountName);
  const phrase = encodeURIComponent(byId.body.data.phrase);
  const byPhrase = `/v1/bank/customer?phrase=${phrase}`;
  show('by phrase', await request(url, 'GET', byPhrase, STANDARD), byId.body.data.phrase);
  await new Promise((resolve) => setTimeout(resolve, 200));
  show('by phrase, again', await request(url, 'GET', byPhrase, STANDARD));
  show('by email', await request(url, 'GET', `/v1/bank/customer?email=${byId.body.data.email}`, FULL));
  const list = await request(url, 'GET', '/v1/bank/customers?limit=50&sortBy=accountName', FULL);
  show('list, 50 by name', list, `of ${list.headers.get('X-Total-Count')}`);
  const update = { id, update: { accountName: 'Amara Updated' } };
  show('update', await request(url, 'PATCH', '/v1/bank/customer', FULL, update));
  await new Promise((resolve) => setTimeout(resolve, 200));
  const after = await request(url, 'GET', byPhrase, STANDARD);
  show('by phrase, after the update', after, after.body.data.accountName);
  const payee = await request(url, 'GET', `/v1/network/payee?phrase=${phrase}`, NETWORK);
  show('payee, asked by another bank', payee, `${payee.body.data.accountName}, ${payee.body.data.bankId}`);
}

const program = new Command('demo')
  .description('send 10,000 customers and find them again')
  .option('--url <url>', 'URL of the server', 'http://localhost:8787')
  .option('--count <number>', 'number of customers to send, 1 to 10000', Number, 10_000)
  .option('--file <path>', 'write them to a CSV file for peere import; about 2 % are wrong on purpose')
  .action(async ({ url, count, file }) => {
    if (!Number.isInteger(count) || count < 1 || count > 10_000) {
      throw new Error('--count must be a whole number from 1 to 10000.');
    }
    if (file !== undefined) {
      await writeFile(pathOfCaller(file), toCsv(newCustomers(count)));
      console.log(
        `${count} customers are in ${file}, about 2 % of them wrong on purpose. To import them: npx peere import ${file} --url ${url} --key peere_test_lagos_full`,
      );
      return;
    }
    const own = (await isServiceAt(url)) ? null : await startServer();
    if (own !== null) console.log(`No server responds at ${url}: started one at ${own.url}`);
    try {
      const reply = await sendBatch(own?.url ?? url, count);
      const [id] = reply.body.data.data.customerIds as string[];
      if (id !== undefined) await lookAround(own?.url ?? url, id);
    } finally {
      await own?.stop();
    }
  });

await run(program);
