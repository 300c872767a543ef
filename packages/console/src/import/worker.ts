/**
 * The Web Worker of the console: reads a file and sends it, by the code of the command-line tool, so that the page stays
 * quick. It keeps nothing itself: the page records what was accepted.
 */
import { createClient } from '@peere/client';
import { CONCURRENCY } from '../../../cli/src/batches/defaults.ts';
import { Repeats } from '../../../cli/src/batches/repeats.ts';
import { splitIntoBatches, type RowBatch } from '../../../cli/src/batches/row-batch.ts';
import { runBatches } from '../../../cli/src/batches/run.ts';
import { dryRunBatches, submitBatches, type SubmitBatch } from '../../../cli/src/batches/submit.ts';
import type { Format, Input, Table } from '../../../cli/src/reading/row.ts';
import { readTable } from '../../../cli/src/reading/table.ts';
import { toFault } from '../ui/errors.ts';
import { Gate } from './gate.ts';
import type { Command, Plan, Report } from './plan.ts';
import { ResultCollector } from './result.ts';
import { countFile, inOwnWords, openFile, toInput } from './source.ts';

/** The global scope of a dedicated worker, whose types would contradict those of a page. */
interface WorkerScope {
  location: Location;
  postMessage: (report: Report) => void;
  addEventListener: (type: 'message', listener: (event: MessageEvent<Command>) => void) => void;
}
const scope = globalThis as unknown as WorkerScope;
const report = (message: Report) => scope.postMessage(message);

let chosen: { file: File; format: Format | undefined } | undefined;
const gate = new Gate();

function inputOf({ format }: { format: Format | undefined }): Input {
  if (chosen === undefined) throw new Error('no file has been chosen');
  return toInput(chosen.file, format);
}

async function open(file: File, format: Format | undefined): Promise<void> {
  chosen = { file, format };
  const input = inputOf(chosen);
  report({ type: 'opened', ...(await openFile(input)) });
  report({ type: 'counted', ...(await countFile(file, input)) });
}

/** The keys of JSON are fields by their names; CSV has a column for each. */
function readRows({ format, columns }: Plan): Promise<Table> {
  return readTable(inputOf({ format }), format === 'csv' ? new Map(columns) : []);
}

async function* whileOpen(batches: AsyncIterable<RowBatch>): AsyncGenerator<RowBatch> {
  for await (const batch of batches) {
    await gate.passed();
    yield batch;
  }
}

async function process(plan: Plan, submit: SubmitBatch, repeats: Repeats | undefined): Promise<void> {
  const table = await readRows(plan);
  const result = new ResultCollector(table);
  const stop = new AbortController();
  const batches = whileOpen(splitIntoBatches(table.rows, plan.batchRows));
  await runBatches(
    batches,
    {
      doneBefore: 0,
      submit,
      concurrency: CONCURRENCY,
      finish: (batch, outcome) => {
        result.add(repeats?.addTo(batch, outcome) ?? outcome);
        report({ type: 'progress', created: result.created, failed: result.failed });
      },
    },
    stop.signal,
    stop,
  );
  report({ type: 'finished', ...result.toResult(table.ignored) });
}

const clientOf = (key: string) => createClient({ url: scope.location.origin, key });

/** A batch that was accepted before is not sent again: its results are read again, and so both files are whole. */
function sendTo(key: string, importId: string, known: [number, string][]): SubmitBatch {
  const accepted = new Map(known);
  return submitBatches(clientOf(key), importId, {
    batchIdOf: (batch) => accepted.get(batch),
    accept: (batch, batchId) => report({ type: 'accepted', batch, batchId }),
  });
}

function obey(command: Command): Promise<void> | void {
  if (command.type === 'open') return open(command.file, command.format);
  if (command.type === 'check')
    return process(command.plan, dryRunBatches(clientOf(command.key)), new Repeats());
  if (command.type === 'send')
    return process(command.plan, sendTo(command.key, command.importId, command.accepted), undefined);
  if (command.type === 'pause') gate.close();
  else gate.open();
}

scope.addEventListener('message', ({ data }) => {
  Promise.resolve(obey(data)).catch((error: unknown) =>
    report({ type: 'failed', fault: toFault(inOwnWords(error, chosen?.file.name ?? '')) }),
  );
});
