/**
 * `npm run soak [-- --minutes 20]`: mixed traffic on our Worker, and its workerd's memory meanwhile. A leak shows as
 * memory that goes on growing when everything is warm: at the end there may be at most 5 % more of it than in the second
 * quarter. Ends by itself; exit code 1 where there is more, or where anything was answered with a 500.
 *
 * On Miniflare, as `npm run bench`, not on `wrangler dev`: the inspector that it attaches keeps memory of each request,
 * of a Worker that only says `ok` too.
 */
import { randomBytes } from 'node:crypto';
import { Command } from 'commander';
import { run } from '../tools/lib/arguments.ts';
import { makeCustomers } from '../tools/dev/customers.ts';
import { moveIn } from './batches.ts';
import { authorized, knownCustomers, prepare } from './data.ts';
import { median } from './median.ts';
import { startServer, type BenchServer } from './servers.ts';

/** Requests at a time. */
const CONNECTIONS = 8;
const CUSTOMERS_OF_A_BATCH = 100;
/** Milliseconds between two batches: a bank may send 300 a minute. */
const BATCH_EVERY_MS = 1_000;
/** Milliseconds between two looks at the memory. */
const LOOK_EVERY_MS = 1_000;
/** Milliseconds between two sweeps, as the cron has them. */
const SWEEP_EVERY_MS = 60_000;
/** MB of an isolate's heap: developers.cloudflare.com/workers/platform/limits. */
const ISOLATE_MB = 128;
/** How much more memory there may be at the end than in the second quarter. */
const MAX_GROWTH = 0.05;
/** Shorter rounds are not warm by their second quarter, and are not judged. */
const MIN_JUDGED_MINUTES = 10;

interface Asked {
  path: string;
  headers?: Record<string, string>;
}

const known = knownCustomers();
const unknown = () => randomBytes(9).toString('base64url');
/** Channels of a bank; the one that misses is not one of those that hit. */
const hitting = (turn: number) => authorized('full', turn % 8);
const guessing = () => authorized('full', 9);

/** What is asked for, how often of all, and how. */
const MIX: [string, number, (turn: number) => Asked][] = [
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

/** How often each kind of request was answered with which status. */
class Answers {
  readonly #counts = new Map<string, Map<number, number>>();
  bad = 0;

  add(name: string, status: number): void {
    if (status >= 500) this.bad += 1;
    const counts = this.#counts.get(name) ?? new Map<number, number>();
    counts.set(status, (counts.get(status) ?? 0) + 1);
    this.#counts.set(name, counts);
  }

  get rows() {
    return [...this.#counts].map(([request, counts]) => ({
      request,
      answered: [...counts].map(([status, count]) => `${status}: ${count}`).join(', '),
    }));
  }
}

interface Round {
  answers: Answers;
  /** MB, in the order in which they were looked at. */
  memory: number[];
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function sendBatch({
  server,
  batch,
  answers,
}: {
  server: BenchServer;
  batch: number;
  answers: Answers;
}) {
  const response = await fetch(new URL('/v1/bank/customers', server.url), {
    method: 'POST',
    headers: { ...hitting(batch), 'Content-Type': 'application/json' },
    body: JSON.stringify({
      customers: makeCustomers(CUSTOMERS_OF_A_BATCH, batch, `soak${batch}.example.com`),
    }),
  });
  const { data } = (await response.json()) as { data: { batchId: string } | null };
  answers.add(`batch of ${CUSTOMERS_OF_A_BATCH}`, response.status);
  if (response.status === 201 && data !== null) await moveIn(server, data.batchId, 1);
}

/** @param stop ends it early */
async function soak(server: BenchServer, milliseconds: number, stop: AbortSignal): Promise<Round> {
  const answers = new Answers();
  const memory: number[] = [];
  const endsAt = Date.now() + milliseconds;
  const goesOn = () => Date.now() < endsAt && !stop.aborted;

  const ask = async (first: number) => {
    for (let turn = first; goesOn(); turn += CONNECTIONS) {
      const asked = SHUFFLED[turn % SHUFFLED.length];
      if (asked === undefined) throw new Error('there is nothing to ask for');
      const { path, ...init } = asked.next(turn);
      const response = await fetch(new URL(path, server.url), init);
      await response.arrayBuffer();
      answers.add(asked.name, response.status);
    }
  };
  /** Does something again and again, so long after it was done. */
  const repeat = async (everyMs: number, work: (time: number) => unknown) => {
    for (let time = 0; goesOn(); time += 1) {
      await work(time);
      await pause(Math.min(everyMs, Math.max(endsAt - Date.now(), 0)));
    }
  };
  await Promise.all([
    ...Array.from({ length: CONNECTIONS }, (_, first) => ask(first)),
    repeat(BATCH_EVERY_MS, (batch) => sendBatch({ server, batch, answers })),
    repeat(SWEEP_EVERY_MS, async () => (await server.miniflare.getWorker()).scheduled()),
    repeat(LOOK_EVERY_MS, () => memory.push(server.memory() ?? Number.NaN)),
  ]);
  return { answers, memory };
}

/** Prints what was seen. @returns was it well? */
function report({ answers, memory }: Round, minutes: number): boolean {
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
  console.table(answers.rows);
  console.table(
    Object.fromEntries(Object.entries(parts).map(([name, MB]) => [name, { MB: Math.round(MB) }])),
  );
  console.log(
    `Memory at the end beside the second quarter: ${percent(growth)} (at most ${percent(MAX_GROWTH)}).`,
  );
  if (answers.bad > 0) console.error(`${answers.bad} requests were answered with a 500 or a 503.`);
  const isJudged = minutes >= MIN_JUDGED_MINUTES;
  if (!isJudged) console.log(`Too short to be judged: it is not warm before ${MIN_JUDGED_MINUTES} minutes.`);
  return answers.bad === 0 && (!isJudged || growth <= MAX_GROWTH);
}

const program = new Command('soak')
  .description('mixed traffic, and memory that must not grow')
  .option('--minutes <number>', `how long; less than ${MIN_JUDGED_MINUTES} are not judged`, Number, 20)
  .action(async ({ minutes }) => {
    if (!(minutes > 0)) throw new Error('--minutes must be a number above 0.');
    // An isolate has 128 MB at Cloudflare's. Without a limit V8 would rather grow than collect: for 50,000 requests.
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
