import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-pool-workers';
import { defineConfig } from 'vitest/config';

// Tests run inside workerd, on the bindings of wrangler.toml and the real migrations. No network.
export default defineConfig({
  plugins: [
    cloudflareTest(async () => ({
      wrangler: { configPath: './wrangler.toml' },
      miniflare: { bindings: { MIGRATIONS: await readD1Migrations('./migrations') } },
    })),
  ],
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/smoke/**'],
    setupFiles: ['./test/support/setup.ts'],
    // The second report is for .ci/run, which prints how many passed.
    reporters: ['default', ['json', { outputFile: '.wrangler/test-results.json' }]],
    maxWorkers: 2,
    testTimeout: 20_000,
  },
});
