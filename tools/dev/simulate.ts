/**
 * `npm run simulate -- --seeds N [--seed S] [--mutant NAME | --mutants]`: the deterministic simulation of
 * docs/reliability.md. It runs on every core, prints which faults occurred, and for each violation the command that
 * repeats its seed. Exit code 1: a violation, or a planted bug that was not caught.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { CAUGHT_AS, MUTANTS } from '../../test/simulation/mutants.ts';
import { run } from '../lib/arguments.ts';
import { projectFolder } from '../lib/wrangler.ts';

interface Result {
  seeds: number;
  customers: number;
  batches: number;
  faults: Record<string, number>;
  violations: { seed: number; violations: string[] }[];
}

/** Seeds within which every planted bug must be caught. */
const MAX_SEEDS_TO_CATCH = 50;

function play(first: number, seeds: number, mutant?: string): Promise<Result> {
  return new Promise((resolve, reject) => {
    const environment = {
      ...process.env,
      SIMULATION_FIRST: String(first),
      SIMULATION_SEEDS: String(seeds),
      ...(mutant === undefined ? {} : { SIMULATION_MUTANT: mutant }),
    };
    const vitest = ['node_modules/vitest/vitest.mjs', 'run', 'test/simulation', '--silent=false'];
    const child = spawn(process.execPath, vitest, { cwd: projectFolder, env: environment });
    let output = '';
    child.stdout.on('data', (text) => (output += text));
    child.stderr.on('data', (text) => (output += text));
    child.on('error', reject);
    child.on('close', () => {
      const line = /SIMULATION (\{.*\})/.exec(output)?.[1];
      if (line === undefined) reject(new Error(`The simulation did not run:\n${output}`));
      else resolve(JSON.parse(line));
    });
  });
}

/** Seeds per process: they take some minutes, so that the last ones do not run alone for long. */
const SLICE = 250;
/** One more than there are cores, because a simulation spends part of its time waiting for D1. */
const PROCESSES = availableParallelism() + 1;

async function playAll(first: number, seeds: number): Promise<Result> {
  const all: Result = { seeds: 0, customers: 0, batches: 0, faults: {}, violations: [] };
  const size = Math.min(SLICE, Math.ceil(seeds / PROCESSES));
  let next = 0;
  const work = async () => {
    while (next < seeds) {
      const start = next;
      next += size;
      const part = await play(first + start, Math.min(size, seeds - start));
      all.seeds += part.seeds;
      all.customers += part.customers;
      all.batches += part.batches;
      all.violations.push(...part.violations);
      for (const [fault, times] of Object.entries(part.faults)) {
        all.faults[fault] = (all.faults[fault] ?? 0) + times;
      }
      console.error(`${all.seeds} of ${seeds} seeds done, ${all.violations.length} violations`);
    }
  };
  await Promise.all(Array.from({ length: PROCESSES }, work));
  return all;
}

function report({ seeds, customers, batches, faults, violations }: Result, seconds: number): void {
  const injected = Object.entries(faults).toSorted(([, one], [, other]) => other - one);
  const total = injected.reduce((sum, [, times]) => sum + times, 0);
  console.log(
    `\n| | |\n|---|---|\n| seeds | ${seeds} |\n| batches | ${batches} |\n| customers | ${customers} |`,
  );
  console.log(
    `| faults | ${total} |\n| **violations** | **${violations.length}** |\n\n| fault | times |\n|---|---|`,
  );
  for (const [fault, times] of injected) console.log(`| ${fault} | ${times} |`);
  console.log(`\n${seconds.toFixed(0)} s, ${((seconds / seeds) * 1_000).toFixed(0)} ms a seed`);
  for (const { seed, violations: found } of violations) {
    console.error(`\nSeed ${seed}: ${found.join('; ')}\n  npm run simulate -- --seeds 1 --seed ${seed}`);
  }
}

async function playMutants(names: string[]): Promise<number> {
  console.log('\n| planted bug | caught by seed | as |\n|---|---|---|');
  let missed = 0;
  const waiting = [...names];
  const work = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const { violations } = await play(1, MAX_SEEDS_TO_CATCH, name);
      const expected = CAUGHT_AS[name];
      const caught = violations.find(
        ({ violations: found }) => expected === undefined || found.includes(expected),
      );
      if (caught === undefined) missed += 1;
      const found = expected ?? caught?.violations.join('; ') ?? '';
      console.log(`| ${name} | ${caught?.seed ?? '**not caught**'} | ${found} |`);
    }
  };
  await Promise.all(Array.from({ length: PROCESSES }, work));
  return missed;
}

const program = new Command('simulate')
  .description('check that nothing is lost, duplicated or miscounted, whatever fails')
  .option('--seeds <number>', 'number of seeds', Number, 200)
  .option('--seed <number>', 'first seed', Number, 1)
  .option('--mutant <name>', `plant one bug: ${Object.keys(MUTANTS).join(', ')}`)
  .option('--mutants', 'plant every bug, one at a time')
  .action(async ({ seeds, seed, mutant, mutants }) => {
    if (!(Number.isInteger(seeds) && seeds > 0 && Number.isInteger(seed) && seed >= 0)) {
      throw new Error('--seeds and --seed must be whole numbers.');
    }
    if (mutant !== undefined && !Object.hasOwn(MUTANTS, mutant)) {
      throw new Error(
        `There is no planted bug ${mutant}. The planted bugs are: ${Object.keys(MUTANTS).join(', ')}.`,
      );
    }
    if (mutant !== undefined || mutants) {
      const missed = await playMutants(mutant === undefined ? Object.keys(MUTANTS) : [mutant]);
      if (missed > 0)
        throw new Error(`${missed} planted bugs were not caught within ${MAX_SEEDS_TO_CATCH} seeds.`);
      return;
    }
    const startedAt = performance.now();
    const played = await playAll(seed, seeds);
    report(played, (performance.now() - startedAt) / 1_000);
    if (played.violations.length > 0) process.exitCode = 1;
  });

await run(program);
