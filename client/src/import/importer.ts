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
import { readTable } from './rows.ts';
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
  const source = await openSource(options.path, options.format, terminal.stdin);
  const { url, key } = options;
  const connection = { url, key, fetch: fetchByHttp };
  const service = { client: createClient(connection), transport: new Transport(connection) };
  await knock(service.client, signal);
  const stem = options.dryRun ? `${source.stem}.dry-run` : source.stem;
  const unlock = lock(`${stem}.import.lock`);
  try {
    const journal = await openJournal(options, source, `${stem}.import.ndjson`);
    try {
      const bring = options.dryRun
        ? rehearseWith(service)
        : bringTo(service, journal?.beginning.id ?? randomUUID(), journal);
      const run = new Import(source, journal, bring, options.concurrency, terminal);
      return await run.run(journal?.beginning ?? options, stem, signal);
    } finally {
      journal?.close();
    }
  } finally {
    unlock();
  }
}

/** A wrong address or key is told before a file of gigabytes has been read. */
async function knock(client: PeereClient, signal: AbortSignal): Promise<void> {
  await client.listBatches({ limit: 1 }, { signal }).next();
}

/** @returns undefined where there is nothing to go on with later: a dry run, or input that can't be read again */
async function openJournal(
  options: ImportOptions,
  source: Source,
  path: string,
): Promise<Journal | undefined> {
  if (options.dryRun || source.size === undefined) return undefined;
  const input = await inspect(source);
  const { url, map, batchRows } = options;
  const known = Journal.read(path);
  if (known?.beginning.input === input) {
    const { beginning } = known;
    if (beginning.url !== url) {
      throw new ImportFault(
        `The import of ${source.name} was begun at ${beginning.url}. Go on there, or move ${path} away to begin anew.`,
      );
    }
    if (map.length > 0 && String(map) !== String(beginning.map)) {
      throw new ImportFault(
        `The import of ${source.name} was begun with other columns. Leave --map out to go on with those, or move ${path} away to begin anew.`,
      );
    }
    return known;
  }
  if (known !== undefined && !known.finished) {
    throw new ImportFault(
      `${source.name} has changed since its import began. Put the old one back to finish it, or move ${path} away to begin anew.`,
    );
  }
  known?.close();
  return Journal.begin(path, { journal: 1, id: randomUUID(), input, url, map, batchRows });
}

/** Tells how far it is, and what there is to tell of the file. */
interface Reporter {
  say: (line: string) => void;
  stderr: NodeJS.WriteStream;
}

class Import {
  readonly #source: Source;
  readonly #journal: Journal | undefined;
  readonly #bring: Bring;
  readonly #concurrency: number;
  readonly #reporter: Reporter;
  #created = 0;
  #failed = 0;
  /** Bytes of the input that have been read. */
  #bytes = 0;

  constructor(
    source: Source,
    journal: Journal | undefined,
    bring: Bring,
    concurrency: number,
    reporter: Reporter,
  ) {
    this.#source = source;
    this.#journal = journal;
    this.#bring = bring;
    this.#concurrency = concurrency;
    this.#reporter = reporter;
    for (const { created, failed } of journal?.done ?? []) {
      this.#created += created;
      this.#failed += failed;
    }
  }

  async run({ map, batchRows }: Plan, stem: string, signal: AbortSignal): Promise<Imported> {
    const table = await readTable(this.#source, map, (bytes) => (this.#bytes = bytes));
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
      const share = this.#source.size === undefined ? undefined : this.#bytes / this.#source.size;
      progress.show({ done: this.#done, failed: this.#failed, share });
    };
    try {
      for await (const batch of batches) {
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
