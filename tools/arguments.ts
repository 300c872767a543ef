/** What the commands share: where the database is, and how a failure is told. */
import type { Command } from 'commander';
import type { Target } from './wrangler.ts';

interface TargetOptions {
  remote?: boolean;
  persistTo?: string;
}

/** Adds `--remote` and `--persist-to` to a command. */
export function withTarget(command: Command): Command {
  return command
    .option('--remote', 'the deployed database, through wrangler; without it, this machine’s')
    .option('--persist-to <folder>', 'the state folder of a local server that was started with one');
}

export function targetOf({ remote, persistTo }: TargetOptions): Target {
  return remote === true ? { remote } : { remote: false, persistTo };
}

/** Runs a command line; a failure is one sentence and exit code 1. */
export async function run(program: Command): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
