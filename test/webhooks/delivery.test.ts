/** Deliveries: every event in order, at least once, and no receiver delays another or anything else. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import wranglerToml from '../../wrangler.toml?raw';
import { WEBHOOK_QUEUE } from '../../src/env.ts';
import { MAX_REQUESTS } from '../../src/webhooks/consumer.ts';
import { MAX_DELAY_MS, retryDelayMs } from '../../src/webhooks/retries.ts';
import { API_KEYS, HOME, LAGOS } from '../support/banks.ts';
import { faultyDatabase } from '../support/faulty-bindings.ts';
import { sentCustomer } from '../support/customers.ts';
import { moveBank } from '../databases/moves/moving.ts';
import { Meter } from '../support/meter.ts';
import { Service, type KnownCustomer } from '../support/service.ts';
import { createWebhook, Receivers } from './receivers.ts';

const HOUR = 3_600_000;

let receivers: Receivers;
let now: number;
let service: Service;
let ada: KnownCustomer;
let webhook: { id: string; url: string };

/** An isolate with its own bindings. */
const isolate = (rewire?: ConstructorParameters<typeof Service>[0]) =>
  new Service(rewire, { fetch: receivers.fetch, now: () => now });

beforeEach(async () => {
  receivers = new Receivers();
  now = Date.UTC(2026, 10, 25);
  service = isolate();
  ada = await service.createCustomer(sentCustomer(1));
  webhook = await createWebhook(service);
});

let updates = 0;
/** Makes events. The first is number 2, because `beforeEach` has made one. */
async function makeEvents(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await service.updateCustomer(ada.id, { state: `${(updates += 1)}` });
}
const eventIds = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => `evt_${LAGOS}_${from + n}`);
const status = async (id = webhook.id) => (await service.get(`/v1/bank/webhooks/${id}`)).body.data;
/** What the cron does when time has passed. */
async function laterCron(milliseconds: number): Promise<void> {
  now += milliseconds;
  service.pendingEndpoints.splice(0);
  await service.sweep();
  await service.deliverWebhooks();
}

it('sends each event once, in order, as the event log has it, and begins with the next one', async () => {
  await makeEvents(7);
  await service.deliverWebhooks();
  const { body } = await service.get('/v1/bank/events?limit=100');
  expect(receivers.received.map(({ event }) => event)).toEqual(body.data.slice(1));
  expect(receivers.ids()).toEqual(eventIds(2, 8));
  expect(await status()).toMatchObject({ position: `evt_${LAGOS}_8`, lag: 0, lastStatusCode: 204 });
  await laterCron(HOUR);
  expect(receivers.received).toHaveLength(7);
});

it('sends a batch’s completion as soon as its last chunk is applied', async () => {
  await service.createCustomer(sentCustomer(2));
  expect(service.pendingEndpoints).toEqual([{ bankId: LAGOS, endpointId: webhook.id, ...HOME }]);
  await service.deliverWebhooks();
  expect(receivers.received.map(({ event }) => event.type)).toEqual(['batch.completed']);
});

it('sends the completion of a batch whose rows were all refused, without waiting for the cron', async () => {
  await service.post([sentCustomer(1)]);
  await service.deliverWebhooks();
  expect(receivers.received.map(({ event }) => event.type)).toEqual(['batch.completed']);
});

