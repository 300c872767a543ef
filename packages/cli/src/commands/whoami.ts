/** `peere whoami`: whose API key is this, and what may it do? */
import type { Command } from 'commander';
import { alignPairs } from '../terminal/tables.ts';
import { count } from '../terminal/words.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { Session } from './session.ts';

export function addWhoami(program: Command, session: Session): void {
  program
    .command('whoami')
    .summary('the bank, scopes and limits of the API key')
    .description(
      'Shows the bank of the API key, the scopes and limits of the key, and how many customers there are.',
    )
    .addHelpText(
      'after',
      `
Examples:
  peere whoami
  peere whoami --json

Exit codes: 0 if the service knows the API key, 3 if not or if it can’t be reached.`,
    )
    .action(() => session.run(() => runWhoami(session)));
}

async function runWhoami(session: Session): Promise<ExitCode> {
  const bank = await session.impatientClient().getBank({ signal: session.signal });
  if (session.json) {
    session.printJson(bank);
    return EXIT.ok;
  }
  const { id, name, keyId, scopes, customerCount, limits } = bank;
  const rates = limits.rates.map((rate) => [rate.name, `${count(rate.limit)} in ${rate.seconds} s`]);
  const lines = alignPairs({
    bank: `${name} (${id})`,
    'API key': keyId,
    scopes: scopes.join(', '),
    customers: customerCount === null ? null : count(customerCount),
    batch: `${count(limits.batchRows)} rows, ${count(limits.batchBytes)} bytes`,
    'open batches': count(limits.openBatches),
    'failures a day': count(limits.failuresPerDay),
    ...Object.fromEntries(rates),
  });
  for (const line of lines) session.print(line);
  return EXIT.ok;
}
