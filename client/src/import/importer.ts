/**
 * An import: rows go out in batches, several under way at once, and what became of them is written down in their
 * order. Promise: every row ends in exactly one of the two files; stopped at any moment and run again, it goes on, and
 * no customer is sent twice.
 */
import { randomUUID } from 'node:crypto';
import { createClient, type PeereClient } from '../client.ts';
import { Transport } from '../transport.ts';
import { cut, type RowBatch } from './batches.ts';
import { bringBatch, bringTo, rehearseWith, type Became, type Bring } from './bring.ts';
import { ImportFault } from './fault.ts';
import { fetchByHttp } from './http.ts';
import { Journal } from './journal.ts';
import { lock } from './lock.ts';
import { clearUp } from './memory.ts';
import { Outputs } from './outputs.ts';
import { Progress } from './progress.ts';
import { readTable, type Table } from './rows.ts';
import { inspect, openSource, type Format, type Source } from './source.ts';

/** What decides which rows are in which batch: the same whenever an import goes on. */
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
  /** Batches under way at once. */
  concurrency: number;
}

export interface Terminal extends Reporter {
  stdin: NodeJS.ReadStream;
}

export interface Imported {
  created: number;
  failed: number;
  /** Of this run. */
  rowsPerSecond: number;
  phrases: string | undefined;
  failures: string | undefined;
  /** An earlier run had finished it: nothing was done. */
  already: boolean;
}