it('sends only the types that an endpoint wants, over any number of others, and only its own bank’s events', async () => {
  const erasures = await createWebhook(service, {
    url: 'https://hooks.example.net/e',
    types: ['customer.erased'],
  });
  const foreign = await createWebhook(service, { url: 'https://other.example.net/' }, API_KEYS.other);
  await env.SHARD_1.batch([
    env.SHARD_1.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
       INSERT INTO events SELECT '${LAGOS}', i, 'customer.updated', '{}', 0 FROM n`,
    ),
    env.SHARD_1.prepare(`UPDATE tenants SET event_sequence = 2500 WHERE bank_id = '${LAGOS}'`),
    env.SHARD_1.prepare(`UPDATE webhook_endpoints SET position = 2500 WHERE id = '${webhook.id}'`),
  ]);
  await service.eraseCustomer(ada.id);
  await service.deliverWebhooks();
  expect(receivers.ids(erasures.url)).toEqual([`evt_${LAGOS}_2501`]);
  expect(receivers.ids(foreign.url)).toEqual([]);
  await laterCron(HOUR);
  expect((await status(erasures.id)).lag).toBe(0);
});

it('goes on where it was after its bank has moved and is back: nothing is skipped, repeated or out of order', async () => {
  await makeEvents(2);
  await service.deliverWebhooks();
  for (const shard of ['SHARD_2', 'SHARD_1'] as const) {
    await makeEvents(1);
    await moveBank(shard);
    // Its message still names the shard of before.
    await service.deliverWebhooks();
    await makeEvents(1);
    await laterCron(60_000);
  }
  expect(receivers.ids()).toEqual(eventIds(2, 7));
  expect(await status()).toMatchObject({ position: `evt_${LAGOS}_7`, lag: 0 });
});

describe('a receiver that fails', () => {
  it('gets the same event again, after a growing wait, and nothing out of order', async () => {
    receivers.answer = (request) => ([500, 'refuses', 302, 204][request] as 500) ?? 204;
    await makeEvents(3);
    const waits: number[] = [];
    for (let request = 0; request < 3; request += 1) {
      await service.deliverWebhooks();
      const { nextAttemptAt, lastStatusCode, position } = await status();
      expect([lastStatusCode, position]).toEqual([[500, null, 302][request], `evt_${LAGOS}_1`]);
      waits.push(Date.parse(nextAttemptAt) - now);
      // Too early, nothing is sent.
      await service.deliverMessages([{ bankId: LAGOS, endpointId: webhook.id, ...HOME }], WEBHOOK_QUEUE);
      expect(receivers.received).toHaveLength(request + 1);
      now = Date.parse(nextAttemptAt);
      await service.sweep();
    }
    for (const [failures, wait] of waits.entries()) {
      expect(wait).toBeGreaterThanOrEqual(2_500 * 2 ** failures);
      expect(wait).toBeLessThanOrEqual(5_000 * 2 ** failures);
    }
    await service.deliverWebhooks();
    expect(receivers.ids()).toEqual([...receivers.ids().slice(0, 3), ...eventIds(2, 4)]);
    expect(new Set(receivers.ids().slice(0, 3))).toEqual(new Set(eventIds(2, 2)));
    expect(await status()).toMatchObject({ failingSince: null, nextAttemptAt: null, lag: 0 });
  });

  it('waits for six hours at most, and for at least half of that', () => {
    for (const random of [0, 0.5, 0.999]) {
      const delays = Array.from({ length: 40 }, (_, failures) => retryDelayMs(failures, () => random));
      expect(Math.max(...delays)).toBeLessThanOrEqual(MAX_DELAY_MS);
      expect(delays.at(-1)).toBeGreaterThanOrEqual(MAX_DELAY_MS / 2);
    }
  });

  it('is disabled after 72 hours, and its bank’s other endpoints and its audit log are told', async () => {
    receivers.answer = (_, url) => (url === webhook.url ? 503 : 204);
    await makeEvents(1);
    const other = await createWebhook(service, { url: 'https://hooks.example.net/b' });
    for (let hour = 0; hour < 71; hour += 1) await laterCron(HOUR);
    expect((await status()).status).toBe('ENABLED');
    for (let hour = 0; hour < 7; hour += 1) await laterCron(HOUR);
    expect(await status()).toMatchObject({
      status: 'DISABLED',
      disabledReason: 'FAILING',
      position: `evt_${LAGOS}_1`,
    });
    const disabled = { webhookId: webhook.id, reason: 'FAILING' };
    expect(receivers.received.filter(({ url }) => url === other.url).map(({ event }) => event.data)).toEqual([
      disabled,
    ]);
    expect(service.log).toContainEqual(
      expect.objectContaining({ event: 'webhook_disabled', webhook: webhook.id, reason: 'FAILING' }),
    );
    const audit = await service.get(`/v1/bank/audit?subject=${webhook.id}`);
    expect(audit.body.data[0]).toMatchObject({ action: 'webhook.disabled', keyId: null });
  });

  it('is disabled at once if it answers with a 410, and goes on where it was when it is enabled', async () => {
    receivers.answer = () => 410;
    await makeEvents(2);
    await service.deliverWebhooks();
    expect(await status()).toMatchObject({ status: 'DISABLED', disabledReason: 'GONE', lastStatusCode: 410 });
    await laterCron(24 * HOUR);
    expect(receivers.received).toHaveLength(1);
    receivers.answer = () => 200;
    const enabled = await service.request('POST', `/v1/bank/webhooks/${webhook.id}/enable`);
    expect(enabled.body.data).toMatchObject({ status: 'ENABLED', disabledAt: null, disabledReason: null });
    await service.deliverWebhooks();
    expect(receivers.ids()).toEqual([...eventIds(2, 2), ...eventIds(2, 4)]);
    expect(receivers.received.at(-1)?.event.type).toBe('webhook.disabled');
  });

  it('is tried at most once in 10 seconds, however often the bank enables the webhook', async () => {
    await makeEvents(1);
    receivers.answer = () => 500;
    await service.deliverWebhooks();
    const enable = async () => {
      await service.request('POST', `/v1/bank/webhooks/${webhook.id}/enable`);
      await service.deliverWebhooks();
    };
    await enable();
    now += 9_999;
    await enable();
    expect(receivers.received).toHaveLength(1);
    now += 1;
    await enable();
    expect(receivers.received).toHaveLength(2);
  });

  it('cannot digest an event: the bank skips it, and only it', async () => {
    receivers.answer = (request) => (receivers.ids()[request] === `evt_${LAGOS}_3` ? 500 : 204);
    await makeEvents(3);
    await service.deliverWebhooks();
    expect((await status()).position).toBe(`evt_${LAGOS}_2`);
    now += 10_000;
    await service.request('POST', `/v1/bank/webhooks/${webhook.id}/enable?after=evt_${LAGOS}_3`);
    await service.deliverWebhooks();
    expect(receivers.ids()).toEqual(eventIds(2, 4));
  });

  it('may answer with a body that never ends, and is not read', async () => {
    let cancelled = false;
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1_024)),
      cancel: () => {
        cancelled = true;
      },
    });
    receivers.answer = () => new Response(endless);
    await makeEvents(1);
    await service.deliverWebhooks();
    expect([cancelled, (await status()).lag]).toEqual([true, 0]);
  });
});

describe('an event that the log no longer keeps', () => {
  it('disables the endpoint that still needed it, instead of being skipped in silence', async () => {
    await makeEvents(3);
    await env.SHARD_1.prepare('DELETE FROM events WHERE sequence <= 2').run();
    await service.deliverWebhooks();
    expect(await status()).toMatchObject({ status: 'DISABLED', disabledReason: 'EVENTS_EXPIRED' });
    expect(receivers.received).toEqual([]);
    const enable = (query: string) =>
      service.request('POST', `/v1/bank/webhooks/${webhook.id}/enable${query}`);
    const refused = await enable('');
    expect([refused.status, refused.body.code]).toEqual([410, 'EVENTS_EXPIRED']);
    const [, after] = /use (evt_\w+)/.exec(refused.body.errors[0].message) ?? [];
    expect((await enable(`?after=${after}`)).status).toBe(200);
    await service.deliverWebhooks();
    expect(receivers.ids()).toEqual(eventIds(3, 5));
  });

  it('is removed by the cron after 30 days, and the log has no gap', async () => {
    await makeEvents(2);
    now += 20 * 24 * HOUR;
    await makeEvents(1);
    await service.sweep();
    expect(await idsInLog()).toEqual(eventIds(1, 4));
    now += 10 * 24 * HOUR + 1;
    await service.sweep();
    expect(await idsInLog()).toEqual(eventIds(4, 4));
    await makeEvents(1);
    expect(await idsInLog()).toEqual(eventIds(4, 5));
  });

  async function idsInLog(): Promise<string[]> {
    const { body } = await service.get('/v1/bank/events');
    return body.data.map(({ id }: { id: string }) => id);
  }
});

describe('two deliverers', () => {
  const deliver = (by: Service) =>
    by.deliverMessages([{ bankId: LAGOS, endpointId: webhook.id, ...HOME }], WEBHOOK_QUEUE);

  it('do not send to one endpoint at the same time', async () => {
    await makeEvents(1);
    let release = () => {};
    receivers.answer = () => new Promise((resolve) => (release = () => resolve(204)));
    const first = deliver(service);
    while (receivers.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    await deliver(isolate());
    release();
    await first;
    expect(receivers.ids()).toEqual(eventIds(2, 2));
    expect((await status()).lag).toBe(0);
  });

  it('never move a position back: the result of one whose lease has ended counts for nothing', async () => {
    await makeEvents(2);
    let release = () => {};
    receivers.answer = (request) =>
      request === 0 ? new Promise((resolve) => (release = () => resolve(500))) : 204;
    const late = deliver(service);
    while (receivers.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    now += HOUR;
    await deliver(isolate());
    expect((await status()).position).toBe(`evt_${LAGOS}_3`);
    release();
    await late;
    expect(await status()).toMatchObject({ position: `evt_${LAGOS}_3`, failingSince: null });
    expect(receivers.ids()).toEqual([...eventIds(2, 2), ...eventIds(2, 3)]);
  });

  it('never send two requests at once, however often the bank changes or enables the webhook', async () => {
    await makeEvents(2);
    let release = () => {};
    receivers.answer = () => new Promise((resolve) => (release = () => resolve(500)));
    const first = deliver(service);
    while (receivers.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    await service.request('POST', `/v1/bank/webhooks/${webhook.id}/enable`);
    const body = { url: 'https://hooks.example.net/other' };
    await service.request('PATCH', `/v1/bank/webhooks/${webhook.id}`, { body });
    await deliver(isolate());
    expect(receivers.received).toHaveLength(1);
    release();
    await first;
    receivers.answer = () => 204;
    await laterCron(60_000);
    expect(receivers.ids(body.url)).toEqual(eventIds(2, 3));
  });

  it('skip no event of a type that is added while one is sending', async () => {
    const url = 'https://hooks.example.net/b';
    const { id } = await createWebhook(service, { url, types: ['batch.completed'] });
    const deliverTo = (by: Service) =>
      by.deliverMessages([{ bankId: LAGOS, endpointId: id, ...HOME }], WEBHOOK_QUEUE);
    await service.createCustomer(sentCustomer(2));
    await makeEvents(2);
    let release = () => {};
    receivers.answer = (request) =>
      request === 0 ? new Promise((resolve) => (release = () => resolve(204))) : 204;
    const late = deliverTo(service);
    while (receivers.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    const body = { types: ['batch.completed', 'customer.updated'] };
    await service.request('PATCH', `/v1/bank/webhooks/${id}`, { body });
    release();
    await late;
    // The lease of the first ends.
    now += HOUR;
    await deliverTo(isolate());
    expect(receivers.ids(url)).toEqual([...eventIds(2, 2), ...eventIds(2, 4)]);
  });

  it('send an event again if the first dies after sending it, with the same id', async () => {
    await makeEvents(1);
    service.pendingEndpoints.splice(0);
    // The claim works, and the write of the result fails.
    await deliver(
      isolate(({ SHARD_1 }) => ({
        SHARD_1: {
          prepare: (sql: string) => {
            if (sql.startsWith('UPDATE webhook_endpoints SET position')) throw new Error('died');
            return SHARD_1.prepare(sql);
          },
          batch: (statements: D1PreparedStatement[]) => SHARD_1.batch(statements),
        } as unknown as D1Database,
      })),
    );
    await laterCron(60_000);
    expect(receivers.ids()).toEqual([...eventIds(2, 2), ...eventIds(2, 2)]);
    expect((await status()).lag).toBe(0);
  });
});

describe('the queue', () => {
  it('may lose every message: the cron finds what is due', async () => {
    await makeEvents(2);
    await laterCron(60_000);
    expect(receivers.ids()).toEqual(eventIds(2, 3));
  });

  it('may fail: the change is made all the same, and the cron finds it', async () => {
    const broken = { sendBatch: () => Promise.reject(new Error('queue unavailable')) } as unknown as Queue;
    const without = isolate(() => ({ WEBHOOK_QUEUE: broken }));
    expect((await without.updateCustomer(ada.id, { state: 'Ogun' })).status).toBe(200);
    expect(without.log).toContainEqual(expect.objectContaining({ event: 'webhook_send_failed' }));
    await laterCron(60_000);
    expect(receivers.ids()).toEqual(eventIds(2, 2));
  });

  it('has its messages acknowledged before a receiver answers, unreadable ones and those of unknown endpoints too', async () => {
    await makeEvents(1);
    service.pendingEndpoints.splice(0);
    const bodies = [
      { bankId: LAGOS, endpointId: webhook.id, ...HOME },
      { x: 1 },
      { bankId: 'bnk_x', endpointId: 'whk_x', ...HOME },
    ];
    const { explicitAcks, outcome } = await service.deliverMessages(bodies, WEBHOOK_QUEUE);
    expect([explicitAcks.length, outcome]).toEqual([3, 'ok']);
    expect(service.log).toContainEqual(expect.objectContaining({ event: 'unreadable_message' }));
    expect(wranglerToml).toContain('"queue_consumer_no_wait_for_wait_until"');
  });

  it('brings as many messages as an invocation makes requests, and an invocation makes four', async () => {
    const [, size] = /queue = "webhook-deliveries"\nmax_batch_size = (\d+)/.exec(wranglerToml) ?? [];
    expect([Number(size), MAX_REQUESTS]).toEqual([4, 4]);
    const others = [];
    for (let n = 0; n < 4; n += 1)
      others.push(await createWebhook(service, { url: `https://hooks.example.net/${n}` }));
    await makeEvents(9);
    service.pendingEndpoints.splice(0);
    await service.deliverMessages([{ bankId: LAGOS, endpointId: webhook.id, ...HOME }], WEBHOOK_QUEUE);
    expect(receivers.ids()).toEqual(eventIds(2, 5));
    const pointers = [webhook, ...others].map(({ id }) => ({ bankId: LAGOS, endpointId: id, ...HOME }));
    const { retryMessages } = await service.deliverMessages(pointers, WEBHOOK_QUEUE);
    expect([receivers.received.length, retryMessages.length]).toEqual([8, 1]);
  });
});

