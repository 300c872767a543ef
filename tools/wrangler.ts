/** Runs wrangler, the one of this project, and D1 statements through it. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectFolder = fileURLToPath(new URL('..', import.meta.url).href);
const wranglerPackage = createRequire(import.meta.url).resolve('wrangler/package.json');
export const wranglerEntry = join(dirname(wranglerPackage), 'bin', 'wrangler.js');

/** Wrangler asks nothing and reports nothing; the Node that runs us runs it. */
export const wranglerEnvironment = { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: 'true' };

/**
 * @param input what it reads where it asks: a secret, which must not be an argument
 * @returns what it printed
 * @throws with what it printed, when it fails
 */
export function wrangler(args: string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [wranglerEntry, ...args], {
      cwd: projectFolder,
      env: wranglerEnvironment,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.end(input);
    let output = '';
    let errors = '';
    child.stdout.on('data', (text) => (output += text));
    child.stderr.on('data', (text) => (errors += text));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`wrangler ${args.slice(0, 3).join(' ')} failed:\n${errors}${output}`));
    });
  });
}

/** Which D1: this machine's (in `persistTo`, if not wrangler's own folder), or the deployed one. */
export type Target = { remote: true } | { remote: false; persistTo?: string | undefined };

export function targetArguments(target: Target): string[] {
  if (target.remote) return ['--remote', '--env', 'production'];
  return [
    '--local',
    '--env',
    '',
    ...(target.persistTo === undefined ? [] : ['--persist-to', target.persistTo]),
  ];
}

/** Runs SQL and returns the rows of its last statement. */
export async function d1<Row>(target: Target, statements: string): Promise<Row[]> {
  const output = await wrangler([
    'd1',
    'execute',
    'DB',
    ...targetArguments(target),
    '--yes',
    '--json',
    '--command',
    statements,
  ]);
  const results = JSON.parse(output) as { results: Row[] }[];
  return results.at(-1)?.results ?? [];
}

/** A value as SQL text: wrangler takes no bound parameters. */
export function sqlText(value: string | null): string {
  return value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`;
}
