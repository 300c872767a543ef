/** `peere export`: writes every customer of the bank to a file. */
import { Option, type Command } from 'commander';
import { assertFree, exportCustomers, formatOf } from '../export/exporter.ts';
import type { ExportFormat, FieldSet } from '../export/format.ts';
import { StoppedError } from '../reading/errors.ts';
import { countRows } from '../terminal/words.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { Session } from './session.ts';

interface Options {
  format?: ExportFormat;
  fields?: FieldSet;
  force: boolean;
}

const CONTINUE = 'What was exported is safe; run the same command again to continue.';

export function addExport(program: Command, session: Session): void {
  program
    .command('export')
    .summary('write every customer to a file')
    .description('Writes every customer of your bank to a file, each with its phrase.')
    .argument('<file>', '.csv or .ndjson')
    .addOption(
      new Option('--format <format>', 'format of the file, if its name does not tell').choices([
        'csv',
        'ndjson',
      ]),
    )
    .addOption(
      new Option('--fields <fields>', 'which fields; as many as the API key shows by default').choices([
        'standard',
        'extended',
      ]),
    )
    .option('--force', 'overwrite the file if it exists', false)
    .addHelpText(
      'after',
      `
The file has its name only when it is whole; until then it is customers.csv.part, beside a
journal. If the export is interrupted, run the same command again to continue. Only you can
read the file (mode 0600).

Examples:
  peere export customers.csv
  peere export customers.ndjson --fields standard

Exit codes: 0 if every customer is in the file, 3 if the export could not begin or continue,
130 if it was interrupted.`,
    )
    .action((path: string, options: Options) =>
      session.run(
        () => runExport(path, options, session),
        (error) => (error === undefined || error instanceof StoppedError ? CONTINUE : undefined),
      ),
    );
}

async function runExport(path: string, options: Options, session: Session): Promise<ExitCode> {
  const { fields, force } = options;
  // What is wrong with the command line is said before the service is asked.
  const format = options.format ?? formatOf(path);
  assertFree(path, force);
  const request = { path, format, fields, force, ...(await session.greet()) };
  const summary = await exportCustomers(request, session.client(), session.reporter, session.signal);
  if (session.json) session.printJson(summary);
  else {
    session.print(`${countRows(summary.rows)} in ${path}. ${countRows(summary.rowsPerSecond)}/s.`);
  }
  return EXIT.ok;
}
