/** What the commands share: where the database and files are, and how help and a failure are told. */
import { resolve } from 'node:path';
import { CommanderError, type Command } from 'commander';
import type { Target } from './wrangler.ts';

interface TargetOptions {
  remote?: boolean;
  persistTo?: string;
}

/** A path as the caller means it: npm runs commands in the project's folder, and says in INIT_CWD where it was called. */
export const pathOfCaller = (path: string) => resolve(process.env['INIT_CWD'] ?? '', path);

/** Adds `--remote` and `--persist-to` to a command. */
export function withTarget(command: Command): Command {
  return command
    .option('--remote', 'the deployed database, through wrangler; without it, this machine’s')
    .option(
      '--persist-to <folder>',
      'the state folder of a local server that was started with one',
      pathOfCaller,
    );
}

export function targetOf({ remote, persistTo }: TargetOptions): Target {
  return remote === true ? { remote } : { remote: false, persistTo };
}

/** Runs a command line. A failure, a mistyped option too, is one sentence and exit code 1. */
export async function run(program: Command): Promise<void> {
  const typed = `npm ${program.name() === 'start' ? 'start' : `run ${program.name()}`} --`;
  for (const command of [program, ...program.commands]) {
    const words = command === program ? typed : `${typed} ${command.name()}`;
    command
      .exitOverride()
      .configureOutput({ outputError: () => {} })
      .configureHelp({ commandUsage: () => `${words} ${command.usage()}` });
  }
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode;
      // Help was asked for, or was the answer to no command at all: it has been printed.
      if (error.message.startsWith('error: ')) console.error(sentenceOf(error, typed));
      return;
    }
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

/** Commander says it in two lines, and not where the options are listed. */
function sentenceOf({ message }: CommanderError, typed: string): string {
  const fault = message
    .replace(/^error: (.)/, (_, first: string) => first.toUpperCase())
    .replaceAll('\n', ' ');
  return `${fault.replace(/\.$/, '')}: ${typed} --help lists what there is.`;
}
