/** The write path: accepting and processing 10,000 customers, compared with a bare insert and a typical Worker. */
import { inSlices } from '../src/lib/slices.ts';
import { RowValidator } from '../src/batches/accept/validate.ts';
import { generateCustomers } from '../tools/dev/customers.ts';
import { authorized, BANK } from './data.ts';
import { readConfig } from '../tools/lib/config.ts';
import type { BenchServer } from './servers.ts';

const ROWS = 10_000;
/** The typical Worker would take minutes for 10,000; its time per row does not depend on their number. */
const TYPICAL_ROWS = 1_000;

/**
 * @param seed another seed gives other customers
 * @returns valid customers
 */
export function newCustomers(count: number, seed: number) {
  const generated = generateCustomers(Math.ceil(count * 1.1), seed, `seed${seed}.example.com`);
  const { valid } = new RowValidator().add(generated);
  return valid.slice(0, count).map(({ row }) => row);
}

/** @returns customers per second, and the id of the batch */
export async function post(server: BenchServer, customers: unknown[], headers: Record<string, string>) {
  const body = JSON.stringify({ customers });
  const startedAt = performance.now();
  const response = await fetch(new URL('/v1/bank/customers', server.url), {
    method: 'POST',
    headers: { ...headers, 'Content-Type': 'application/json' },
    body,
  });
  const text = await response.text();
  if (response.status !== 201) {
    throw new Error(`A batch returned ${response.status}: ${text.slice(0, 300)}`);
  }
  const parsed = JSON.parse(text) as { data: { batchId: string } };
  return { rate: (customers.length / (performance.now() - startedAt)) * 1_000, batchId: parsed.data.batchId };
}

/** @returns customers per second that the typical Worker accepts and stores, which it does in one step */
export async function acceptByTypicalWorker(server: BenchServer, round: number): Promise<number> {
  const customers = newCustomers(TYPICAL_ROWS, round + 1);
  return (await post(server, customers, authorized('full', round))).rate;
}

export interface BatchRates {
  /** Customers per second. */
  accept: number;
  consume: number;
  /** The staged payload of each chunk. */
  payloads: string[];
}

export async function acceptAndConsume(server: BenchServer, round: number): Promise<BatchRates> {
  const customers = newCustomers(ROWS, round + 1);
  const { rate: accept, batchId } = await post(server, customers, authorized('full', round));
  const chunks = await server.db
    .prepare('SELECT payload FROM batch_chunks WHERE bank_id = ? AND batch_id = ? ORDER BY chunk')
    .bind(BANK, batchId)
    .all<{ payload: string }>();
  const startedAt = performance.now();
  await deliverBatch(server, BANK, batchId);
  const seconds = (performance.now() - startedAt) / 1_000;
  return { accept, consume: ROWS / seconds, payloads: chunks.results.map(({ payload }) => payload) };
}

/** How many messages of the queue one event has at most. */
const MAX_MESSAGES = readConfig().queues.consumers[0]?.max_batch_size ?? 10;

/**
 * Delivers the queue messages of a batch, as Queues would.
 * @param consumers how many events run at once
 */
export async function deliverBatch(
  server: BenchServer,
  bankId: string,
  batchId: string,
  consumers = 1,
): Promise<void> {
  const chunks = await server.db
    .prepare('SELECT chunk FROM batch_chunks WHERE bank_id = ? AND batch_id = ? ORDER BY chunk')
    .bind(bankId, batchId)
    .all<{ chunk: number }>();
  const messages = chunks.results.map(({ chunk }) => ({
    id: `${batchId}-${chunk}`,
    timestamp: new Date(),
    attempts: 1,
    body: { bankId, batchId, chunk, shard: 'SHARD_1', moveNumber: 0 },
  }));
  const worker = await server.miniflare.getWorker();
  const events = inSlices(messages, Math.min(MAX_MESSAGES, Math.ceil(messages.length / consumers)));
  const deliver = async () => {
    for (let event = events.shift(); event !== undefined; event = events.shift()) {
      const result = await worker.queue('customer-batches', event);
      if (result.explicitAcks.length !== event.length) throw new Error('A chunk was not processed.');
    }
  };
  await Promise.all(Array.from({ length: consumers }, deliver));
}

/** @returns customers per second of a bare `INSERT … SELECT … json_each` of the same rows */
export async function insertBare(server: BenchServer, payloads: string[]): Promise<number> {
  const startedAt = performance.now();
  for (const body of payloads) {
    const response = await fetch(new URL(`/insert?bank=${BANK}`, server.url), { method: 'POST', body });
    if (response.status !== 200) throw new Error(`The bare insert returned ${response.status}.`);
    await response.text();
  }
  return (ROWS / (performance.now() - startedAt)) * 1_000;
}