it('one endpoint that hangs delays no other endpoint, and is given up after 10 seconds', async () => {
  const deadlines: (() => void)[] = [];
  service = new Service(undefined, {
    fetch: receivers.fetch,
    now: () => now,
    timer: (milliseconds, callback) => {
      if (milliseconds === 10_000) deadlines.push(callback);
      return () => {};
    },
  });
  const other = await createWebhook(service, { url: 'https://hooks.example.net/b' });
  receivers.answer = (_, url) => (url === webhook.url ? 'hangs' : 204);
  await makeEvents(1);
  const delivering = service.deliverWebhooks();
  while ((await status(other.id)).lag > 0) await new Promise((resolve) => setTimeout(resolve, 0));
  expect((await status()).lag).toBe(1);
  for (const expire of deadlines) expire();
  await delivering;
  expect(await status()).toMatchObject({ lastStatusCode: null, lag: 1 });
});

it('costs two rows written, one for each further event, and none if there is nothing to send', async () => {
  const meter = new Meter();
  const metered = isolate((bindings) => meter.bindings(bindings));
  const deliver = async () => {
    meter.reset();
    await metered.deliverMessages([{ bankId: LAGOS, endpointId: webhook.id, ...HOME }], WEBHOOK_QUEUE);
    return meter.rowsWritten;
  };
  await makeEvents(1);
  expect([await deliver(), await deliver()]).toEqual([2, 0]);
  await makeEvents(4);
  expect(await deliver()).toBe(5);
  expect(receivers.received).toHaveLength(5);
  // The next events of an endpoint that is up to date cost no read of the log.
  expect(meter.d1Calls).toBe(5);
});

it('survives an answer of D1 that is lost: the event is sent again, and nothing is skipped', async () => {
  await makeEvents(3);
  const pointer = service.pendingEndpoints.splice(0).slice(0, 1);
  await isolate(({ SHARD_1 }) => ({ SHARD_1: faultyDatabase(SHARD_1, ['throws after']) })).deliverMessages(
    pointer,
    WEBHOOK_QUEUE,
  );
  expect(receivers.received).toEqual([]);
  await laterCron(60_000);
  expect(receivers.ids()).toEqual(eventIds(2, 4));
});
