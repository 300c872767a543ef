/** Runs the command-line tool of banks, and measures it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { BATCH_ROWS } from '../packages/cli/src/batches/defaults.ts';
import { generateCustomers, type SentCustomer } from '../tools/dev/customers.ts';
import { watchMemory } from '../tools/lib/memory.ts';
import { projectFolder } from '../tools/lib/wrangler.ts';

/** Of the demo bank, with every scope of a bank. */
export const KEY = 'peere_test_lagos_full';
const PROGRAM = join(projectFolder, 'packages', 'cli', 'bin', 'peere.js');

export interface PeereRun {
  /** What it printed to stdout. */
  output: string;
  code: number | null;
  seconds: number;
  /** Peak memory in MB; null if the system does not report it. */
  megabytes: number | null;
}

export async function runPeere(url: string, args: string[]): Promise<PeereRun> {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: { ...process.env, PEERE_URL: url, PEERE_API_KEY: KEY },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (text) => (output += String(text)));
  const peakMemory = watchMemory(child.pid);
  const startedAt = performance.now();
  const [code] = (await once(child, 'exit')) as [number | null];
  const seconds = (performance.now() - startedAt) / 1_000;
  return { output, code, seconds, megabytes: peakMemory() };
}

/** One batch of made-up customers. @param number from 0; each batch has other people */
export function batchOf(number: number, domain: string): SentCustomer[] {
  return generateCustomers(BATCH_ROWS, number + 1, `${number}.${domain}`).map((row, index) => ({
    ...row,
    clientRef: `${number}-${index}`,
  }));
}

/** The rows of a file, part by part. */
export function* partsOf(rows: number, domain: string): Generator<SentCustomer[]> {
  for (let number = 0; number * BATCH_ROWS < rows; number += 1) {
    yield batchOf(number, domain).slice(0, rows - number * BATCH_ROWS);
  }
}
