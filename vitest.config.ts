import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-pool-workers';
import { defineConfig } from 'vitest/config';
import { plantedBug } from './test/simulation/mutants.ts';
import { buildSite } from './tools/build/site.ts';

/** Seeds of `npm test`; `npm run simulate` says how many, which, and with which planted bug. */
const SEEDS = 60;
/** Requests that `npm test` makes up; FUZZ_RUNS makes more. */
const REQUESTS = 500;
const { SIMULATION_SEEDS, SIMULATION_FIRST, SIMULATION_MUTANT, FUZZ_RUNS } = process.env;

// Wrangler announces a `.dev.vars` where there is one.
process.env['WRANGLER_LOG'] ??= 'warn';
await buildSite();

// Tests run inside workerd, on the bindings of wrangler.toml and the real migrations. No network.
export default defineConfig({
  plugins: [
    ...(SIMULATION_MUTANT === undefined ? [] : [plantedBug(SIMULATION_MUTANT)]),
    cloudflareTest(async () => ({
      wrangler: { configPath: './wrangler.toml' },
      miniflare: {
        bindings: {
          ENVIRONMENT: 'local',
          // Of no use anywhere else.
          FIELD_KEY_1: btoa('0123456789abcdef'.repeat(2)),
          MIGRATIONS: await readD1Migrations('./migrations'),
          FUZZ_RUNS: Number(FUZZ_RUNS ?? REQUESTS),
          SIMULATION: {
            first: Number(SIMULATION_FIRST ?? 1),
            seeds: Number(SIMULATION_SEEDS ?? SEEDS),
            untilCaught: SIMULATION_MUTANT !== undefined,
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
    // One line per file. What a test logs is shown if the test fails; slow tests get no line of their own.
    silent: 'passed-only',
    slowTestThreshold: Number.POSITIVE_INFINITY,
    maxWorkers: 2,
    // Files share a worker: each test begins with an empty database of its own all the same.
    isolate: false,
    testTimeout: 20_000,
  },
});
