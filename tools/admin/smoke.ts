/**
 * `npm run smoke`: tests a local server end to end. `-- --url https://… --key …`: checks a deployed host end to end; see
 * check-host.ts.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Command } from 'commander';
import { run } from '../lib/arguments.ts';
import { checkHost } from './check-host.ts';
import { REQUIRED_SCOPES } from './host.ts';
import { projectFolder } from '../lib/wrangler.ts';

const LOCAL_HOSTS = ['localhost', '127.0.0.1', '[::1]'];
/** Exit code of a program that SIGINT ended. */
const INTERRUPTED = 130;

/** Measures times, and so runs with nothing beside it. */
const ALONE = ['smoke'];
const BESIDE_ONE_ANOTHER = ['start', 'deployed', 'replay', 'shards', 'local-d1', 'beside'];

async function checkOwnServer(): Promise<void> {
  for (const names of [ALONE, BESIDE_ONE_ANOTHER]) {
    const files = names.map((name) => `test/smoke/${name}.test.ts`);
    const test = spawn(process.execPath, ['--test', '--test-concurrency=2', ...files], {
      cwd: projectFolder,
      stdio: 'inherit',
    });
    const [code] = (await once(test, 'exit')) as [number | null];
    process.exitCode = code ?? 1;
    if (code !== 0) return;
  }
}

/** @throws if an API key must not be sent to the URL */
function readHost(text: string): string {
  const url = URL.parse(text);
  if (url === null || !['https:', 'http:'].includes(url.protocol)) {
    throw new Error('--url must be the URL of the service, such as https://api.example.com.');
  }
  if (url.protocol === 'http:' && !LOCAL_HOSTS.includes(url.hostname)) {
    throw new Error('--url must begin with https://, or others could read the API key on its way.');
  }
  return url.origin;
}

async function checkDeployed(url: string, key: string | undefined): Promise<void> {
  if (key === undefined || key === '') {
    throw new Error(
      `Set an API key with --key or PEERE_API_KEY, with the scopes ${REQUIRED_SCOPES.join(', ')}.`,
    );
  }
  const stop = new AbortController();
  process.once('SIGINT', () => {
    console.error('Stopping, and erasing the test customers …');
    stop.abort();
  });
  try {
    const erased = await checkHost({
      url: readHost(url),
      key,
      signal: stop.signal,
      passed: (what, milliseconds) =>
        console.log(`  ok  ${what.padEnd(46)} ${milliseconds.toFixed(0).padStart(6)} ms`),
    });
    console.log(
      `\nEverything works. ${erased} test customers were created and erased; their batch and their audit log entries remain.`,
    );
  } catch (error) {
    if (!stop.signal.aborted || (error as Error).name !== 'AbortError') throw error;
    console.error('Interrupted. The test customers have been erased.');
    process.exitCode = INTERRUPTED;
  }
}

const program = new Command('smoke')
  .description('test the service end to end; without --url, a local server')
  .option('--url <url>', 'URL of a deployed service')
  .option('--key <key>', `API key of a bank there, with ${REQUIRED_SCOPES.join(', ')}; or set PEERE_API_KEY`)
  .action(async ({ url, key }) => {
    if (url === undefined) await checkOwnServer();
    else await checkDeployed(url, key ?? process.env['PEERE_API_KEY']);
  });

await run(program);
