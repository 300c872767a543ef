/**
 * `npm start`: migrations, demo banks, `wrangler dev`, and the minute's tick that cron gives in production.
 * Further arguments go to `wrangler dev`: `npm start -- --port 9000 --persist-to /some/folder`.
 */
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { DEMO_CUSTOMER } from '../src/reference/examples.ts';
import { DEMO_KEYS, demoSql } from './demo-data.ts';
import { ensureLocalFieldKey } from './local-field-key.ts';
import { answers } from './server.ts';
import {
  d1,
  projectFolder,
  targetArguments,
  wrangler,
  wranglerEntry,
  wranglerEnvironment,
} from './wrangler.ts';

const SWEEP_EVERY_MS = 60_000;
const READY_WITHIN_MS = 60_000;

const passedOn = process.argv.slice(2);
const { values } = parseArgs({
  args: passedOn,
  strict: false,
  options: {
    port: { type: 'string' },
    ip: { type: 'string' },
    'persist-to': { type: 'string' },
    remote: { type: 'boolean' },
    env: { type: 'string', short: 'e' },
  },
});
const text = (value: string | boolean | undefined) => (typeof value === 'string' ? value : undefined);

if (values.remote || text(values.env)) {
  console.error(
    'npm start works on this machine only: it seeds demo keys. For the deployed service use `npm run deploy`.',
  );
  process.exit(1);
}

const port = text(values.port) ?? '8787';
const address = `http://localhost:${port}`;
const target = { remote: false as const, persistTo: text(values['persist-to']) };

if (await answers(address)) {
  console.log(`It is running already, at ${address}. Nothing to do.`);
  process.exit(0);
}

console.log('Preparing the local database …');
const fieldKey = await ensureLocalFieldKey();
await wrangler(['d1', 'migrations', 'apply', 'DB', ...targetArguments(target)]);
// The local queue lives in memory and died with the last server: whatever is still open is due at once.
const allDue = 'UPDATE batch_chunks SET next_send_at = 0 WHERE next_send_at IS NOT NULL;';
await d1(target, `${await demoSql(Date.now(), fieldKey)}\n${allDue}`);

const server = spawn(
  process.execPath,
  [
    wranglerEntry,
    'dev',
    '--env',
    '',
    ...(values.port === undefined ? ['--port', port] : []),
    '--var',
    `PUBLIC_URL:${address}`,
    '--show-interactive-dev-session=false',
    ...passedOn,
  ],
  { cwd: projectFolder, env: wranglerEnvironment, stdio: 'inherit' },
);
const stop = (signal: NodeJS.Signals) => server.kill(signal);
process.on('SIGINT', stop);
process.on('SIGTERM', stop);
server.on('exit', (code) => process.exit(code ?? 0));

await untilItAnswers();
await sweepNow();
setInterval(() => void sweepNow(), SWEEP_EVERY_MS);

const key = DEMO_KEYS[0]?.key;
console.log(`
  Ready.    ${address}
  Key       ${key}   (demo bank Lagos, every scope)
  Try       curl -H 'Authorization: Bearer ${key}' '${address}/v1/bank/customer?phrase=${DEMO_CUSTOMER.phrase}'
  Read      ${address}/docs      (every operation, to read and to try)
  Fill it   npm run demo${port === '8787' ? '' : ` -- --url ${address}`}      (10,000 customers, in another terminal)
  Stop      Ctrl-C
`);

async function untilItAnswers(): Promise<void> {
  const giveUpAt = Date.now() + READY_WITHIN_MS;
  while (Date.now() < giveUpAt) {
    if (await answers(address)) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  console.error(`Nothing answered at ${address} within ${READY_WITHIN_MS / 1000} seconds.`);
  server.kill('SIGTERM');
  process.exit(1);
}

/** Locally cron does not fire by itself, and a restart empties the queue: the sweep sends what was left. */
async function sweepNow(): Promise<void> {
  await fetch(`${address}/cdn-cgi/handler/scheduled`).catch(() => null);
}
