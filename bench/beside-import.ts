/** Lookups of one bank while another one imports: how much slower they get, and how much slower the import is for them. */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { deliverBatch, newCustomers, post } from './batches.ts';
import { authorized, IMPORTING_BANK } from './data.ts';
import type { Measured } from './load.ts';
import type { LookupStart } from './lookup-thread.ts';
import type { BenchServer } from './servers.ts';

const BATCH_ROWS = 10_000;
/** Batches that are accepted, and then applied, in each measurement. */
const BATCHES = 2;
const IDLE_MS = 1_500;

type LookupLoad = LookupStart['load'];
type LookupSpeed = Pick<Measured, 'rate' | 'p50' | 'p99'>;

/** Lookups in a thread of their own. */
export class Lookups {
  readonly #thread = new Worker(fileURLToPath(new URL('lookup-thread.ts', import.meta.url).href));
  readonly #url: string;

  constructor({ url }: BenchServer) {
    this.#url = url.href;
  }

  /** Sends lookups for as long as `work` takes. */
  async during<Result>(load: LookupLoad, work: () => Promise<Result>): Promise<[LookupSpeed, Result]> {
    this.#thread.postMessage({ url: this.#url, load } satisfies LookupStart);
    const result = await work();
    this.#thread.postMessage(null);
    const [speed] = (await once(this.#thread, 'message')) as [LookupSpeed];
    return [speed, result];
  }

  async close(): Promise<void> {
    await this.#thread.terminate();
  }
}

/** No other part of the bench uses seeds from this on. */
let nextSeed = 1_000_000;

function generateBatches(): unknown[][] {
  return Array.from({ length: BATCHES }, () => {
    nextSeed += 1;
    return newCustomers(BATCH_ROWS, nextSeed);
  });
}

/** Customers per second, and the batches in the order of their acceptance. */
interface Accepted {
  rate: number;
  batchIds: string[];
}

/** Posts batches one after the other. */
async function acceptAll(server: BenchServer, batches: unknown[][]): Promise<Accepted> {
  const startedAt = performance.now();
  const batchIds: string[] = [];
  for (const [index, customers] of batches.entries()) {
    const { batchId } = await post(server, customers, authorized('importer', index));
    batchIds.push(batchId);
  }
  return { rate: (BATCH_ROWS * BATCHES * 1_000) / (performance.now() - startedAt), batchIds };
}

/** Applies batches one after the other, and returns the customers per second. */
async function applyAll(server: BenchServer, batchIds: string[], consumers: number): Promise<number> {
  const startedAt = performance.now();
  for (const batchId of batchIds) await deliverBatch(server, IMPORTING_BANK, batchId, consumers);
  return (BATCH_ROWS * BATCHES * 1_000) / (performance.now() - startedAt);
}

export interface BesideImport {
  idle: LookupSpeed;
  accept: LookupSpeed;
  apply: LookupSpeed;
  /** Customers per second, without lookups and beside them. */
  imported: Record<'accept' | 'apply', { alone: number; beside: number }>;
}

/**
 * @param consumers how many events of the queue run at once
 */
export async function measureBesideImport(
  server: BenchServer,
  lookups: Lookups,
  load: LookupLoad,
  consumers: number,
): Promise<BesideImport> {
  const [first, second] = [generateBatches(), generateBatches()];
  const [idle] = await lookups.during(load, () => pause(IDLE_MS));
  const alone = await acceptAll(server, first);
  const [accept, beside] = await lookups.during(load, () => acceptAll(server, second));
  const appliedAlone = await applyAll(server, alone.batchIds, consumers);
  const [apply, appliedBeside] = await lookups.during(load, () =>
    applyAll(server, beside.batchIds, consumers),
  );
  return {
    idle,
    accept,
    apply,
    imported: {
      accept: { alone: alone.rate, beside: beside.rate },
      apply: { alone: appliedAlone, beside: appliedBeside },
    },
  };
}
