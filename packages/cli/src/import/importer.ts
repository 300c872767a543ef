/**
 * An import: rows go out in batches, several under way at once, and what became of them is written down in their
 * order. Promise: every row ends in exactly one of the two files; stopped at any moment and run again, it goes on, and
 * no customer is sent twice.
 */
import { randomUUID } from 'node:crypto';
import { createClient } from '../../../client/src/client.ts';
import { Transport, type Fetch } from '../../../client/src/transport.ts';
import { cut, shareEmail, type RowBatch } from './row-batch.ts';
import { bringBatch, bringTo, rehearseWith, type Became, type Bring, type Service } from './submit.ts';
import { EmptyFile, FileChanged, ImportFault, ImportStopped } from '../reading/fault.ts';
import { fetchByHttp } from '../network/http.ts';
import { inspect } from './inspect.ts';
import { Journal } from './journal.ts';
import { lock } from '../files/lock.ts';
import { clearUp } from './memory.ts';
import { Outputs, writtenAt, type Written } from '../files/outputs.ts';
import { Progress } from '../terminal/progress.ts';
import type { Format } from '../reading/row.ts';
import { readTable } from '../reading/table.ts';
import { Repeats } from './repeats.ts';
import { findJournal, recognise } from './resume.ts';
import { openSource } from '../files/source.ts';
import { countRows } from '../terminal/words.ts';

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
  const service = await connect({ url, key, fetch: fetchByHttp }, terminal, signal);
  terminal.say(`Reading ${source.name} …`);
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
    const table = await readTable(inspected?.unchanged ?? source, plan.map);
    const told = tellIgnored(new Set([...(inspected?.ignored ?? []), ...table.ignored]), terminal);
    const outputs = new Outputs(stem, table, journal?.done.at(-1) ?? NOTHING_WRITTEN);
    if (input !== undefined) {
      const { map, batchRows } = plan;
      journal ??= Journal.begin(path, {
        id: randomUUID(),
        input,
        url,
        format: source.format,
        map,
        batchRows,
      });
    }
    const bring = options.dryRun ? rehearseWith(service) : bringAs(service, journal);
    const run = new Import(journal, bring, options, inspected?.rows, outputs, terminal);
    const rowsPerSecond = await run.run(cut(table.rows, plan.batchRows), signal, stop);
    // Keys of JSON from standard input are known only now.
    tellIgnored(new Set([...table.ignored].filter((name) => !told.has(name))), terminal);
    return summary(run, rowsPerSecond, false, stem);
  } catch (error) {
    // Its header is read again before any batch is under way.
    throw error instanceof FileChanged ? new ImportStopped(error, wasSent(journal)) : error;
  } finally {
    journal?.close();
    unlock();
  }
}

/** An import that has no journal is one that can't be gone on with: whatever its id is. */
function bringAs(service: Service, journal: Journal | undefined): Bring {
  return bringTo(service, journal?.beginning.id ?? randomUUID(), journal);
}

const wasSent = (journal: Journal | undefined) => journal?.firstBatchId !== undefined;

/** @param names of columns or keys that are of no field */
function tellIgnored(names: Set<string>, { say }: Reporter): Set<string> {
  if (names.size > 0) say(`Not sent: ${[...names].join(', ')}`);
  return names;
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

/** Somebody waits for it: an address where nothing answers is told in a second, or half a minute if it is silent. */
const FIRST_CONTACT = { retries: 2, timeoutMs: 10_000 };

/** A wrong address or key is told before a file of gigabytes has been read. */
async function connect(
  connection: { url: string; key: string; fetch: Fetch },
  { say }: Reporter,
  signal: AbortSignal,
): Promise<Service> {
  const service = { client: createClient(connection), transport: new Transport(connection) };
  say(`Connecting to ${new URL(connection.url).origin} …`);
  const first = createClient({ ...connection, ...FIRST_CONTACT });
  await first.listBatches({ limit: 1 }, { signal }).next();
  return service;
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
  readonly #repeats: Repeats | undefined;
  readonly #progress: Progress;
  created: number;
  failed: number;

  /** @param total rows of the file, where it is known */
  constructor(
    journal: Journal | undefined,
    bring: Bring,
    { concurrency, dryRun }: ImportOptions,
    total: number | undefined,
    outputs: Outputs,
    { say, stderr }: Reporter,
  ) {
    this.#journal = journal;
    this.#bring = bring;
    this.#concurrency = concurrency;
    this.#total = total;
    this.#outputs = outputs;
    this.#repeats = dryRun ? new Repeats(total) : undefined;
    ({ created: this.created, failed: this.failed } = totalOf(journal?.done ?? []));
    if (this.#done > 0) say(`Going on after ${countRows(this.#done)}.`);
    this.#progress = new Progress(stderr, this.#done);
  }

  /** @returns rows a second @throws ImportStopped */
  async run(batches: AsyncGenerator<RowBatch>, signal: AbortSignal, stop: AbortController): Promise<number> {
    try {
      await this.#bringAll(batches, signal, stop);
    } catch (error) {
      if (error instanceof EmptyFile) throw error;
      throw new ImportStopped(error, wasSent(this.#journal));
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

  /**
   * Several batches are under way at once; they are written down one by one, in their order. A batch that repeats an
   * email of one under way waits for it: of two rows with one email, the first of the file becomes the customer.
   */
  async #bringAll(
    batches: AsyncGenerator<RowBatch>,
    signal: AbortSignal,
    stop: AbortController,
  ): Promise<void> {
    const underWay: { batch: RowBatch; work: Promise<Became> }[] = [];
    const doneBefore = this.#journal?.done.length ?? 0;
    const settleOldest = async () => {
      const oldest = underWay.shift();
      if (oldest !== undefined) this.#write(oldest.batch, await oldest.work);
      clearUp();
      const share = this.#total === undefined ? undefined : this.#done / this.#total;
      this.#progress.show({ done: this.#done, failed: this.failed, share });
    };
    const settleAll = async () => {
      while (underWay.length > 0) await settleOldest();
    };
    try {
      for await (const batch of batches) {
        if (batch.number < doneBefore) continue;
        while (underWay.some((other) => shareEmail(other.batch, batch))) await settleOldest();
        const work = bringBatch(batch, this.#bring, signal);
        work.catch((error: unknown) => stop.abort(error));
        underWay.push({ batch, work });
        if (underWay.length >= this.#concurrency) await settleOldest();
      }
      await settleAll();
    } catch (error) {
      // What the file turned out to be does not concern the batches that are under way.
      if (error instanceof ImportFault && !signal.aborted) await settleAll().catch(() => undefined);
      stop.abort(error);
      await Promise.allSettled(underWay.map(({ work }) => work));
      // What ended it first: reading that was stopped says only that.
      throw signal.reason;
    }
  }

  /** Into the files, on the disk, and then into the journal. */
  #write(batch: RowBatch, became: Became): void {
    const { created, createdCount, failed } = this.#repeats?.judge(batch, became) ?? became;
    const sizes = this.#outputs.add(created, failed);
    this.created += createdCount;
    this.failed += failed.length;
    this.#journal?.finishBatch({
      done: batch.number,
      created: createdCount,
      failed: failed.length,
      ...sizes,
    });
  }
}
