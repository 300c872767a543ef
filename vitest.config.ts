import { existsSync, statfsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-pool-workers';
import { defineConfig } from 'vitest/config';
import { CAUGHT_AS, plantedBug } from './test/simulation/mutants.ts';
import { buildSite } from './tools/build/site.ts';

/** Simulation seeds of `npm test`; `npm run simulate` sets their number, the first one, and a planted bug. */
const SEEDS = 6;
/** Random requests of `npm test`; FUZZ_RUNS sets another number. */
const REQUESTS = 500;
const { SIMULATION_SEEDS, SIMULATION_FIRST, SIMULATION_MUTANT, FUZZ_RUNS } = process.env;

/** Linux's folder in memory. A call to a D1 in it takes half the time, and no test's database outlives the test. */
const MEMORY = '/dev/shm';
/** More than the databases of all tests need. A container may have 64 MB. */
const MIN_MEMORY_BYTES = 1e9;
if (existsSync(MEMORY) && freeBytes(MEMORY) > MIN_MEMORY_BYTES) process.env['TMPDIR'] ??= MEMORY;

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

// Wrangler would log that it uses `.dev.vars`.
process.env['WRANGLER_LOG'] ??= 'warn';
await buildSite();

/** The client's source, so that no test runs against an old build of it. */
const client = fileURLToPath(new URL('packages/client/src/client.ts', import.meta.url).href);

// Tests run inside workerd, on the bindings of wrangler.toml and the real migrations. No network.
export default defineConfig({
  resolve: { alias: { '@peere/client': client } },
  plugins: [
    ...(SIMULATION_MUTANT === undefined ? [] : [plantedBug(SIMULATION_MUTANT)]),
    cloudflareTest(async () => ({
      wrangler: { configPath: './wrangler.toml' },
      miniflare: {
        // Besides those of wrangler.toml.
        d1Databases: { SHARD_2: 'SHARD_2' },
        bindings: {
          ENVIRONMENT: 'local',
          // A key for tests only.
          FIELD_KEY_1: btoa('0123456789abcdef'.repeat(2)),
          MIGRATIONS: {
            directory: await readD1Migrations('./migrations/directory'),
            shard: await readD1Migrations('./migrations/shard'),
          },
          FUZZ_RUNS: Number(FUZZ_RUNS ?? REQUESTS),
          SIMULATION: {
            first: Number(SIMULATION_FIRST ?? 1),
            seeds: Number(SIMULATION_SEEDS ?? SEEDS),
            untilCaught: SIMULATION_MUTANT !== undefined,
            caughtAs: CAUGHT_AS[SIMULATION_MUTANT ?? ''] ?? null,
          },
        },
      },
    })),
  ],
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/smoke/**'],
    setupFiles: ['./test/support/setup.ts'],
    reporters: ['default'],
    // Prints one line per file. The logs of a test are shown if it fails; slow tests get no line of their own.
    silent: 'passed-only',
    slowTestThreshold: Number.POSITIVE_INFINITY,
    maxWorkers: 2,
    // Files share a worker, and yet each test begins with an empty database.
    isolate: false,
    testTimeout: 20_000,
  },
});
