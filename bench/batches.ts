/** The write path: accepting and processing 10,000 customers, compared with a bare insert and a typical Worker. */
import { validateRows } from '../src/batches/accept/validate.ts';
import { generateCustomers } from '../tools/dev/customers.ts';
import { authorized, BANK } from './data.ts';
import type { BenchServer } from './servers.ts';

const ROWS = 10_000;
/** The typical Worker would take minutes for 10,000; its time per row does not depend on their number. */
const TYPICAL_ROWS = 1_000;

/** @returns valid customers that were never sent before */
function newCustomers(count: number, round: number) {
  const generated = generateCustomers(Math.ceil(count * 1.1), round + 1, `round${round}.example.com`);
  return validateRows(generated)
    .valid.slice(0, count)
    .map(({ row }) => row);
}

/** @returns customers per second, and the id of the batch */
async function post(server: BenchServer, customers: unknown[], round: number) {
  const body = JSON.stringify({ customers });
  const startedAt = performance.now();
  const response = await fetch(new URL('/v1/bank/customers', server.url), {
    method: 'POST',
    headers: { ...authorized('full', round), 'Content-Type': 'application/json' },
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
  return (await post(server, newCustomers(TYPICAL_ROWS, round), round)).rate;
}

export interface BatchRates {
  /** Customers per second. */
  accept: number;
  consume: number;
  /** The staged payload of each chunk. */
  payloads: string[];
}

export async function acceptAndConsume(server: BenchServer, round: number): Promise<BatchRates> {
  const { rate: accept, batchId } = await post(server, newCustomers(ROWS, round), round);
  const chunks = await server.db
    .prepare('SELECT payload FROM batch_chunks WHERE bank_id = ? AND batch_id = ? ORDER BY chunk')
    .bind(BANK, batchId)
    .all<{ payload: string }>();
  const startedAt = performance.now();
  await deliverChunks(server, batchId, chunks.results.length);
  const seconds = (performance.now() - startedAt) / 1_000;
  return { accept, consume: ROWS / seconds, payloads: chunks.results.map(({ payload }) => payload) };
}

/** Delivers the queue messages of a batch, as Queues would. */
export async function deliverChunks(server: BenchServer, batchId: string, chunks: number): Promise<void> {
  const messages = Array.from({ length: chunks }, (_, chunk) => ({
    id: `${batchId}-${chunk}`,
    timestamp: new Date(),
    attempts: 1,
    body: { bankId: BANK, batchId, chunk },
  }));
  const worker = await server.miniflare.getWorker();
  const result = await worker.queue('customer-batches', messages);
  if (result.explicitAcks.length !== messages.length) throw new Error('A chunk was not processed.');
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
