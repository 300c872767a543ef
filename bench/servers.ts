/** Workers as they would be deployed, each in a workerd of its own: same runtime, same bindings, same layout. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { readConfig } from '../tools/lib/config.ts';
import { makeFieldKey } from '../tools/dev/dev-vars.ts';
import { residentMemory } from '../tools/lib/memory.ts';
import { projectFolder, wrangler } from '../tools/lib/wrangler.ts';

/** What is measured: ours, the bare least, and what one would write from the public guides. */
export const BUILDS = {
  ours: 'src/worker.ts',
  ceiling: 'bench/ceiling.ts',
  typical: 'bench/typical.ts',
} as const;
export type Build = keyof typeof BUILDS;

export interface BenchServer {
  url: URL;
  miniflare: Miniflare;
  db: D1Database;
  /** Milliseconds of CPU that its workerd has used so far; null where the system does not tell (not Linux). */
  cpu: () => Promise<number | null>;
  /** MB that its workerd has in use; null where the system does not tell. */
  memory: () => number | null;
}

const benchFolder = join(projectFolder, '.wrangler', 'bench');

/**
 * A workerd whose log lines go nowhere, for every server alike. Miniflare would have this process, which makes the
 * load, read and parse each of them, and ours is the only Worker that writes any: it would be the generator that is
 * measured. (Windows has no such file; there the lines are read.)
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

/** Ticks of the clock in /proc a second: USER_HZ, 100 on every Linux that Node runs on. */
const TICKS_A_SECOND = 100;

/** wrangler's own build of a Worker, minified as it is for a deployment. */
async function build(name: Build): Promise<string> {
  const folder = join(benchFolder, name);
  await wrangler(['deploy', BUILDS[name], '--dry-run', '--outdir', folder]);
  const files = await readdir(folder);
  const script = files.find((file) => file.endsWith('.js'));
  if (script === undefined) throw new Error(`wrangler built nothing of ${BUILDS[name]}.`);
  return readFile(join(folder, script), 'utf8');
}

/** What the Worker is bound to here is what it is bound to on every machine, limits included. */
const config = readConfig();

export async function startServer(name: Build): Promise<BenchServer> {
  const options = convertV4MiniflareOptions({
    name,
    modules: true,
    script: await build(name),
    compatibilityDate: config.compatibility_date,
    d1Databases: { DB: `db-${name}` },
    kvNamespaces: { PHRASE_CACHE: `kv-${name}` },
    queueProducers: { BATCH_QUEUE: 'customer-batches' },
    ratelimits: Object.fromEntries(
      config.ratelimits.map(({ name: binding, ...limiter }) => [binding, limiter]),
    ),
    bindings: { ...config.vars, ENVIRONMENT: 'local', FIELD_KEY_1: makeFieldKey() },
    unsafeDirectSockets: [{ port: 0 }],
  });
  await useQuietWorkerd();
  const before = await workerds();
  const miniflare = new Miniflare(options);
  await miniflare.ready;
  const pid = (await workerds()).find((candidate) => !before.includes(candidate));
  const url = await miniflare.unsafeGetDirectURL(name);
  const db = await miniflare.getD1Database('DB', name);
  const memory = () => residentMemory(pid === undefined ? undefined : Number(pid));
  return { url, miniflare, db, cpu: () => cpuOf(pid), memory };
}

/** This process's children that are workerd. */
async function workerds(): Promise<string[]> {
  const path = `/proc/${process.pid}/task/${process.pid}/children`;
  const children = await readFile(path, 'utf8').catch(() => '');
  return children.split(' ').filter((pid) => pid !== '');
}

async function cpuOf(pid: string | undefined): Promise<number | null> {
  if (pid === undefined) return null;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (stat === null) return null;
  // Behind the command's name, in parentheses, utime and stime are fields 14 and 15 of the whole.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND) * 1_000;
}
