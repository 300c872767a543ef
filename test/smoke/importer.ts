/** Shared by the tests of `peere` and `peere-import`: the built programs, a folder for its files, and a real server. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { startServer, type Server } from '../../tools/dev/server.ts';
import { projectFolder } from '../../tools/lib/wrangler.ts';

export const KEY = 'peere_test_lagos_full';
export const EXIT = { all: 0, some: 1, none: 2, fault: 3, interrupted: 130 };
export const PROGRAM = join(projectFolder, 'packages/cli/bin/peere-import.js');
const PEERE = join(projectFolder, 'packages/cli/bin/peere.js');

let server: Server;
let folder: string;
before(async () => {
  server = await startServer();
});
after(() => server.stop());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'peere-import-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

export const serverUrl = () => server.url;
export const stateFolder = () => server.stateFolder;
export const at = (name: string) => join(folder, name);
export const cells = (name: string, delimiter = ',') =>
  parse<Record<string, string>>(readFileSync(at(name), 'utf8'), { columns: true, bom: true, delimiter });

export function start(
  args: string[],
  environment: Record<string, string> = {},
  program = PROGRAM,
): ChildProcess {
  return spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: { ...process.env, PEERE_URL: server.url, PEERE_API_KEY: KEY, ...environment },
  });
}

export const startPeere = (args: string[], environment?: Record<string, string>) =>
  start(args, environment, PEERE);

/** @returns environment in which the program runs this code first */
export const preload = (code: string) => ({
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}`,
});

/** @param input for standard input; null keeps it open */
export async function ended(child: ChildProcess, input?: string | null) {
  let [output, stdout] = ['', ''];
  child.stdout?.on('data', (text) => (stdout += String(text)));
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (text) => (output += String(text)));
  }
  if (input !== null) child.stdin?.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output, stdout };
}

export const run = (args: string[], environment?: Record<string, string>) => ended(start(args, environment));

export const peere = (args: string[], environment?: Record<string, string>) =>
  ended(startPeere(args, environment));

/** Sends a change. @returns the response */
export async function send(method: string, path: string, body?: unknown) {
  const response = await fetch(server.url + path, {
    method,
    headers: { Authorization: `Bearer ${KEY}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

/** Creates customers, and waits until they can be read. @param rows at most 10,000 */
export async function createCustomers(customers: object[]): Promise<void> {
  const { status, body } = await send('POST', '/v1/bank/customers', { customers });
  if (status !== 201 || body.data.summary.failed > 0) throw new Error(JSON.stringify(body));
  await total();
}

export async function get(path: string) {
  const response = await fetch(server.url + path, { headers: { Authorization: `Bearer ${KEY}` } });
  return { headers: response.headers, body: JSON.parse(await response.text()) };
}

/** @returns the number of customers, once every batch of any import is completed, also of a killed one */
export async function total(): Promise<number> {
  while ((await get('/v1/bank/customers/batches?status=PROCESSING&limit=1')).body.data.length > 0) {
    await sleep(50);
  }
  return Number((await get('/v1/bank/customers?limit=1')).headers.get('X-Total-Count'));
}

let people = 0;
/** @returns valid customers that were never sent before */
export function goodRows(count: number) {
  people += 1;
  return Array.from({ length: count }, (_, n) => ({
    clientRef: `p${people}-${n}`,
    firstname: 'Adaobi',
    lastname: 'Okafor',
    accountName: `Adaobi Okafor ${n}`,
    email: `p${people}.${n}@import.example.com`,
    country: 'NG',
    accountNumber: '0123456789',
    reference: `r-${n}`,
  }));
}

export const HEADER = [
  'clientRef',
  'firstname',
  'lastname',
  'accountName',
  'email',
  'country',
  'accountNumber',
  'reference',
];
export const csv = (rows: object[], columns = HEADER, delimiter = ',') =>
  stringify(rows, { header: true, columns, delimiter });

/** Waits until the journal has so many finished batches. */
export async function untilDone(journal: string, batches: number): Promise<void> {
  for (;;) {
    const text = await readFile(at(journal), 'utf8').catch(() => '');
    if (text.split('"done"').length > batches) return;
    await sleep(20);
  }
}
