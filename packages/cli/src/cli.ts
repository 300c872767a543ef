/** `peere`: the command-line tool for banks. Each command is a file in commands/ and a line below. */
import { Command, CommanderError, Option } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { addBatches } from './commands/batches.ts';
import { addExport } from './commands/export.ts';
import { EXIT } from './commands/exit-codes.ts';
import { addImport } from './commands/import.ts';
import { addListen } from './commands/listen.ts';
import { addLookup } from './commands/lookup.ts';
import { addPayee } from './commands/payee.ts';
import { addReconcile } from './commands/reconcile.ts';
import { Session } from './commands/session.ts';
import { addWhoami } from './commands/whoami.ts';

const program = new Command('peere')
  .version(manifest.version, '--version', 'print the version')
  .description('Your bank’s customers in the Peere network.')
  .addOption(new Option('--url <url>', 'URL of the service').env('PEERE_URL'))
  .addOption(
    new Option(
      '--key <key>',
      'API key of your bank; safer in the environment, where other users can’t see it',
    ).env('PEERE_API_KEY'),
  )
  .option('--json', 'print the result as JSON, for programs', false)
  .configureHelp({ showGlobalOptions: true })
  .exitOverride()
  .configureOutput({ outputError: (text) => session.printError(text.trim().replace('\n', ' ')) });

const session = new Session(program);
addImport(program, session);
addExport(program, session);
addReconcile(program, session);
addLookup(program, session);
addPayee(program, session);
addBatches(program, session);
addListen(program, session);
addWhoami(program, session);

// The reader of the output may be gone, as in `peere … | head`: that must not end an import.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
// Node would exit with 1, which means that something is left to do.
process.on('uncaughtException', (error) => {
  session.fail(error);
  process.exit();
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.fault;
  else session.fail(error);
}
