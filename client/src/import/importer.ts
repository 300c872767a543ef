/**
 * An import: rows go out in batches, several under way at once, and what became of them is written down in their
 * order. Promise: every row ends in exactly one of the two files; stopped at any moment and run again, it goes on, and
 * no customer is sent twice.
 */
import { randomUUID } from 'node:crypto';
import { createClient, PeereError, type PeereClient } from '../client.ts';
import { Transport } from '../transport.ts';
import { cut, type RowBatch } from './batches.ts';
import { bringBatch, bringTo, rehearseWith, type Became, type Bring } from './bring.ts';
import { ImportFault } from './fault.ts';
import { fetchByHttp } from './http.ts';
import { Journal } from './journal.ts';
import { lock } from './lock.ts';
import { clearUp } from './memory.ts';
import { Outputs, writtenAt, type Written } from './outputs.ts';
import { Progress } from './progress.ts';
import { inspect, readTable } from './rows.ts';
import { openSource, type Format, type Source } from './source.ts';

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

export interface Imported extends Written {
  created: number;
  failed: number;
  /** Of this run. */
  rowsPerSecond: number;
  /** An earlier run had finished it: nothing was done. */
  already: boolean;
}

export async function importFile(
  options: ImportOptions,
  terminal: Terminal,
  outer: AbortSignal,
): Promise<Imported> {
  // A batch that fails ends everything else that is under way, reading included.
  const stop = new AbortController();
  const signal = AbortSignal.any([outer, stop.signal]);
  const { url, key } = options;
  const source = await openSource(options.path, options.format, terminal.stdin, signal);
  const connection = { url, key, fetch: fetchByHttp };
  const service = { client: createClient(connection), transport: new Transport(connection) };
  await knock(service.client, signal);
  const stem = options.dryRun ? `${source.stem}.dry-run` : source.stem;
  const unlock = lock(`${stem}.import.lock`);
  let journal: Journal | undefined;
  try {
    const path = `${stem}.import.ndjson`;
    const inspected = source.again ? await inspect(source) : undefined;
    // There is nothing to go on with after a dry run, or with input that can't be read again.
    const input = options.dryRun ? undefined : inspected?.fingerprint;
    journal = input === undefined ? undefined : findJournal(options, source, path, input);
    if (journal?.finished) return summary(totalOf(journal.done), 0, true, stem);
    if (journal?.firstBatchId !== undefined) await recognise(service.client, journal.firstBatchId, signal);
    const plan = journal?.beginning ?? options;
    const table = await readTable(source, plan.map);
    if (table.ignored.length > 0) terminal.say(`Not sent: ${table.ignored.join(', ')}`);
    const outputs = new Outputs(stem, table.headers, journal?.done.at(-1) ?? NOTHING_WRITTEN);
    if (input !== undefined) {
      const { map, batchRows } = plan;
      journal ??= Journal.begin(path, { journal: 1, id: randomUUID(), input, url, map, batchRows });
    }
    const bring = options.dryRun
      ? rehearseWith(service)
      : bringTo(service, journal?.beginning.id ?? randomUUID(), journal);
    const run = new Import(journal, bring, options.concurrency, inspected?.rows, outputs, terminal);
    const rowsPerSecond = await run.run(cut(table.rows, plan.batchRows), signal, stop);
    return summary(run, rowsPerSecond, false, stem);
  } finally {
    journal?.close();
    unlock();
  }
}

const NOTHING_WRITTEN = { phrasesBytes: 0, failuresBytes: 0 };

interface Counts {
  created: number;
  failed: number;
}

function totalOf(batches: readonly Counts[]): Counts {
  const sum = (count: keyof Counts) => batches.reduce((total, batch) => total + batch[count], 0);
  return { created: sum('created'), failed: sum('failed') };
}

function summary(
  { created, failed }: Counts,
  rowsPerSecond: number,
  already: boolean,
  stem: string,
): Imported {
  return { created, failed, rowsPerSecond, already, ...writtenAt(stem) };
}

