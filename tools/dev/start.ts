/**
 * `npm start`: a local server with demo data, and a sweep every minute as production's cron has it. It wraps
 * `wrangler dev` and prints one line per request, warnings and errors; `--verbose` prints everything.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { MOVES_CRON } from '../../src/env.ts';
import { DEMO_CUSTOMER } from '../../src/openapi/examples.ts';
import { pathOfCaller, run } from '../lib/arguments.ts';
import { DEMO_KEYS } from './demo-data.ts';
import { summarise } from './dev-output.ts';
import { devVarsFile } from './dev-vars.ts';
import { prepareLocalDatabase, removeLocalData } from './local-database.ts';
import { removeOldDatabase } from './old-database.ts';
import { explainPort, isServiceAt } from './server.ts';
import { localConfig } from '../lib/local-shards.ts';
import { projectFolder, stateFolderOf, wranglerEntry, wranglerEnvironment } from '../lib/wrangler.ts';

const SWEEP_CRON = '* * * * *';
const CRON_INTERVAL_MS = 60_000;
const MAX_START_MS = 60_000;

interface Options {
  port: string;
  ip: string;
  inspectorPort?: string;
  persistTo?: string;
  fresh?: boolean;
  verbose?: boolean;
}

const program = new Command('start')
  .description('a local server, with two demo banks and a customer to look up')
  .option('--port <number>', 'where it listens', '8787')
  .option('--ip <address>', 'which of this machine’s addresses it listens on', 'localhost')
  .option('--inspector-port <number>', 'where a debugger may connect; without it, any that is free')
  .option('--persist-to <folder>', 'where its data is kept; without it, .wrangler/state', pathOfCaller)
  .option('--fresh', 'remove its data first')
  .option('--verbose', 'print everything that wrangler and the Worker say')
  .argument('[nothing]')
  .usage('[options]')
  .action(start);

await run(program);

async function start(excess: string | undefined, options: Options): Promise<void> {
  if (excess !== undefined) {
    throw new Error(
      'npm keeps options for itself unless they come after --, as in: npm start -- --port 8788',
    );
  }
  const { port, ip, persistTo, fresh = false } = options;
  const url = `http://localhost:${port}`;
  const fault = await explainPort(port, ip);
  if (fault !== undefined) {
    if (!(await isServiceAt(url))) throw new Error(`${fault} Choose another: npm start -- --port 8788`);
    if (fresh)
      throw new Error(`A server is running at ${url}: stop it with Ctrl-C before you remove its data.`);
    console.log(`The server is running already, at ${url}.`);
    return;
  }
  if (fresh) {
    const removed = await removeLocalData(persistTo);
    console.log(removed === undefined ? 'There was no local data to remove.' : `Removed ${removed}.`);
  }
  if (await removeOldDatabase(persistTo)) {
    console.log('Removed the local data of version 0.1.0, which this version can’t read: it begins anew.');
  }
  console.log('Preparing the local databases …');
  await prepareLocalDatabase(persistTo);
  await serve(url, options);
}

async function serve(url: string, options: Options): Promise<void> {
  const server = spawn(process.execPath, [wranglerEntry, 'dev', ...(await devArguments(url, options))], {
    cwd: projectFolder,
    env: wranglerEnvironment,
    stdio: options.verbose === true ? 'inherit' : ['ignore', 'pipe', 'pipe'],
  });
  const stop = (signal: NodeJS.Signals) => server.kill(signal);
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  server.on('exit', (code) => process.exit(code ?? 0));

  let isReady = false;
  for (const stream of [server.stdout, server.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      const summary = summarise(line);
      // Earlier requests are those of this tool.
      if (summary !== undefined && (isReady || summary.kind === 'fault')) console.log(summary.text);
    });
  }

  const giveUpAt = Date.now() + MAX_START_MS;
  while (!(await isServiceAt(url))) {
    if (Date.now() > giveUpAt) {
      server.kill('SIGTERM');
      throw new Error(
        `No server responded at ${url} within ${MAX_START_MS / 1000} seconds: npm start -- --verbose shows why.`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const runCron = (cron: string) =>
    fetch(`${url}/cdn-cgi/handler/scheduled?cron=${encodeURIComponent(cron)}`).catch(() => null);
  await runCron(SWEEP_CRON);
  // A run may take as long as the time between two.
  for (const cron of [SWEEP_CRON, MOVES_CRON]) setInterval(() => void runCron(cron), CRON_INTERVAL_MS);
  void runCron(MOVES_CRON);
  console.log(banner(url));
  isReady = true;
}

async function devArguments(url: string, { port, ip, inspectorPort, persistTo }: Options): Promise<string[]> {
  const stateFolder = stateFolderOf({ persistTo });
  const config = await localConfig(stateFolder);
  return [
    '--port',
    port,
    '--ip',
    ip,
    '--show-interactive-dev-session=false',
    // Otherwise the deployed host in wrangler.toml would be used for both.
    '--infer-origin-from-routes=false',
    '--var',
    `PUBLIC_URL:${url}`,
    ...(inspectorPort === undefined ? [] : ['--inspector-port', inspectorPort]),
    '--persist-to',
    stateFolder,
    // wrangler looks for .dev.vars beside its configuration.
    ...(config === undefined ? [] : ['--config', config, '--env-file', devVarsFile]),
  ];
}

function banner(url: string): string {
  const key = DEMO_KEYS[0]?.key;
  // In Windows PowerShell 5, curl is another program.
  const curl = process.platform === 'win32' ? 'curl.exe' : 'curl';
  return `
  Ready.    ${url}      (Ctrl-C stops it)
  API key   ${key}      (demo bank Lagos, every scope of a bank)
  Try       ${curl} -H "Authorization: Bearer ${key}" "${url}/v1/bank/customer?phrase=${DEMO_CUSTOMER.phrase}"
  Docs      ${url}/docs
  Fill it   npm run demo${url.endsWith(':8787') ? '' : ` -- --url ${url}`}      (10,000 customers, in another terminal)
`;
}
