/** `peere reconcile`: do the bank's own file and the directory agree? */
import type { Command } from 'commander';
import { openSource } from '../files/source.ts';
import { reconcileFile, type ReconcileSummary } from '../reconcile/reconciler.ts';
import { CommandError, StoppedError } from '../reading/errors.ts';
import { KNOWN_CUSTOMER } from '../reading/fields.ts';
import type { Format } from '../reading/row.ts';
import { count, countRows } from '../terminal/words.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { formatOption, mapOption } from './options.ts';
import type { Session } from './session.ts';

interface Options {
  format?: Format;
  map: string[];
  apply: boolean;
  force: boolean;
}

const CONTINUE = 'Nothing is lost; run the same command again to go on.';

export function addReconcile(program: Command, session: Session): void {
  program
    .command('reconcile')
    .summary('compare a file with the directory')
    .description(
      'Compares your own file with the directory by email, in the fields that both have. Needs an API key with the scope customers:read:extended.',
    )
    .argument('<file>', '.csv, .ndjson or .json, optionally with .gz')
    .addOption(formatOption())
    .addOption(mapOption(KNOWN_CUSTOMER.names))
    .option('--apply', 'create what is missing and update what differs; nothing is erased', false)
    .option('--force', 'overwrite the files of an earlier comparison', false)
    .addHelpText(
      'after',
      `
Writes up to three files beside customers.csv: customers.missing.csv has the rows that are not
in the directory, and can be imported; customers.extra.csv has the customers that are not in the
file; customers.changed.csv has those that differ, with the names and both values of the fields.

--apply imports customers.missing.csv, and updates the fields that differ and can be updated, each
customer only if nobody else has changed it. It erases no customer, an empty cell clears no field,
and country and gender can’t be updated.

Examples:
  peere reconcile customers.csv
  peere reconcile customers.csv --apply
  peere reconcile customers.csv --json --force

Exit codes: 0 if the file and the directory agree, 1 if not, 3 if they could not be compared,
130 if it was interrupted.`,
    )
    .action((path: string, options: Options) =>
      session.run(
        () => runReconcile(path, options, session),
        (error) => (error === undefined || error instanceof StoppedError ? CONTINUE : undefined),
      ),
    );
}

async function runReconcile(path: string, options: Options, session: Session): Promise<ExitCode> {
  const { format, ...rest } = options;
  if (path === '-') {
    throw new CommandError('Standard input can’t be compared, because it is read twice: name a file.');
  }
  // A file that is not there is named before the service is asked.
  const source = await openSource(path, format, process.stdin, session.signal);
  const connection = session.connection();
  const request = { source, ...rest, connection, ...(await session.greet()) };
  const terminal = { stdin: process.stdin, ...session.reporter };
  const summary = await reconcileFile(request, session.client(), terminal, session.signal);
  if (session.json) session.printJson(summary);
  else for (const line of describe(summary)) session.print(line);
  return summary.agrees ? EXIT.ok : EXIT.partial;
}

function describe(summary: ReconcileSummary): string[] {
  const { rows, customers, equal, missing, changed, extra, refused, files, applied, agrees } = summary;
  const found = [
    `${count(equal)} agree`,
    `${count(missing)} missing in the directory`,
    `${count(changed)} differ`,
    ...(refused === 0 ? [] : [`${count(refused)} can’t be compared`]),
  ];
  const lines = [
    `${countRows(rows)} and ${count(customers)} customers: ${found.join(', ')}, ${count(extra)} ${extra === 1 ? 'customer' : 'customers'} not in the file.`,
  ];
  if (files.missing !== undefined) lines.push(`  ${files.missing}  rows that are not in the directory`);
  if (files.extra !== undefined) lines.push(`  ${files.extra}  customers that are not in the file`);
  if (files.changed !== undefined)
    lines.push(`  ${files.changed}  customers that differ, and in which fields`);
  if (applied !== undefined) {
    const { created, updated, failed, kept } = applied;
    lines.push(
      `Applied: ${count(created)} created, ${count(updated)} updated, ${count(failed)} failed, ${count(kept)} with a difference that is kept.`,
    );
  }
  if (agrees) lines.push('The file and the directory agree.');
  return lines;
}
