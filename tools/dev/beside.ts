/**
 * `node tools/dev/beside.ts "package, importer" "browser, crash"` runs npm scripts: those of one argument after each other,
 * the arguments in parallel. For scripts that wait more than they work and measure no time. Prints a script's output
 * whole when it ends. After a failure no other script begins, and the exit code is 1.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

let hasFailed = false;

async function runScript(command: string): Promise<void> {
  const startedAt = performance.now();
  const child = spawn('npm', ['run', '--silent', ...command.split(' ')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const [code] = (await once(child, 'close')) as [number | null];
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
  hasFailed ||= code !== 0;
  console.log(`> npm run ${command} (${code === 0 ? 'passed' : 'FAILED'} after ${seconds} s)\n${output}`);
}

const rows = process.argv.slice(2).map((commands) => commands.split(', '));
await Promise.all(
  rows.map(async (commands) => {
    for (const command of commands) if (!hasFailed) await runScript(command);
  }),
);
if (hasFailed) process.exitCode = 1;
