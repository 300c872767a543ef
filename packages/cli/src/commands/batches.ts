/** `peere batches`: the bank's newest batches, or one of them. */
import { PeereError, type Batch } from '@peere/client';
import type { Command } from 'commander';
import { alignPairs, alignRows } from '../terminal/tables.ts';
import { count } from '../terminal/words.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { wholeNumber } from './options.ts';
import type { Session } from './session.ts';

const SHOWN_BATCHES = 20;
const MAX_SHOWN_BATCHES = 1_000;

export function addBatches(program: Command, session: Session): void {
  program
    .command('batches')
    .summary('the newest batches, or one of them')
    .description('Lists the newest batches of your bank, or shows one of them.')
    .argument('[id]', 'id of a batch')
    .option('--limit <number>', 'batches to list', wholeNumber(MAX_SHOWN_BATCHES), SHOWN_BATCHES)
    .addHelpText(
      'after',
      `
Examples:
  peere batches --limit 5
  peere batches bat_01M88ZMR0RQ4M2ZJ8T5WPD6HNS

Exit codes: 0, or 1 if there is no batch with this id, 3 if the service could not be asked.`,
    )
    .action((id: string | undefined, { limit }: { limit: number }) =>
      session.run(() => (id === undefined ? listBatches(limit, session) : showBatch(id, session))),
    );
}

async function listBatches(limit: number, session: Session): Promise<ExitCode> {
  const batches: Batch[] = [];
  // A page of the service has at most 100 batches.
  const query = { limit: Math.min(limit, 100) };
  for await (const batch of session.impatientClient().listBatches(query, { signal: session.signal })) {
    batches.push(batch);
    if (batches.length === limit) break;
  }
  if (session.json) session.printJson(batches);
  else if (batches.length === 0) session.print('Your bank has sent no batch in the last 30 days.');
  else for (const line of alignRows(toTable(batches))) session.print(line);
  return EXIT.ok;
}

function toTable(batches: Batch[]): string[][] {
  const header = ['batch', 'status', 'rows', 'created', 'failed', 'accepted'];
  const rows = batches.map(({ batchId, status, summary, createdAt }) => [
    batchId,
    status,
    ...[summary.total, summary.successful, summary.failed].map(count),
    createdAt,
  ]);
  return [header, ...rows];
}

async function showBatch(id: string, session: Session): Promise<ExitCode> {
  try {
    const batch = await session.impatientClient().getBatch(id, { signal: session.signal });
    if (session.json) session.printJson(batch);
    else for (const line of alignPairs(toPairs(batch))) session.print(line);
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof PeereError) || error.code !== 'BATCH_NOT_FOUND') throw error;
    session.printError(`Your bank has no batch ${id}. Batches are kept for 30 days.`);
    return EXIT.partial;
  }
}

function toPairs({ batchId, status, summary, progress, failuresRemoved, createdAt, completedAt }: Batch) {
  return {
    batch: batchId,
    status,
    rows: count(summary.total),
    processed: `${count(progress.processed)} of ${count(progress.total)}`,
    created: count(summary.successful),
    duplicates: count(summary.duplicates),
    invalid: count(summary.invalidData),
    'failures removed': count(failuresRemoved),
    accepted: createdAt,
    completed: completedAt,
  };
}
