/** An outage of D1 for the real consumer and sweep, on a simulated clock: how often and when a chunk is tried. */
import { env } from 'cloudflare:workers';
import { beforeEach, expect, it } from 'vitest';
import wranglerToml from '../../wrangler.toml?raw';
import { consumeBatches } from '../../src/batches/process/consumer.ts';
import { MAX_RESEND_AFTER_MS, RESEND_AFTER_MS, type ChunkPointer } from '../../src/batches/batch-queue.ts';
import { runCron } from '../../src/cron.ts';
import { createDeps, createIsolateMemory, type Deps } from '../../src/deps.ts';
import { systemRuntime } from '../../src/runtime.ts';
import { connectionLost, withSessions } from '../support/faulty-bindings.ts';
import { sentCustomers } from '../support/customers.ts';
import { countRows } from '../support/database.ts';
import { Service } from '../support/service.ts';

interface QueuedMessage {
  body: ChunkPointer;
  attempts: number;
  dueAt: number;
}

const SECOND = 1_000;
const BEGINNING = Date.UTC(2026, 10, 25);
const MINUTE = 60 * SECOND;

let now: number;
/** What D1 refuses at the moment: transactions that apply a chunk, everything, or nothing. */
let refused: 'chunks' | 'everything' | 'nothing';
let messages: QueuedMessage[];
/** Times in milliseconds since BEGINNING. */
let tries: number[];
let sends: number[];
/** Messages that wait in the queue, as it reports them. */
let waiting: number;
let deps: Deps;

beforeEach(async () => {
  now = BEGINNING;
  [refused, messages, tries, sends, waiting] = ['nothing', [], [], [], 0];
  const clock = { now: () => now };
  const service = new Service(undefined, clock);
  await service.post(sentCustomers(1));
  messages = service.pendingPointers.map((body) => ({ body, attempts: 1, dueAt: now }));
  const BATCH_QUEUE = {
    metrics: async () => ({ backlogCount: waiting }),
    sendBatch: async (batch: { body: ChunkPointer }[]) => {
      sends.push(now - BEGINNING);
      messages.push(...batch.map(({ body }) => ({ body, attempts: 1, dueAt: now })));
    },
  } as unknown as Queue;
  deps = createDeps(
    { ...service.env, SHARD_1: withSessions(refusingDatabase(env.SHARD_1)), BATCH_QUEUE },
    { waitUntil: () => {} },
    { ...systemRuntime, ...clock, log: () => {} },
    createIsolateMemory(),
  );
});

/** A transaction applies a chunk if it inserts customers. */
function refusingDatabase(db: D1Database): D1Database {
  const lost = () => Promise.reject(connectionLost());
  const isDown = () => refused === 'everything';
  return {
    prepare: (sql: string) => ({
      bind: (...values: unknown[]) => {
        const bound = db.prepare(sql).bind(...values);
        return Object.assign(isDown() ? { all: lost } : bound, {
          inserts: sql.startsWith('INSERT INTO customers'),
        });
      },
    }),
    batch: (statements: (D1PreparedStatement & { inserts: boolean })[]) =>
      isDown() || (refused === 'chunks' && statements.some(({ inserts }) => inserts))
        ? lost()
        : db.batch(statements),
  } as unknown as D1Database;
}

/**
 * Runs the queue and the cron.
 * @param until milliseconds since BEGINNING
 * @param loses whether the next message is lost
 */
async function play(until: number, loses: () => boolean = () => false): Promise<void> {
  for (;;) {
    const [message] = messages.toSorted((one, other) => one.dueAt - other.dueAt);
    const cronAt = (Math.floor(now / MINUTE) + 1) * MINUTE;
    const next = Math.min(message?.dueAt ?? cronAt, cronAt);
    if (next > BEGINNING + until) return;
    now = Math.max(now, next);
    if (message === undefined || message.dueAt > next) {
      now = cronAt;
      await runCron(deps).catch(() => {});
      continue;
    }
    messages = messages.filter((other) => other !== message);
    if (loses()) continue;
    await deliver(message);
  }
}

