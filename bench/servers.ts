/** Runs each Worker as it would be deployed, in its own workerd, with the same runtime, bindings and layout. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { readConfig } from '../tools/lib/config.ts';
import { generateFieldKey } from '../tools/dev/dev-vars.ts';
import { residentMemory } from '../tools/lib/memory.ts';
import { projectFolder, wrangler } from '../tools/lib/wrangler.ts';

/** The measured Workers: ours, the minimum, one as written from the public guides, and ours with other chunks. */
export const BUILDS = {
  ours: 'src/worker.ts',
  ceiling: 'bench/ceiling.ts',
  typical: 'bench/typical.ts',
  chunked: 'bench/chunked.ts',
} as const;
export type Build = keyof typeof BUILDS;

/** Is it our Worker, which has a directory and a shard? */
export const isOurs = (name: Build) => name === 'ours' || name === 'chunked';

export interface BenchServer {
  name: Build;
  url: URL;
  miniflare: Miniflare;
  /** The directory; the same as `db` for the Workers that have one database. */
  directory: D1Database;
  /** The customers: of ours, the first shard. */
  db: D1Database;
  /** All databases with customers. */
  shards: D1Database[];
  /** Milliseconds of CPU time that its workerd has used so far; null if the system does not report it (not Linux). */
  cpu: () => Promise<number | null>;
  /** MB of memory that its workerd uses; null if the system does not report it. */
  memory: () => number | null;
}

const benchFolder = join(projectFolder, '.wrangler', 'bench');

/**
 * Discards the log lines of every workerd. Otherwise Miniflare would read and parse them in this process, which also
 * generates the load; as only our Worker logs, that would distort its measurements. (Not on Windows.)
 */
async function useQuietWorkerd(): Promise<void> {
  if (process.platform === 'win32') return;
  const ofMiniflare = createRequire(import.meta.resolve('miniflare'));
  const { default: workerd } = ofMiniflare('workerd') as { default: string };
  const quiet = join(benchFolder, 'quiet-workerd.sh');
  await mkdir(benchFolder, { recursive: true });
  await writeFile(quiet, `#!/bin/sh\nexec '${workerd}' "$@" > /dev/null\n`, { mode: 0o755 });
  process.env['MINIFLARE_WORKERD_PATH'] = quiet;
}

/** Clock ticks in /proc: USER_HZ, which is 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Builds a Worker with wrangler, minified as for a deployment. */
async function build(name: Build): Promise<string> {
  const folder = join(benchFolder, name);
  await wrangler(['deploy', BUILDS[name], '--dry-run', '--outdir', folder]);
  const files = await readdir(folder);
  const script = files.find((file) => file.endsWith('.js'));
  if (script === undefined) throw new Error(`wrangler built no script from ${BUILDS[name]}.`);
  return readFile(join(folder, script), 'utf8');
}

/** The bindings and limits are those of every deployment. */
const config = readConfig();

export interface ServerOptions {
  /** Bindings besides those of wrangler.toml. */
  vars?: Record<string, number>;
  /** Number of shards of ours. */
  shardCount?: number;
}

export async function startServer(
  name: Build,
  { vars = {}, shardCount = 1 }: ServerOptions = {},
): Promise<BenchServer> {
  const shardNames = Array.from({ length: shardCount }, (_, index) => `SHARD_${index + 1}`);
  const bindings = isOurs(name) ? ['DIRECTORY', ...shardNames] : ['DB'];
  const options = convertV4MiniflareOptions({
    name,
    modules: true,
    script: await build(name),
    compatibilityDate: config.compatibility_date,
    d1Databases: Object.fromEntries(bindings.map((binding) => [binding, `${binding}-${name}`])),
    queueProducers: { BATCH_QUEUE: 'customer-batches', WEBHOOK_QUEUE: 'webhook-deliveries' },
    ratelimits: Object.fromEntries(
      config.ratelimits.map(({ name: binding, ...limiter }) => [binding, limiter]),
    ),
    bindings: { ...config.vars, ...vars, ENVIRONMENT: 'local', FIELD_KEY_1: generateFieldKey() },
    unsafeDirectSockets: [{ port: 0 }],
  });
  await useQuietWorkerd();
  const before = await workerdPids();
  const miniflare = new Miniflare(options);
  await miniflare.ready;
  const pid = (await workerdPids()).find((candidate) => !before.includes(candidate));
  const url = await miniflare.unsafeGetDirectURL(name);
  const databases = await Promise.all(bindings.map((binding) => miniflare.getD1Database(binding, name)));
  const [directory] = databases;
  const shards = isOurs(name) ? databases.slice(1) : databases;
  const [db] = shards;
  if (directory === undefined || db === undefined) throw new Error(`${name} has no database.`);
  const memory = () => residentMemory(pid === undefined ? undefined : Number(pid));
  return { name, url, miniflare, directory, db, shards, cpu: () => cpuOf(pid), memory };
}

/** @returns the child processes of this process, which are the workerds */
async function workerdPids(): Promise<string[]> {
  const path = `/proc/${process.pid}/task/${process.pid}/children`;
  const children = await readFile(path, 'utf8').catch(() => '');
  return children.split(' ').filter((pid) => pid !== '');
}

async function cpuOf(pid: string | undefined): Promise<number | null> {
  if (pid === undefined) return null;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (stat === null) return null;
  // After the command's name in parentheses; utime and stime are fields 14 and 15 of the whole line.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1_000;
}
