/** Shared by all commands: options for the database, paths of the caller, help and error messages. */
import { resolve } from 'node:path';
import { CommanderError, type Command } from 'commander';
import type { Target } from './wrangler.ts';

interface TargetOptions {
  remote?: boolean;
  persistTo?: string;
}

/** Resolves a path in the caller's folder: npm runs commands in the project's folder and sets INIT_CWD to the caller's. */
export const pathOfCaller = (path: string) => resolve(process.env['INIT_CWD'] ?? '', path);

/** Adds `--remote` and `--persist-to` to a command. */
export function withTarget(command: Command): Command {
  return command
    .option('--remote', 'use the deployed database, through wrangler; without it, the local one')
    .option(
      '--persist-to <folder>',
      'state folder of a local server that was started with this option',
      pathOfCaller,
    );
}

export function targetOf({ remote, persistTo }: TargetOptions): Target {
  return remote === true ? { remote } : { remote: false, persistTo };
}

/** @returns the options of `targetOf`, to be added to a command that somebody should type: with a space in front, or nothing */
export function typedOptions(target: Target): string {
  if (target.remote) return ' --remote';
  return target.persistTo === undefined ? '' : ` --persist-to ${target.persistTo}`;
}

/** Runs a command line. A failure, such as a mistyped option, is one sentence and exit code 1. */
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
      // Otherwise it has printed the help.
      if (error.message.startsWith('error: ')) console.error(sentenceOf(error, typedCommand(program, typed)));
      return;
    }
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

/** @returns what was typed up to the subcommand, if there is one: its own help lists its options */
function typedCommand(program: Command, typed: string): string {
  const subcommand = program.commands.find((command) => command.name() === process.argv[2]);
  return subcommand === undefined ? typed : `${typed} ${subcommand.name()}`;
}

/** Turns Commander's message of two lines into a sentence, and adds where the options are listed. */
function sentenceOf({ message }: CommanderError, typed: string): string {
  const fault = message
    .replace(/^error: (.)/, (_, first: string) => first.toUpperCase())
    .replaceAll('\n', ' ');
  return `${fault.replace(/\.$/, '')}: ${typed} --help lists the options.`;
}