async function deliver({ body, attempts }: QueuedMessage): Promise<void> {
  tries.push(now - BEGINNING);
  const retry = ({ delaySeconds = 0 }: QueueRetryOptions = {}) =>
    void messages.push({ body, attempts: attempts + 1, dueAt: now + delaySeconds * SECOND });
  await consumeBatches(deps, [{ body, attempts, ack: () => {}, retry }]);
}

const gaps = (times: number[]) => times.slice(1).map((time, index) => time - (times[index] ?? 0));

it('retries a chunk by its own message alone, six times in 330 seconds', async () => {
  refused = 'chunks';
  await play(330 * SECOND);
  expect(tries.map((time) => time / SECOND)).toEqual([0, 10, 30, 70, 150, 310]);
  expect(sends).toEqual([]);
});

it('resends no pointer while D1 refuses everything, and at most one when D1 is back', async () => {
  refused = 'everything';
  await play(330 * SECOND);
  expect({ tries: tries.length, sends: sends.length, customers: await countRows('customers') }).toEqual({
    tries: 6,
    sends: 0,
    customers: 0,
  });
  refused = 'nothing';
  await play(900 * SECOND);
  expect({ tries: tries.length, sends: sends.length, customers: await countRows('customers') }).toEqual({
    tries: 8,
    sends: 1,
    customers: 1,
  });
});

it('resends a lost pointer of an untried chunk within two sweeps, every time', async () => {
  await play(600 * SECOND, () => true);
  for (const gap of gaps([0, ...sends])) expect(gap).toBeLessThanOrEqual(2 * MINUTE);
  expect(sends.length).toBeGreaterThanOrEqual(5);
});

it('resends pointers every five minutes only while many messages wait in the queue', async () => {
  waiting = 501;
  await play(1_000 * SECOND, () => true);
  expect(sends.map((time) => time / MINUTE)).toEqual([1, 6, 11, 16]);
});

it('resends a pointer that is lost after some tries, at intervals of two to five minutes', async () => {
  refused = 'chunks';
  await play(20 * SECOND);
  expect(tries).toHaveLength(2);
  await play(1_500 * SECOND, () => true);
  const waits = gaps(sends);
  // The queue's own next try was due 20 seconds after the second one.
  expect(sends[0]).toBeGreaterThanOrEqual(30 * SECOND + RESEND_AFTER_MS);
  expect(waits.length).toBeGreaterThan(2);
  for (const wait of waits) {
    expect(wait).toBeGreaterThanOrEqual(4 * RESEND_AFTER_MS);
    expect(wait).toBeLessThanOrEqual(MAX_RESEND_AFTER_MS);
  }
  refused = 'nothing';
  await play(1_800 * SECOND);
  expect(await countRows('customers')).toBe(1);
});

it('leaves a stalled chunk to the operator when a late try of it fails', async () => {
  refused = 'chunks';
  await env.SHARD_1.prepare('UPDATE batch_chunks SET next_send_at = NULL').run();
  await play(40 * SECOND);
  const [chunk] = (await env.SHARD_1.prepare('SELECT next_send_at, tries FROM batch_chunks').all()).results;
  expect(chunk).toEqual({ next_send_at: null, tries: 3 });
});

it('limits the concurrency of consumers, because D1 has one writer', () => {
  const consumers = wranglerToml.split('[[queues.consumers]]').slice(1);
  const bounds = consumers.map((text) => [
    /^queue = "(.+)"$/m.exec(text)?.[1],
    Number(/^max_concurrency = (\d+)/m.exec(text)?.[1]),
  ]);
  expect(bounds).toEqual([
    ['customer-batches', 3],
    ['customer-batches-dlq', 1],
    ['webhook-deliveries', 20],
  ]);
});
