/**
 * `npm run soak [-- --minutes 20]`: sends mixed traffic to our Worker and watches the memory of its workerd. With a leak,
 * memory keeps growing after the warm-up: at the end it may be at most 5 % more than in the second quarter. Exit code 1
 * if it is more, or if any response was a 5xx.
 *
 * It uses Miniflare, like `npm run bench`, and not `wrangler dev`, whose inspector keeps memory for each request, even of
 * a Worker that only responds with `ok`.
 */
import { randomBytes } from 'node:crypto';
import { Command } from 'commander';
import { run } from '../tools/lib/arguments.ts';
import { generateCustomers } from '../tools/dev/customers.ts';
import { deliverBatch } from './batches.ts';
import { authorized, BANK, knownCustomers, prepare } from './data.ts';
import { median } from './statistics.ts';
import { startServer, type BenchServer } from './servers.ts';

/** Concurrent requests. */
const CONNECTIONS = 8;
const BATCH_CUSTOMERS = 20;
/** A bank may send 300 batches a minute. */
const BATCH_INTERVAL_MS = 1_000;
/** Between two measurements of the memory. */
const MEASURE_INTERVAL_MS = 1_000;
/** The interval of the cron. */
const SWEEP_INTERVAL_MS = 60_000;
/**
 * Limit of an isolate's heap. Cloudflare's is 128 MB, which takes V8 and Miniflare's isolates longer than 20 minutes to
 * fill: they would rather grow than collect garbage. A leak passes any limit.
 */
const ISOLATE_MB = 48;
/** How much larger the memory may be at the end than in the second quarter. */
const MAX_GROWTH = 0.05;
/** Shorter runs are not warm in their second quarter, so their growth is not checked. */
const MIN_CHECKED_MINUTES = 10;

interface SoakRequest {
  path: string;
  headers?: Record<string, string>;
}

const known = knownCustomers();
const unknown = () => randomBytes(9).toString('base64url');
/** API keys of a bank's channels; the one that misses is none of those that hit. */
const hitting = (turn: number) => authorized('full', turn % 8);
const guessing = () => authorized('full', 9);

/** Each kind of request, its weight, and how to build one. */
const MIX: [string, number, (turn: number) => SoakRequest][] = [
  [
    'hit, cached',
    6,
    (turn) => ({
      path: `/v1/bank/customer?phrase=${known[turn % known.length]?.phrase}`,
      headers: authorized('standard', turn % 8),
    }),
  ],
  [
    'hit, by id',
    4,
    (turn) => ({ path: `/v1/bank/customer?id=${known[turn % known.length]?.id}`, headers: hitting(turn) }),
  ],
  ['list', 2, (turn) => ({ path: '/v1/bank/customers?limit=50&sortBy=accountName', headers: hitting(turn) })],
  ['miss', 2, () => ({ path: `/v1/bank/customer?email=${unknown()}@example.com`, headers: guessing() })],
  [
    'unknown API key',
    2,
    () => ({ path: '/v1/bank/customers', headers: { Authorization: `Bearer peere_test_${unknown()}` } }),
  ],
  ['unknown path', 2, (turn) => ({ path: `/v1/bank/${unknown()}`, headers: hitting(turn) })],
  ['health', 1, () => ({ path: '/health?deep=1' })],
];
const SHUFFLED = MIX.flatMap(([name, times, next]) => Array.from({ length: times }, () => ({ name, next })));

/** Counts the statuses of each kind of request. */
class StatusCounts {
  readonly #counts = new Map<string, Map<number, number>>();
  serverErrors = 0;

  add(name: string, status: number): void {
    if (status >= 500) this.serverErrors += 1;
    const counts = this.#counts.get(name) ?? new Map<number, number>();
    counts.set(status, (counts.get(status) ?? 0) + 1);
    this.#counts.set(name, counts);
  }

  get rows() {
    return [...this.#counts].map(([request, counts]) => ({
      request,
      responses: [...counts].map(([status, count]) => `${status}: ${count}`).join(', '),
    }));
  }
}

