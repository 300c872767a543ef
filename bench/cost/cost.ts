/**
 * `npm run bench:cost [-- --quick]`: what a lookup costs and how long it takes, by policy. It replays a seeded trace of
 * lookups through the service's own code, with bindings that count and a clock that jumps (docs/scaling.md). Node 24 has
 * `Uint8Array.prototype.toHex`, which workerd has, behind the flag --js-base-64.
 */
import { Command } from 'commander';
import { run } from '../../tools/lib/arguments.ts';
import { POLICIES } from './policies.ts';
import { replay } from './replay.ts';
import { toRow, toTable } from './report.ts';
import { makeTrace } from './trace.ts';

/** Lookups of a trace: about two hours of the traffic of a million customers. */
const LOOKUPS = 20_000;
const QUICK_LOOKUPS = 2_000;
const EXPONENTS = [0.9, 1, 1.1];
const SEED = 1;

const program = new Command('bench:cost')
  .description('what a lookup costs and how long it takes, by policy, on a model of the platform')
  .option('--quick', 'a tenth of the trace')
  .option('--seed <number>', 'of the trace', Number, SEED)
  .action(async ({ quick, seed }: { quick?: boolean; seed: number }) => {
    if (!Number.isInteger(seed) || seed < 0) throw new Error('--seed must be a whole number.');
    for (const exponent of EXPONENTS) {
      const trace = makeTrace(seed, exponent, quick ? QUICK_LOOKUPS : LOOKUPS);
      const rows: string[][] = [];
      for (const policy of POLICIES) {
        rows.push(toRow(policy.name, policy.staleness, await replay(trace, policy)));
      }
      console.log(`\nZipf ${exponent.toFixed(1)}\n\n${toTable(rows)}`);
    }
  });

await run(program);
