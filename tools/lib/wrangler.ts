/** Runs this project's wrangler, and D1 statements through it. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectFolder = fileURLToPath(new URL('../..', import.meta.url).href);
const wranglerPackage = createRequire(import.meta.url).resolve('wrangler/package.json');
export const wranglerEntry = join(dirname(wranglerPackage), 'bin', 'wrangler.js');

/**
 * Makes wrangler ask nothing and send no metrics. It runs on the same Node as this process, and so does the build, which
 * learns from PEERE_COMMAND that one of our commands runs it (tools/build/build.ts).
 */
export const wranglerEnvironment = {
  ...process.env,
  PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
  WRANGLER_SEND_METRICS: 'false',
  CI: 'true',
  PEERE_COMMAND: 'yes',
};

/** wrangler's output without a login: that of `whoami --json`, of an expired login, and of other commands. */
const LOGGED_OUT = /"loggedIn":false|Not logged in|necessary to set a CLOUDFLARE_API_TOKEN/;
const NOT_LOGGED_IN =
  'You are not logged in to Cloudflare: run npx wrangler login first, or set CLOUDFLARE_API_TOKEN.';

/**
 * @param input for standard input: a secret, which must not be an argument
 * @returns the output
 * @throws with the output if it fails; with what to do if nobody is logged in
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
      const printed = errors + output;
      if (code === 0) resolve(output);
      else if (LOGGED_OUT.test(printed)) reject(new Error(NOT_LOGGED_IN));
      else reject(new Error(`wrangler ${args.slice(0, 3).join(' ')} failed:\n${printed}`));
    });
  });
}

/**
 * Runs wrangler in the terminal, where it can ask before it takes over a host of another Worker, which it would do
 * without asking elsewhere.
 * @throws if it fails; it has printed why
 */
export function wranglerInTerminal(args: string[]): Promise<void> {
  const { CI, ...environment } = wranglerEnvironment;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [wranglerEntry, ...args], {
      cwd: projectFolder,
      env: { ...environment, ...(process.env['CI'] === undefined ? {} : { CI }) },
      stdio: 'inherit',
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`wrangler ${args[0]} failed.`));
    });
  });
}

/** Which D1 databases: the deployed ones, or this machine's, in `persistTo` or wrangler's default folder. */
export type Target = { remote: true } | { remote: false; persistTo?: string | undefined };

export function targetArguments(target: Target): string[] {
  if (target.remote) return ['--remote'];
  return ['--local', ...(target.persistTo === undefined ? [] : ['--persist-to', target.persistTo])];
}

/** The directory, or a shard: the name of its binding. */
export type DatabaseName = 'DIRECTORY' | `SHARD_${number}`;

/** Runs SQL on a database and returns the rows of its last statement. */
export async function d1<Row>(target: Target, database: DatabaseName, statements: string): Promise<Row[]> {
  return (await d1Each<Row>(target, database, statements)).at(-1) ?? [];
}

/** Runs SQL on a database and returns the rows of each statement. */
export async function d1Each<Row>(
  target: Target,
  database: DatabaseName,
  statements: string,
): Promise<Row[][]> {
  const output = await wrangler([
    'd1',
    'execute',
    database,
    ...targetArguments(target),
    '--yes',
    '--json',
    '--command',
    statements,
  ]);
  return (JSON.parse(output) as { results: Row[] }[]).map(({ results }) => results);
}

/** Brings the tables of a database up to date. */
export async function applyMigrations(target: Target, database: DatabaseName): Promise<void> {
  await wrangler(['d1', 'migrations', 'apply', database, ...targetArguments(target)]);
}

/** Returns the names of the shards that the directory has, in the order of their numbers. */
export async function listShards(target: Target): Promise<`SHARD_${number}`[]> {
  const rows = await d1<{ name: `SHARD_${number}` }>(
    target,
    'DIRECTORY',
    'SELECT name FROM shards ORDER BY number',
  );
  return rows.map(({ name }) => name);
}

/** Renders a value as SQL text: wrangler accepts no bound parameters. */
export function sqlText(value: string | null): string {
  return value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`;
}