interface Round {
  statuses: StatusCounts;
  /** MB, in order of measurement. */
  memory: number[];
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

interface BatchReport {
  batchId: string;
  data: { customerIds: string[] };
}

/** Sends a batch, and erases its customers: workerd keeps a growing database in memory, which would look like a leak. */
async function sendBatch({
  server,
  batch,
  statuses,
}: {
  server: BenchServer;
  batch: number;
  statuses: StatusCounts;
}) {
  const response = await fetch(new URL('/v1/bank/customers', server.url), {
    method: 'POST',
    headers: { ...hitting(batch), 'Content-Type': 'application/json' },
    body: JSON.stringify({
      customers: generateCustomers(BATCH_CUSTOMERS, batch, `soak${batch}.example.com`),
    }),
  });
  const { data } = (await response.json()) as { data: BatchReport | null };
  statuses.add(`batch of ${BATCH_CUSTOMERS}`, response.status);
  if (response.status !== 201 || data === null) return;
  await deliverBatch(server, BANK, data.batchId);
  for (const id of data.data.customerIds) {
    const erased = await fetch(new URL(`/v1/bank/customer?id=${id}`, server.url), {
      method: 'DELETE',
      headers: hitting(batch),
    });
    await erased.arrayBuffer();
    statuses.add('erasure', erased.status);
  }
}

/** @param stop ends it early */
async function soak(server: BenchServer, milliseconds: number, stop: AbortSignal): Promise<Round> {
  const statuses = new StatusCounts();
  const memory: number[] = [];
  const endsAt = Date.now() + milliseconds;
  const isRunning = () => Date.now() < endsAt && !stop.aborted;

  const sendRequests = async (first: number) => {
    for (let turn = first; isRunning(); turn += CONNECTIONS) {
      const request = SHUFFLED[turn % SHUFFLED.length];
      if (request === undefined) throw new Error('there are no requests');
      const { path, ...init } = request.next(turn);
      const response = await fetch(new URL(path, server.url), init);
      await response.arrayBuffer();
      statuses.add(request.name, response.status);
    }
  };
  /** Repeats work, with a pause after each time. */
  const repeat = async (everyMs: number, work: (time: number) => unknown) => {
    for (let time = 0; isRunning(); time += 1) {
      await work(time);
      await pause(Math.min(everyMs, Math.max(endsAt - Date.now(), 0)));
    }
  };
  await Promise.all([
    ...Array.from({ length: CONNECTIONS }, (_, first) => sendRequests(first)),
    repeat(BATCH_INTERVAL_MS, (batch) => sendBatch({ server, batch, statuses })),
    repeat(SWEEP_INTERVAL_MS, async () => (await server.miniflare.getWorker()).scheduled()),
    repeat(MEASURE_INTERVAL_MS, () => memory.push(server.memory() ?? Number.NaN)),
  ]);
  return { statuses, memory };
}

/** Prints the results. @returns whether the check passed */
function report({ statuses, memory }: Round, minutes: number): boolean {
  const part = (from: number, to: number) =>
    median(memory.slice(Math.floor(memory.length * from), Math.ceil(memory.length * to)));
  const parts = {
    'first quarter': part(0, 0.25),
    'second quarter': part(0.25, 0.5),
    'third quarter': part(0.5, 0.75),
    'last tenth': part(0.9, 1),
  };
  const growth = parts['last tenth'] / parts['second quarter'] - 1;
  const percent = (ratio: number) => `${(ratio * 100).toFixed(1)} %`;
  console.table(statuses.rows);
  console.table(
    Object.fromEntries(Object.entries(parts).map(([name, MB]) => [name, { MB: Math.round(MB) }])),
  );
  console.log(
    `Memory growth from the second quarter to the end: ${percent(growth)} (maximum ${percent(MAX_GROWTH)}).`,
  );
  if (statuses.serverErrors > 0) console.error(`${statuses.serverErrors} responses were a 500 or a 503.`);
  const isChecked = minutes >= MIN_CHECKED_MINUTES;
  if (!isChecked)
    console.log(
      `Too short to check the growth: the Worker is not warm before ${MIN_CHECKED_MINUTES} minutes.`,
    );
  return statuses.serverErrors === 0 && (!isChecked || growth <= MAX_GROWTH);
}

const program = new Command('soak')
  .description('send mixed traffic and check that memory does not grow')
  .option(
    '--minutes <number>',
    `duration; below ${MIN_CHECKED_MINUTES} the growth is not checked`,
    Number,
    20,
  )
  .action(async ({ minutes }) => {
    if (!(minutes > 0)) throw new Error('--minutes must be a number above 0.');
    process.env['MINIFLARE_WORKERD_V8_FLAGS'] = `--max-heap-size=${ISOLATE_MB}`;
    const server = await startServer('ours');
    const stop = new AbortController();
    process.once('SIGINT', () => stop.abort());
    try {
      if (server.memory() === null) throw new Error('Memory is read from /proc, which only Linux has.');
      await prepare(server);
      if (!report(await soak(server, minutes * 60_000, stop.signal), minutes)) process.exitCode = 1;
    } finally {
      await server.miniflare.dispose();
    }
  });

await run(program);
