/** Runs this project's wrangler, and D1 statements through it. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { executeLocally, type StatementResult } from './local-d1.ts';
import type { CloudflareName, DatabaseName, ShardName } from './shards.ts';

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

/** The name of a binding, or of a database at Cloudflare that is not bound yet. */
type Database = DatabaseName | CloudflareName;

/** Where this machine's server keeps its data. */
export const stateFolderOf = ({ persistTo }: { persistTo?: string | undefined }) =>
  persistTo ?? join(projectFolder, '.wrangler', 'state');

/** Runs SQL on a database and returns the rows of its last statement. */
export async function d1<Row>(target: Target, database: Database, statements: string): Promise<Row[]> {
  return (await d1Each<Row>(target, database, statements)).at(-1) ?? [];
}

/** Runs SQL on a database and returns the rows of each statement. */
export async function d1Each<Row>(target: Target, database: Database, statements: string): Promise<Row[][]> {
  return (await d1Results<Row>(target, database, statements)).map(({ results }) => results);
}

/** Runs SQL on a database and returns the rows of each statement, and the size of the database. */
export function d1Results<Row>(
  target: Target,
  database: Database,
  statements: string,
): Promise<StatementResult<Row>[]> {
  return target.remote
    ? executeRemotely(database, statements)
    : executeLocally(stateFolderOf(target), database, statements);
}

async function executeRemotely<Row>(database: Database, statements: string): Promise<StatementResult<Row>[]> {
  const options = ['--remote', '--yes', '--json', '--command', statements];
  return JSON.parse(await wrangler(['d1', 'execute', database, ...options])) as StatementResult<Row>[];
}

/** Returns the names of the shards that the directory has, in the order of their numbers. */
export async function listShards(target: Target): Promise<ShardName[]> {
  const rows = await d1<{ name: ShardName }>(target, 'DIRECTORY', 'SELECT name FROM shards ORDER BY number');
  return rows.map(({ name }) => name);
}

/** Renders a value as SQL text: wrangler accepts no bound parameters. */
export function sqlText(value: string | null): string {
  return value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`;
}
