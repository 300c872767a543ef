/**
 * Imports a file. Promise: every row ends in exactly one of the two output files; interrupted at any moment and run
 * again, the import continues, and no customer is created twice.
 */
import { randomUUID } from 'node:crypto';
import { createClient, type Fetch, type PeereClient } from '@peere/client';
import { Repeats } from '../batches/repeats.ts';
import { splitIntoBatches } from '../batches/row-batch.ts';
import { dryRunBatches, submitBatches } from '../batches/submit.ts';
import { acquireLock } from '../files/lock.ts';
import { existingOutputs, Outputs, type OutputPaths } from '../files/outputs.ts';
import { openSource, type Source } from '../files/source.ts';
import { fetchByHttp } from '../network/http.ts';
import type { Format } from '../reading/row.ts';
import { readTable } from '../reading/table.ts';
import { ImportRun, ImportStoppedError, totalOf, type Counts, type Reporter } from './import-run.ts';
import { FileChangedError, inspect } from '../files/inspect.ts';
import { Journal } from './journal.ts';
import { collectGarbage, COLLECT_EVERY_ROWS, keepMemorySmall } from '../files/memory.ts';
import { assertSameBank, findJournal } from './resume.ts';

/** Determines which rows are in which batch, and stays the same when an import continues. */
interface Plan {
  map: string[];
  batchRows: number;
}

export interface ImportOptions extends Plan {
  path: string;
  url: string;
  key: string;
  format: Format | undefined;
  dryRun: boolean;
  /** Batches under way at the same time. */
  concurrency: number;
}

export interface Terminal extends Reporter {
  stdin: NodeJS.ReadStream;
}

export interface ImportSummary extends Counts, OutputPaths {
  /** In this run. */
  rowsPerSecond: number;
  /** An earlier run had finished the import: this one did nothing. */
  wasFinished: boolean;
}

/** @throws CommandError, ImportStoppedError, PeereError */
export async function importFile(
  options: ImportOptions,
  terminal: Terminal,
  outer: AbortSignal,
): Promise<ImportSummary> {
  keepMemorySmall();
  const stop = new AbortController();
  const signal = AbortSignal.any([outer, stop.signal]);
  const { url, key } = options;
  const source = await openSource(options.path, options.format, terminal.stdin, signal);
  const connection = { url, key, fetch: fetchByHttp };
  // Refuses a malformed URL or API key.
  const client = createClient(connection);
  terminal.log(`Connecting to ${new URL(url).origin} …`);
  await checkConnection(connection, signal);
  terminal.log(`Reading ${source.name} …`);
  const stem = options.dryRun ? `${source.stem}.dry-run` : source.stem;
  const releaseLock = acquireLock(`${stem}.import.lock`, 'imported');
  try {
    return await importLocked(options, { source, stem, client, terminal, signal, stop });
  } finally {
    releaseLock();
  }
}

interface Context {
  source: Source;
  /** Path of the outputs without their extensions. */
  stem: string;
  client: PeereClient;
  terminal: Terminal;
  signal: AbortSignal;
  stop: AbortController;
}

async function importLocked(options: ImportOptions, context: Context): Promise<ImportSummary> {
  const { source, stem, client, terminal, signal, stop } = context;
  const { url, dryRun, concurrency } = options;
  const journalPath = `${stem}.import.ndjson`;
  let journal: Journal | undefined;
  try {
    const inspection = source.isRereadable ? await inspect(source) : undefined;
    // A dry run has nothing to continue, and neither has input that can't be read again.
    const input = dryRun ? undefined : inspection?.fingerprint;
    journal = input === undefined ? undefined : findJournal(options, source, journalPath, input);
    if (journal?.finished) return summarise(totalOf(journal.done), 0, true, stem);
    if (journal?.firstBatchId !== undefined) await assertSameBank(client, journal.firstBatchId, signal);
    const { map, batchRows } = journal?.beginning ?? options;
    const table = await readTable(inspection?.unchanged ?? source, map);
    const reported = reportIgnored(new Set([...(inspection?.ignored ?? []), ...table.ignored]), terminal);
    for (const { header, fields } of table.shared)
      terminal.log(`"${header}" is sent as ${fields.join(' and ')}`);
    const outputs = new Outputs(stem, table, journal?.done.at(-1) ?? NOTHING_WRITTEN);
    if (input !== undefined) {
      const beginning = { id: randomUUID(), input, url, format: source.format, map, batchRows };
      journal ??= Journal.begin(journalPath, beginning);
    }
    // Without a journal the import can't be continued, so any id does.
    const importId = journal?.beginning.id ?? randomUUID();
    const submit = dryRun ? dryRunBatches(client) : submitBatches(client, importId, journal);
    const totalRows = inspection?.rows;
    const repeats = dryRun ? new Repeats(totalRows) : undefined;
    const run = new ImportRun({ journal, submit, outputs, repeats, totalRows, concurrency }, terminal);
    const rowsPerSecond = await run.run(
      splitIntoBatches(table.rows, batchRows, collectNowAndThen),
      signal,
      stop,
    );
    // The keys of JSON from standard input are only known now.
    reportIgnored(new Set([...table.ignored].filter((name) => !reported.has(name))), terminal);
    return summarise(run, rowsPerSecond, false, stem);
  } catch (error) {
    // The header is read again before any batch is under way.
    throw error instanceof FileChangedError ? new ImportStoppedError(error, journal) : error;
  } finally {
    journal?.close();
  }
}

/** While a batch is read. */
function collectNowAndThen(rowCount: number): void {
  if (rowCount % COLLECT_EVERY_ROWS === 0) collectGarbage();
}

/** @param names of columns or keys that belong to no field */
function reportIgnored(names: Set<string>, { log }: Reporter): Set<string> {
  if (names.size > 0) log(`Not sent: ${[...names].join(', ')}`);
  return names;
}

const NOTHING_WRITTEN = { phrasesBytes: 0, failuresBytes: 0 };

function summarise(
  { created, failed }: Counts,
  rowsPerSecond: number,
  wasFinished: boolean,
  stem: string,
): ImportSummary {
  return { created, failed, rowsPerSecond, wasFinished, ...existingOutputs(stem) };
}

/** Somebody is waiting: an unreachable service is reported within a second, or within half a minute if it is silent. */
const FIRST_CALL = { retries: 2, timeoutMs: 10_000 };

/** Calls the service once, so that a wrong URL or API key is reported before gigabytes have been read. */
async function checkConnection(
  connection: { url: string; key: string; fetch: Fetch },
  signal: AbortSignal,
): Promise<void> {
  const client = createClient({ ...connection, ...FIRST_CALL });
  await client.listBatches({ limit: 1 }, { signal }).next();
}
