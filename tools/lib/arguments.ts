/** What the commands share: where the database is, and how a failure is told. */
import { CommanderError, type Command } from 'commander';
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

/** Runs a command line. A failure, a mistyped option too, is one sentence and exit code 1. */
export async function run(program: Command): Promise<void> {
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ outputError: () => {} });
  }
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode;
      // Help was asked for, or was the answer to no command at all: it has been printed.
      if (error.message.startsWith('error: ')) console.error(sentenceOf(error, program.name()));
      return;
    }
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

/** Commander says it in two lines, and not where the options are listed. */
function sentenceOf({ message }: CommanderError, name: string): string {
  const fault = message
    .replace(/^error: (.)/, (_, first: string) => first.toUpperCase())
    .replaceAll('\n', ' ');
  return `${fault.replace(/\.$/, '')}: npm ${name === 'start' ? 'start' : `run ${name}`} -- --help lists what there is.`;
}