export async function importFile(
  options: ImportOptions,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<Imported> {
  const { url, key } = options;
  const source = await openSource(options.path, options.format, terminal.stdin);
  const connection = { url, key, fetch: fetchByHttp };
  const service = { client: createClient(connection), transport: new Transport(connection) };
  await knock(service.client, signal);
  const stem = options.dryRun ? `${source.stem}.dry-run` : source.stem;
  const unlock = lock(`${stem}.import.lock`);
  let journal: Journal | undefined;
  try {
    const path = `${stem}.import.ndjson`;
    // There is nothing to go on with after a dry run, or with input that can't be read again.
    const input = options.dryRun || source.size === undefined ? undefined : await inspect(source);
    journal = input === undefined ? undefined : findJournal(options, source, path, input);
    const plan = journal?.beginning ?? options;
    const read = { bytes: 0 };
    // A column that is missing is told before there is a journal that would hold on to it.
    const table = await readTable(source, plan.map, (bytes) => (read.bytes = bytes));
    if (input !== undefined) {
      const { map, batchRows } = plan;
      journal ??= Journal.begin(path, { journal: 1, id: randomUUID(), input, url, map, batchRows });
    }
    const bring = options.dryRun
      ? rehearseWith(service)
      : bringTo(service, journal?.beginning.id ?? randomUUID(), journal);
    const share = () => (source.size === undefined ? undefined : read.bytes / source.size);
    const run = new Import(journal, bring, options.concurrency, share, terminal);
    return await run.run(table, plan.batchRows, stem, signal);
  } finally {
    journal?.close();
    unlock();
  }
}

/** A wrong address or key is told before a file of gigabytes has been read. */
async function knock(client: PeereClient, signal: AbortSignal): Promise<void> {
  await client.listBatches({ limit: 1 }, { signal }).next();
}

/**
 * The journal of an import of this very input that was begun before; undefined where there is none.
 * @throws ImportFault where it was begun otherwise than it should go on
 */
function findJournal(
  { url, map }: ImportOptions,
  source: Source,
  path: string,
  input: string,
): Journal | undefined {
  const known = Journal.read(path);
  if (known === undefined) return undefined;
  const { beginning, finished } = known;
  const isOther = beginning.input !== input;
  const refuse = (why: string, mend: string) => {
    known.close();
    return new ImportFault(`${why} ${mend}, or move ${path} away to begin anew.`);
  };
  if (isOther && !finished) {
    throw refuse(`${source.name} has changed since its import began.`, 'Put the old one back to finish it');
  }
  if (isOther) {
    known.close();
    return undefined;
  }
  if (beginning.url !== url) {
    throw refuse(`The import of ${source.name} was begun at ${beginning.url}.`, 'Go on there');
  }
  if (map.length > 0 && String(map) !== String(beginning.map)) {
    throw refuse(
      `The import of ${source.name} was begun with other columns.`,
      'Leave --map out to go on with those',
    );
  }
  return known;
}

/** Tells how far it is, and what there is to tell of the file. */
interface Reporter {
  say: (line: string) => void;
  stderr: NodeJS.WriteStream;
}

class Import {
  readonly #journal: Journal | undefined;
  readonly #bring: Bring;
  readonly #concurrency: number;
  readonly #share: () => number | undefined;
  readonly #reporter: Reporter;
  #created = 0;
  #failed = 0;
  /** Rows that have been read. */
  #read = 0;

  /** @param share how much of the input has been read, 0 to 1 */
  constructor(
    journal: Journal | undefined,
    bring: Bring,
    concurrency: number,
    share: () => number | undefined,
    reporter: Reporter,
  ) {
    this.#journal = journal;
    this.#bring = bring;
    this.#concurrency = concurrency;
    this.#share = share;
    this.#reporter = reporter;
    for (const { created, failed } of journal?.done ?? []) {
      this.#created += created;
      this.#failed += failed;
    }
  }

  async run(table: Table, batchRows: number, stem: string, signal: AbortSignal): Promise<Imported> {
    const last = this.#journal?.done.at(-1);
    const outputs = new Outputs(stem, table.headers, last ?? { phrasesBytes: 0, failuresBytes: 0 });
    if (this.#journal?.finished) return this.#summary(outputs, 0, true);
    if (table.ignored.length > 0) this.#reporter.say(`Not sent: ${table.ignored.join(', ')}`);
    if (last !== undefined) this.#reporter.say(`Going on after ${this.#done.toLocaleString('en')} rows.`);
    const progress = new Progress(this.#reporter.stderr, this.#done);
    try {
      await this.#bringAll(cut(table.rows, batchRows), outputs, progress, signal);
    } finally {
      progress.end();
    }
    this.#journal?.finish();
    return this.#summary(outputs, progress.rate(this.#done), false);
  }

  get #done(): number {
    return this.#created + this.#failed;
  }

  #summary(outputs: Outputs, rowsPerSecond: number, already: boolean): Imported {
    return { created: this.#created, failed: this.#failed, rowsPerSecond, already, ...outputs.close() };
  }

  /** Several batches are under way at once; they are written down one by one, in their order. */
  async #bringAll(
    batches: AsyncGenerator<RowBatch>,
    outputs: Outputs,
    progress: Progress,
    outer: AbortSignal,
  ): Promise<void> {
    const stop = new AbortController();
    const signal = AbortSignal.any([outer, stop.signal]);
    const underWay: Promise<() => void>[] = [];
    const doneBefore = this.#journal?.done.length ?? 0;
    const settleOldest = async () => {
      (await underWay.shift())?.();
      clearUp();
      // What has been read is ahead of what is done.
      const share = this.#share();
      const done = share && (share * this.#done) / this.#read;
      progress.show({ done: this.#done, failed: this.#failed, share: done });
    };
    try {
      for await (const batch of batches) {
        this.#read = batch.firstRow + batch.rowCount - 1;
        if (batch.number < doneBefore) continue;
        const work = bringBatch(batch, this.#bring, signal).then(
          (became) => () => this.#write(batch.number, became, outputs),
        );
        // It is asked for in its turn; until then its failure is nobody's.
        work.catch(() => undefined);
        underWay.push(work);
        if (underWay.length >= this.#concurrency) await settleOldest();
      }
      while (underWay.length > 0) await settleOldest();
    } catch (error) {
      stop.abort(error);
      await Promise.allSettled(underWay);
      throw error;
    }
  }

  /** Into the files, on the disk, and then into the journal. */
  #write(batch: number, { created, failed }: Became, outputs: Outputs): void {
    const sizes = outputs.add(created, failed);
    this.#created += created.length;
    this.#failed += failed.length;
    this.#journal?.finishBatch({ done: batch, created: created.length, failed: failed.length, ...sizes });
  }
}
