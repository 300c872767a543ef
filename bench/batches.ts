/** The heavy path: accepting and moving in 10,000 customers, beside the bare insert and the typical one. */
import { validateRows } from '../src/batches/accept/validate.ts';
import { makeCustomers } from '../tools/dev/customers.ts';
import { authorized, BANK } from './data.ts';
import type { BenchServer } from './servers.ts';

const ROWS = 10_000;
/** The typical Worker takes minutes for all of them; what it takes for each does not depend on how many they are. */
const TYPICAL_ROWS = 1_000;

/** Customers without a fault in them, of people that nobody has sent before. */
function newCustomers(count: number, round: number) {
  const made = makeCustomers(Math.ceil(count * 1.1), round + 1, `round${round}.example.com`);
  return validateRows(made)
    .valid.slice(0, count)
    .map(({ row }) => row);
}

/** @returns customers a second, and what was answered */
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
    throw new Error(`A batch was answered with ${response.status}: ${text.slice(0, 300)}`);
  }
  const answer = JSON.parse(text) as { data: { batchId: string } };
  return { rate: (customers.length / (performance.now() - startedAt)) * 1_000, batchId: answer.data.batchId };
}

/** @returns customers a second that the typical Worker accepts, which is also all that it does with them */
export async function acceptTypically(server: BenchServer, round: number): Promise<number> {
  return (await post(server, newCustomers(TYPICAL_ROWS, round), round)).rate;
}

export interface Moved {
  /** Customers a second. */
  accept: number;
  consume: number;
  /** Payloads of the chunks, as they were staged. */
  payloads: string[];
}

export async function acceptAndConsume(server: BenchServer, round: number): Promise<Moved> {
  const { rate: accept, batchId } = await post(server, newCustomers(ROWS, round), round);
  const chunks = await server.db
    .prepare('SELECT payload FROM batch_chunks WHERE bank_id = ? AND batch_id = ? ORDER BY chunk')
    .bind(BANK, batchId)
    .all<{ payload: string }>();
  const startedAt = performance.now();
  await moveIn(server, batchId, chunks.results.length);
  const seconds = (performance.now() - startedAt) / 1_000;
  return { accept, consume: ROWS / seconds, payloads: chunks.results.map(({ payload }) => payload) };
}

/** Delivers the pointers of a batch, as Queues would. */
export async function moveIn(server: BenchServer, batchId: string, chunks: number): Promise<void> {
  const messages = Array.from({ length: chunks }, (_, chunk) => ({
    id: `${batchId}-${chunk}`,
    timestamp: new Date(),
    attempts: 1,
    body: { bankId: BANK, batchId, chunk },
  }));
  const worker = await server.miniflare.getWorker();
  const result = await worker.queue('customer-batches', messages);
  if (result.explicitAcks.length !== messages.length) throw new Error('A chunk was not moved in.');
}

/** @returns customers a second that the bare `INSERT … SELECT … json_each` takes, of the same rows */
export async function insertBarely(server: BenchServer, payloads: string[]): Promise<number> {
  const startedAt = performance.now();
  for (const body of payloads) {
    const response = await fetch(new URL(`/insert?bank=${BANK}`, server.url), { method: 'POST', body });
    if (response.status !== 200) throw new Error(`The bare insert was answered with ${response.status}.`);
    await response.text();
  }
  return (ROWS / (performance.now() - startedAt)) * 1_000;
}
