/** `peere lookup`: finds a customer of the bank. */
import type { CustomerIdentifier } from '@peere/client';
import type { Command } from 'commander';
import { alignPairs } from '../terminal/tables.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { Session } from './session.ts';

export function addLookup(program: Command, session: Session): void {
  program
    .command('lookup')
    .summary('find a customer of your bank')
    .description('Finds a customer of your bank by phrase, email or id.')
    .argument('<name>', 'phrase, email or id of the customer')
    .option('--fresh', 'bypass the cache, whose copy may be up to 6 minutes old', false)
    .addHelpText(
      'after',
      `
Examples:
  peere lookup river-stone-ocean-coral
  peere lookup adaobi.okafor@example.com --json

Exit codes: 0 if there is such a customer, 1 if not, 3 if the service could not be asked.`,
    )
    .action((name: string, { fresh }: { fresh: boolean }) =>
      session.run(() => runLookup(name, fresh, session)),
    );
}

/** Ids of the service begin with `cus_`. */
function identifierOf(name: string): CustomerIdentifier {
  if (name.includes('@')) return { email: name };
  return name.startsWith('cus_') ? { id: name } : { phrase: name };
}

async function runLookup(name: string, fresh: boolean, session: Session): Promise<ExitCode> {
  const identifier = identifierOf(name);
  const customer = await session.impatientClient().getCustomer(identifier, { fresh, signal: session.signal });
  if (customer === null) {
    session.printError(`Your bank has no customer with the ${Object.keys(identifier)[0]} ${name}.`);
    return EXIT.partial;
  }
  if (session.json) session.printJson(customer);
  else for (const line of alignPairs(customer)) session.print(line);
  return EXIT.ok;
}
