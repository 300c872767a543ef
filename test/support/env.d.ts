import type { D1Migration } from 'cloudflare:test';
import type { Env as WorkerEnv } from '../../src/env.ts';

declare global {
  namespace Cloudflare {
    interface Env extends WorkerEnv {
      /** Of the directory, and of each shard. */
      MIGRATIONS: { directory: D1Migration[]; shard: D1Migration[] };
      /** Tests have a second shard. */
      SHARD_2: D1Database;
      FUZZ_RUNS: number;
      /** The seeds that the simulation plays, and whether it stops at the first violation. */
      SIMULATION: { first: number; seeds: number; untilCaught: boolean; caughtAs: string | null };
    }
    interface GlobalProps {
      mainModule: typeof import('../../src/worker.ts');
    }
  }
}
