/** An outage of D1 under the real consumer and sweep, on a clock of its own: how often a chunk is tried, and when. */
import { env } from 'cloudflare:workers';
import { beforeEach, expect, it } from 'vitest';
import wranglerToml from '../../wrangler.toml?raw';
import { consumeBatches } from '../../src/batches/process/consumer.ts';
import { MAX_RESEND_AFTER_MS, RESEND_AFTER_MS, type ChunkPointer } from '../../src/batches/batch-queue.ts';
import { sweep } from '../../src/batches/process/sweep.ts';
import { createDeps, createIsolateMemory, type Deps } from '../../src/deps.ts';
import { systemRuntime } from '../../src/runtime.ts';
import { d1Error, withSessions } from '../support/faulty-bindings.ts';
import { sentCustomers } from '../support/customers.ts';
import { Service } from '../support/service.ts';

interface Letter {
  body: ChunkPointer;
  attempts: number;
  dueAt: number;
}

const SECOND = 1_000;
const BEGINNING = Date.UTC(2026, 10, 25);
const MINUTE = 60 * SECOND;

let now: number;
/** What D1 refuses just now: what moves a chunk in, everything, or nothing. */
let refused: 'chunks' | 'everything' | 'nothing';
let letters: Letter[];
/** Milliseconds since the beginning. */
let tries: number[];
let sends: number[];
let deps: Deps;

beforeEach(async () => {
  now = BEGINNING;
  [refused, letters, tries, sends] = ['nothing', [], [], []];
  const clock = { now: () => now };
  const service = new Service(undefined, clock);
  await service.post(sentCustomers(1));
  letters = service.pendingPointers.map((body) => ({ body, attempts: 1, dueAt: now }));
  const BATCH_QUEUE = {
    sendBatch: async (messages: { body: ChunkPointer }[]) => {
      sends.push(now - BEGINNING);
      letters.push(...messages.map(({ body }) => ({ body, attempts: 1, dueAt: now })));
    },
  } as unknown as Queue;
  deps = createDeps(
    { ...service.env, DB: withSessions(refusingDatabase(env.DB)), BATCH_QUEUE },
    { waitUntil: () => {} },
    { ...systemRuntime, ...clock, log: () => {} },
    createIsolateMemory(),
  );
});

/** A transaction that moves a chunk in is one of several statements, and no sweep's. */
function refusingDatabase(db: D1Database): D1Database {
  const lost = () => Promise.reject(d1Error('Network connection lost.'));
  const away = () => refused === 'everything';
  return {
    prepare: (sql: string) => ({
      bind: (...values: unknown[]) => {
        const bound = db.prepare(sql).bind(...values);
        return Object.assign(away() ? { all: lost } : bound, {
          inserts: sql.startsWith('INSERT INTO customers'),
        });
      },
    }),
    batch: (statements: (D1PreparedStatement & { inserts: boolean })[]) =>
      away() || (refused === 'chunks' && statements.some(({ inserts }) => inserts))
        ? lost()
        : db.batch(statements),
  } as unknown as D1Database;
}

/** Plays the queue and the cron until a time, in milliseconds since the beginning. @param loses which letters are lost */
async function play(until: number, loses: () => boolean = () => false): Promise<void> {
  for (;;) {
    const [letter] = letters.toSorted((one, other) => one.dueAt - other.dueAt);
    const cronAt = (Math.floor(now / MINUTE) + 1) * MINUTE;
    const next = Math.min(letter?.dueAt ?? cronAt, cronAt);
    if (next > BEGINNING + until) return;
    now = Math.max(now, next);
    if (letter === undefined || letter.dueAt > next) {
      now = cronAt;
      await sweep(deps).catch(() => {});
      continue;
    }
    letters = letters.filter((other) => other !== letter);
    if (loses()) continue;
    await deliver(letter);
  }
}

async function deliver({ body, attempts }: Letter): Promise<void> {
  tries.push(now - BEGINNING);
  const retry = ({ delaySeconds = 0 }: QueueRetryOptions = {}) =>
    void letters.push({ body, attempts: attempts + 1, dueAt: now + delaySeconds * SECOND });
  await consumeBatches(deps, [{ body, attempts, ack: () => {}, retry }]);
}

const stored = () => env.DB.prepare('SELECT count(*) AS n FROM customers').first('n');
const gaps = (times: number[]) => times.slice(1).map((time, index) => time - (times[index] ?? 0));

it('a chunk is tried by the queue’s own letter alone: six times in 330 seconds', async () => {
  refused = 'chunks';
  await play(330 * SECOND);
  expect(tries.map((time) => time / SECOND)).toEqual([0, 10, 30, 70, 150, 310]);
  expect(sends).toEqual([]);
});

it('a D1 that takes nothing at all makes no copies either, and one at most when it is back', async () => {
  refused = 'everything';
  await play(330 * SECOND);
  expect([tries.length, sends.length, await stored()]).toEqual([6, 0, 0]);
  refused = 'nothing';
  await play(900 * SECOND);
  expect([tries.length, sends.length, await stored()]).toEqual([8, 1, 1]);
});

it('a chunk that nobody has tried is sent again within two sweeps, as often as it is lost', async () => {
  await play(600 * SECOND, () => true);
  for (const gap of gaps([0, ...sends])) expect(gap).toBeLessThanOrEqual(2 * MINUTE);
  expect(sends.length).toBeGreaterThanOrEqual(5);
});

it('a chunk whose letter is lost after some tries is sent again, later each time, five minutes at most', async () => {
  refused = 'chunks';
  await play(20 * SECOND);
  expect(tries).toHaveLength(2);
  await play(1_500 * SECOND, () => true);
  const waits = gaps(sends);
  // After the queue's own next try, which was due 20 seconds after the second.
  expect(sends[0]).toBeGreaterThanOrEqual(30 * SECOND + RESEND_AFTER_MS);
  expect(waits.length).toBeGreaterThan(2);
  for (const wait of waits) {
    expect(wait).toBeGreaterThanOrEqual(4 * RESEND_AFTER_MS);
    expect(wait).toBeLessThanOrEqual(MAX_RESEND_AFTER_MS);
  }
  refused = 'nothing';
  await play(1_800 * SECOND);
  expect(await stored()).toBe(1);
});

it('a try that fails late does not bring back a chunk that is an operator’s', async () => {
  refused = 'chunks';
  await env.DB.prepare('UPDATE batch_chunks SET next_send_at = NULL').run();
  await play(40 * SECOND);
  const [chunk] = (await env.DB.prepare('SELECT next_send_at, tries FROM batch_chunks').all()).results;
  expect(chunk).toEqual({ next_send_at: null, tries: 3 });
});

it('consumers are bounded: D1 has one writer', () => {
  const consumers = wranglerToml.split('[[queues.consumers]]').slice(1);
  const bounds = consumers.map((text) => [
    /^queue = "(.+)"$/m.exec(text)?.[1],
    Number(/^max_concurrency = (\d+)/m.exec(text)?.[1]),
  ]);
  expect(bounds).toEqual([
    ['customer-batches', 5],
    ['customer-batches-dlq', 1],
  ]);
});
