/**
 * `npm run soak [-- --minutes 20]`: mixed traffic on a server of its own, and workerd's memory meanwhile. A leak shows
 * as memory that goes on growing when everything is warm: at the end there may be at most 5 % more of it than in the
 * second quarter. Ends by itself; exit code 1 where there is more, or where anything was answered with a 500.
 */
import { randomBytes } from 'node:crypto';
import { Command } from 'commander';
import { median } from '../bench/median.ts';
import { DEMO_CUSTOMER } from '../src/reference/examples.ts';
import { run } from './arguments.ts';
import { makeCustomers } from './customers.ts';
import { residentMemory, workerdOf } from './memory.ts';
import { startServer } from './server.ts';

const FULL = 'peere_test_lagos_full';
const STANDARD = 'peere_test_lagos_standard';
/** Of the other bank, so that its misses do not use up those of the hits. */
const GUESSING = 'peere_test_accra_full';

/** Requests at a time, and milliseconds between two of one connection: 200 a second at most, a busy bank's. */
const CONNECTIONS = 4;
const NEXT_AFTER_MS = 20;
const CUSTOMERS_OF_A_BATCH = 100;
/** Milliseconds between two batches: a bank may send 300 a minute. */
const BATCH_EVERY_MS = 1_000;
const LOOK_EVERY_MS = 1_000;
/** How much more memory there may be at the end than in the second quarter. */
const MAX_GROWTH = 0.05;
/** Shorter rounds are not warm by their second quarter, and are not judged. */
const MIN_JUDGED_MINUTES = 10;

interface Request {
  path: string;
  key: string | null;
}

const unknown = () => randomBytes(9).toString('base64url');

/** What is asked for, and out of how many. */
const MIX: [string, number, () => Request][] = [
  ['hit, cached', 6, () => ({ path: `/v1/bank/customer?phrase=${DEMO_CUSTOMER.phrase}`, key: STANDARD })],
  ['hit, by id', 4, () => ({ path: `/v1/bank/customer?id=${DEMO_CUSTOMER.id}`, key: FULL })],
  ['list', 2, () => ({ path: '/v1/bank/customers?limit=50&sortBy=accountName', key: FULL })],
  ['miss', 2, () => ({ path: `/v1/bank/customer?email=${unknown()}@example.com`, key: GUESSING })],
  ['unknown API key', 2, () => ({ path: '/v1/bank/customers', key: `peere_test_${unknown()}` })],
  ['unknown path', 2, () => ({ path: `/v1/bank/${unknown()}`, key: FULL })],
  ['health', 1, () => ({ path: '/health?deep=1', key: null })],
];
const SHUFFLED = MIX.flatMap(([name, times, next]) => Array.from({ length: times }, () => ({ name, next })));

/** How often each kind of request was answered with which status. */
class Answers {
  readonly #counts = new Map<string, Map<string, number>>();
  bad = 0;

  add(name: string, status: number | 'no answer'): void {
    if (status === 'no answer' || status >= 500) this.bad += 1;
    const counts = this.#counts.get(name) ?? new Map<string, number>();
    counts.set(String(status), (counts.get(String(status)) ?? 0) + 1);
    this.#counts.set(name, counts);
  }

  get rows() {
    return [...this.#counts].map(([name, counts]) => ({
      request: name,
      answered: [...counts].map(([status, count]) => `${status}: ${count}`).join(', '),
    }));
  }
}

async function ask(url: string, { path, key }: Request, body?: unknown): Promise<number | 'no answer'> {
  try {
    const response = await fetch(url + path, {
      headers: {
        ...(key === null ? {} : { Authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 'no answer';
  }
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

interface Round {
  answers: Answers;
  /** Memory in MB, in the order in which it was looked at. */
  memory: number[];
}

/** @param stop ends it early */
async function soak(url: string, milliseconds: number, stop: AbortSignal): Promise<Round> {
  const answers = new Answers();
  const memory: number[] = [];
  const pid = workerdOf(new URL(url).port);
  const endsAt = Date.now() + milliseconds;
  const goesOn = () => Date.now() < endsAt && !stop.aborted;

  const look = async (offset: number) => {
    for (let turn = offset; goesOn(); turn += CONNECTIONS) {
      const { name, next } = SHUFFLED[turn % SHUFFLED.length] ?? {
        name: '',
        next: () => ({ path: '/', key: null }),
      };
      answers.add(name, await ask(url, next()));
      await pause(NEXT_AFTER_MS);
    }
  };
  const send = async () => {
    for (let batch = 0; goesOn(); batch += 1) {
      const customers = makeCustomers(CUSTOMERS_OF_A_BATCH, batch, `soak${batch}.example.com`);
      answers.add('batch of 100', await ask(url, { path: '/v1/bank/customers', key: FULL }, { customers }));
      await pause(BATCH_EVERY_MS);
    }
  };
  const watch = async () => {
    while (goesOn()) {
      const now = residentMemory(pid);
      if (now !== null) memory.push(now);
      await pause(LOOK_EVERY_MS);
    }
  };
  await Promise.all([...Array.from({ length: CONNECTIONS }, (_, offset) => look(offset)), send(), watch()]);
  return { answers, memory };
}

/** Prints what was seen. @returns was it well? */
function report({ answers, memory }: Round, minutes: number): boolean {
  const part = (from: number, to: number) =>
    median(memory.slice(Math.floor(memory.length * from), Math.ceil(memory.length * to)));
  const [second, end] = [part(0.25, 0.5), part(0.9, 1)];
  const growth = end / second - 1;
  console.table(answers.rows);
  console.table({
    'first quarter': { MB: part(0, 0.25).toFixed(0) },
    'second quarter': { MB: second.toFixed(0) },
    'third quarter': { MB: part(0.5, 0.75).toFixed(0) },
    'last tenth': { MB: end.toFixed(0) },
  });
  const percent = (ratio: number) => `${(ratio * 100).toFixed(1)} %`;
  console.log(
    `workerd's memory at the end beside its second quarter: ${percent(growth)} (at most ${percent(MAX_GROWTH)}).`,
  );
  if (answers.bad > 0) console.error(`${answers.bad} requests were answered with a 500, or not at all.`);
  if (minutes < MIN_JUDGED_MINUTES)
    console.log(`Too short to be judged: ${MIN_JUDGED_MINUTES} minutes or more are.`);
  return answers.bad === 0 && (minutes < MIN_JUDGED_MINUTES || growth <= MAX_GROWTH);
}

const program = new Command('soak')
  .description('mixed traffic, and memory that must not grow')
  .option('--minutes <number>', 'how long; less than 10 are not judged', Number, 20)
  .action(async ({ minutes }) => {
    if (!(minutes > 0)) throw new Error('--minutes must be a number above 0.');
    const server = await startServer();
    const stop = new AbortController();
    process.once('SIGINT', () => stop.abort());
    try {
      const round = await soak(server.url, minutes * 60_000, stop.signal);
      if (round.memory.length === 0) throw new Error('Memory is read from /proc, which only Linux has.');
      if (!report(round, minutes)) process.exitCode = 1;
    } finally {
      await server.stop();
    }
  });

await run(program);
