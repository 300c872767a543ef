/**
 * Webhooks of the real server: `npm run webhooks`. It kills the server while batches complete and a receiver fails at
 * random, measures the time from a batch's completion to the receiver, and shows that an endpoint that hangs delays
 * nothing. The figures of docs/reliability.md: `WEBHOOK_ROUNDS=20 WEBHOOK_BATCHES=100 npm run webhooks`.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { rm } from 'node:fs/promises';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, verifyWebhook, type PeereClient, type WebhookEvent } from '@peere/client';
import { generateCustomers } from '../../tools/dev/customers.ts';
import { startServer, type Server } from '../../tools/dev/server.ts';

const ROUNDS = Number(process.env['WEBHOOK_ROUNDS'] ?? 1);
const BATCHES = Number(process.env['WEBHOOK_BATCHES'] ?? 20);
/** Batches whose event is timed, each after the one before. */
const TIMED_BATCHES = Math.max(BATCHES * 0.4, 10);
const KEY = 'peere_test_lagos_full';
/** Longer than a lease of a deliverer that was killed, and the cron after it. */
const MAX_DELIVERY_MS = 240_000;

interface Reception {
  at: number;
  event: WebhookEvent;
}

class Receiver {
  /** What it took, in order. */
  readonly taken: Reception[] = [];
  secret = '';
  url = '';
  /** Decides what becomes of a request: a status, or `hangs`. */
  answer: () => number | 'hangs' = () => 204;
  readonly #server = createServer((request, response) => void this.#receive(request, response));

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hooks`;
    return this;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = Date.now();
    const parts: Uint8Array[] = [];
    for await (const part of request) parts.push(part as Uint8Array);
    const event = await verifyWebhook({ headers: request.headers, body: Buffer.concat(parts) }, this.secret);
    const answer = this.answer();
    if (answer === 'hangs') return;
    if (answer < 300) this.taken.push({ at, event });
    response.writeHead(answer).end();
  }
}

/** A receiver that ends with the test, whatever becomes of it. */
async function startReceiver(test: TestContext): Promise<Receiver> {
  const receiver = await new Receiver().start();
  test.after(() => receiver.stop());
  return receiver;
}

const clientOf = (server: Server): PeereClient => createClient({ url: server.url, key: KEY });

async function createWebhook(server: Server, receiver: Receiver): Promise<string> {
  const { webhooks } = clientOf(server);
  const { id, secret } = await webhooks.create({ url: receiver.url, types: ['batch.completed'] });
  receiver.secret = secret;
  return id;
}

let domain = 0;
/** Posts a batch of a few customers that nobody has posted before. */
const postBatch = (client: PeereClient, rows = 3) =>
  client.createCustomers(
    JSON.stringify({
      customers: generateCustomers(rows, (domain += 1), `w${domain}.${Date.now()}.example.com`),
    }),
  );

async function until(isTrue: () => Promise<boolean> | boolean, maxMs: number): Promise<void> {
  const giveUpAt = Date.now() + maxMs;
  while (!(await isTrue())) {
    if (Date.now() > giveUpAt) throw new Error('It took too long.');
    await sleep(50);
  }
}

async function eventsOf(client: PeereClient): Promise<string[]> {
  return (await Array.fromAsync(client.events({ type: 'batch.completed' }))).map(({ id }) => id);
}

const quantile = (values: number[], share: number) =>
  values.toSorted((one, other) => one - other)[Math.ceil(values.length * share) - 1] ?? 0;

void describe('a receiver that fails at random while the server is killed', () => {
  for (let round = 1; round <= ROUNDS; round += 1) {
    void it(`gets every event, in order (round ${round})`, { timeout: 600_000 }, async (test) => {
      const receiver = await startReceiver(test);
      const first = await startServer();
      await createWebhook(first, receiver);
      receiver.answer = () => (Math.random() < 0.1 ? 500 : 204);
      const killAfter = 1 + Math.floor(Math.random() * (BATCHES - 1));
      let accepted = 0;
      for (; accepted < killAfter; accepted += 1) await postBatch(clientOf(first));
      await sleep(Math.random() * 500);
      const takenBefore = receiver.taken.length;
      await first.kill();

      const second = await startServer(first.stateFolder);
      const client = clientOf(second);
      for (; accepted < BATCHES; accepted += 1) await postBatch(client);
      await until(async () => (await eventsOf(client)).length === BATCHES, MAX_DELIVERY_MS);
      const events = await eventsOf(client);
      const taken = () => [...new Set(receiver.taken.map(({ event }) => event.id))];
      await until(() => taken().length === BATCHES, MAX_DELIVERY_MS);
      assert.deepEqual(taken(), events);
      const again = receiver.taken.length - BATCHES;
      console.log(
        `killed after ${killAfter} of ${BATCHES} batches, ${takenBefore} of them delivered: 0 lost, 0 out of order, ${again} sent twice`,
      );
      await second.stop();
      await rm(first.stateFolder, { recursive: true, force: true });
    });
  }
});

void describe('an event of a batch', () => {
  /** Milliseconds from each completion to the receiver's first byte, and how long accepting a batch took. */
  async function measure(test: TestContext, batches: number, hangs: boolean) {
    const [receiver, hanging] = [await startReceiver(test), await startReceiver(test)];
    hanging.answer = () => 'hangs';
    const server = await startServer();
    if (hangs) await createWebhook(server, hanging);
    await createWebhook(server, receiver);
    const client = clientOf(server);
    await postBatch(client);
    await until(() => receiver.taken.length === 1, MAX_DELIVERY_MS);
    const [accepting, applying]: [number[], number[]] = [[], []];
    for (let n = 0; n < batches; n += 1) {
      const startedAt = Date.now();
      const { batchId } = await postBatch(client);
      accepting.push(Date.now() - startedAt);
      const { completedAt } = await client.waitForBatch(batchId);
      applying.push(Date.parse(completedAt ?? '') - startedAt);
      await until(() => receiver.taken.length === n + 2, MAX_DELIVERY_MS);
    }
    const delays = receiver.taken.slice(1).map(({ at, event }) => at - Date.parse(event.createdAt));
    await server.stop();
    await rm(server.stateFolder, { recursive: true, force: true });
    return { delays, accepting, applying };
  }

  const show = (what: string, values: number[]) =>
    console.log(`  ${what.padEnd(44)} p50 ${quantile(values, 0.5)} ms, p99 ${quantile(values, 0.99)} ms`);

  void it(
    'reaches the receiver within 2 seconds, also while another endpoint hangs',
    { timeout: 600_000 },
    async (test) => {
      const alone = await measure(test, TIMED_BATCHES, false);
      const beside = await measure(test, TIMED_BATCHES, true);
      console.log('without an endpoint that hangs');
      show('from completion to the receiver’s first byte', alone.delays);
      show('accepting a batch', alone.accepting);
      show('from its acceptance to its completion', alone.applying);
      console.log('beside one that hangs');
      show('from completion to the receiver’s first byte', beside.delays);
      show('accepting a batch', beside.accepting);
      show('from its acceptance to its completion', beside.applying);
      for (const { delays } of [alone, beside]) assert.ok(quantile(delays, 0.99) < 2_000);
    },
  );
});
