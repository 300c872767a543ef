/** `peere payee`: who gets a payment, at whatever bank? */
import type { Command } from 'commander';
import { alignPairs } from '../terminal/tables.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { Session } from './session.ts';

export function addPayee(program: Command, session: Session): void {
  program
    .command('payee')
    .summary('find out who is behind a phrase, at whatever bank')
    .description(
      'Finds out who is behind a phrase, at whatever bank. Needs an API key with the scope network:resolve.',
    )
    .argument('<phrase>', 'the four words that the payer was told')
    .addHelpText(
      'after',
      `
Each unknown phrase counts for your bank, which may name a limited number of them in a day.

Examples:
  peere payee river-stone-ocean-coral
  peere payee river-stone-ocean-coral --json

Exit codes: 0 if somebody has the phrase, 1 if nobody has it, 3 if the service could not be asked.`,
    )
    .action((phrase: string) => session.run(() => runPayee(phrase, session)));
}

async function runPayee(phrase: string, session: Session): Promise<ExitCode> {
  const payee = await session.impatientClient().resolvePayee(phrase, { signal: session.signal });
  if (payee === null) {
    session.printError(`Nobody has the phrase ${phrase}.`);
    return EXIT.partial;
  }
  if (session.json) session.printJson(payee);
  else for (const line of alignPairs(payee)) session.print(line);
  return EXIT.ok;
}