/** @throws ImportFault where the key is not of the bank whose import it is */
async function recognise(client: PeereClient, batchId: string, signal: AbortSignal): Promise<void> {
  try {
    await client.getBatch(batchId, { signal });
  } catch (error) {
    if (!(error instanceof PeereError) || error.code !== 'BATCH_NOT_FOUND') throw error;
    throw new ImportFault(
      'This import was begun with a key of another bank, or more than 30 days ago, when the service forgets what became of a batch. Use that bank’s key, or move the journal away to begin anew.',
    );
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
  const refuse = (why: string, mend: string) => {
    known.close();
    return new ImportFault(`${why} ${mend}, or move ${path} away to begin anew.`);
  };
  if (beginning.input !== input) {
    // Of another file of this name that was imported, or of one that was mended before anything of it was sent.
    const isOver = finished || (known.firstBatchId === undefined && known.done.length === 0);
    if (!isOver) {
      throw refuse(`${source.name} has changed since its import began.`, 'Put the old one back to finish it');
    }
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

class Import implements Counts {
  readonly #journal: Journal | undefined;
  readonly #bring: Bring;
  readonly #concurrency: number;
  readonly #total: number | undefined;
  readonly #outputs: Outputs;
  readonly #progress: Progress;
  created: number;
  failed: number;

  /** @param total rows of the file, where it is known */
  constructor(
    journal: Journal | undefined,
    bring: Bring,
    concurrency: number,
    total: number | undefined,
    outputs: Outputs,
    { say, stderr }: Reporter,
  ) {
    this.#journal = journal;
    this.#bring = bring;
    this.#concurrency = concurrency;
    this.#total = total;
    this.#outputs = outputs;
    ({ created: this.created, failed: this.failed } = totalOf(journal?.done ?? []));
    if (this.#done > 0) say(`Going on after ${this.#done.toLocaleString('en')} rows.`);
    this.#progress = new Progress(stderr, this.#done);
  }

  /** @returns rows a second */
  async run(batches: AsyncGenerator<RowBatch>, signal: AbortSignal, stop: AbortController): Promise<number> {
    try {
      await this.#bringAll(batches, signal, stop);
    } finally {
      this.#progress.end();
      this.#outputs.close();
    }
    this.#journal?.finish();
    return this.#progress.rate(this.#done);
  }

  get #done(): number {
    return this.created + this.failed;
  }

  /** Several batches are under way at once; they are written down one by one, in their order. */
  async #bringAll(
    batches: AsyncGenerator<RowBatch>,
    signal: AbortSignal,
    stop: AbortController,
  ): Promise<void> {
    const underWay: Promise<() => void>[] = [];
    const doneBefore = this.#journal?.done.length ?? 0;
    const settleOldest = async () => {
      (await underWay.shift())?.();
      clearUp();
      const share = this.#total === undefined ? undefined : this.#done / this.#total;
      this.#progress.show({ done: this.#done, failed: this.failed, share });
    };
    try {
      for await (const batch of batches) {
        if (batch.number < doneBefore) continue;
        const work = bringBatch(batch, this.#bring, signal).then(
          (became) => () => this.#write(batch.number, became),
        );
        work.catch((error: unknown) => stop.abort(error));
        underWay.push(work);
        if (underWay.length >= this.#concurrency) await settleOldest();
      }
      while (underWay.length > 0) await settleOldest();
    } catch (error) {
      stop.abort(error);
      await Promise.allSettled(underWay);
      // What ended it first: reading that was stopped says only that.
      throw signal.reason;
    }
  }

  /** Into the files, on the disk, and then into the journal. */
  #write(batch: number, { created, createdCount, failed }: Became): void {
    const sizes = this.#outputs.add(created, failed);
    this.created += createdCount;
    this.failed += failed.length;
    this.#journal?.finishBatch({ done: batch, created: createdCount, failed: failed.length, ...sizes });
  }
}
