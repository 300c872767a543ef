/** The client's part of events and webhooks, against the real service and the specification's own library. */
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  createClient,
  signWebhook,
  verifyWebhook,
  WebhookVerificationError,
  type Event,
  type PeereClient,
} from '../../packages/client/src/client.ts';
import { API_KEYS, LAGOS, WEBHOOK_ID, WEBHOOK_SECRET } from '../support/banks.ts';
import { sentCustomer } from '../support/customers.ts';
import { Service, type KnownCustomer } from '../support/service.ts';
import { Receivers, type Received } from '../webhooks/receivers.ts';

let receivers: Receivers;
let service: Service;
let client: PeereClient;
let ada: KnownCustomer;
/** Called instead of a wait. */
let onSleep: () => Promise<void>;

beforeEach(async () => {
  receivers = new Receivers();
  service = new Service(undefined, { fetch: receivers.fetch });
  onSleep = () => Promise.resolve();
  client = createClient({
    url: 'https://api.example.com',
    key: API_KEYS.full,
    fetch: (url, init) => service.fetch(new Request(url, init)),
    sleep: async (_, signal) => {
      await onSleep();
      signal?.throwIfAborted();
    },
  });
  ada = await service.createCustomer(sentCustomer(1));
});

/** What a delivery looks like to a receiver. */
async function deliver(): Promise<Received> {
  await service.deliverWebhooks();
  const delivery = receivers.received.at(-1);
  if (delivery === undefined) throw new Error('Nothing was delivered.');
  return delivery;
}
const toRequest = ({ url, headers, text }: Received) =>
  new Request(url, { method: 'POST', headers, body: text });

describe('verifyWebhook', () => {
  it('accepts what the service sends, as a Request of fetch and as the headers and body of Node', async () => {
    const { secret } = await client.webhooks.create({
      url: 'https://hooks.example.net/',
      types: ['customer.updated'],
    });
    await service.updateCustomer(ada.id, { state: 'Ogun' });
    const delivery = await deliver();
    const event = await verifyWebhook(toRequest(delivery), secret);
    expect(event).toMatchObject({ type: 'customer.updated', data: { customerId: ada.id } });
    if (event.type === 'customer.updated') expect(event.data.fields).toEqual(['state']);
    const { headers, text } = delivery;
    expect(await verifyWebhook({ headers, body: text }, secret)).toEqual(event);
    expect(
      await verifyWebhook({ headers, body: new TextEncoder().encode(text) }, [WEBHOOK_SECRET, secret]),
    ).toEqual(event);
    // The specification's own library does too.
    expect(new StandardWebhook(secret).verify(text, headers)).toEqual(event);
  });

  it('accepts deliveries of the previous and of the new secret during a rotation, as the library does', async () => {
    const { secret } = await client.webhooks.rotateSecret(WEBHOOK_ID);
    await client.webhooks.test(WEBHOOK_ID);
    const delivery = await deliver();
    for (const one of [secret, WEBHOOK_SECRET]) {
      expect(await verifyWebhook(toRequest(delivery), one)).toMatchObject({ type: 'ping' });
      expect(new StandardWebhook(one).verify(delivery.text, delivery.headers)).toMatchObject({
        type: 'ping',
      });
    }
  });

  it('accepts what the library signs, and the library accepts what signWebhook signs', async () => {
    const [id, timestamp, body] = ['evt_bnk_x_1', new Date(), '{"type":"ping","ü":"✓"}'];
    const library = new StandardWebhook(WEBHOOK_SECRET);
    const own = await signWebhook(WEBHOOK_SECRET, { id, timestamp, body });
    expect(own['webhook-signature']).toBe(library.sign(id, timestamp, body));
    expect(await verifyWebhook({ headers: new Headers(own), body }, WEBHOOK_SECRET)).toEqual(
      JSON.parse(body),
    );
    expect(library.verify(body, own)).toEqual(JSON.parse(body));
  });

  it('refuses whatever is not what the service sent, or is older than five minutes', async () => {
    const sign = async (seconds = 0, body = '{}') => ({
      body,
      headers: await signWebhook(WEBHOOK_SECRET, {
        id: 'evt_bnk_x_1',
        timestamp: new Date(Date.now() + seconds * 1_000),
        body,
      }),
    });
    const good = await sign();
    const with_ = (headers: object) => ({ ...good, headers: { ...good.headers, ...headers } });
    const signature = good.headers['webhook-signature'];
    const wrong = [
      { ...good, body: '{ }' },
      await sign(-301),
      await sign(301),
      with_({ 'webhook-id': 'evt_bnk_x_2' }),
      with_({ 'webhook-timestamp': String(Number(good.headers['webhook-timestamp']) + 1) }),
      with_({ 'webhook-timestamp': 'now' }),
      with_({ 'webhook-signature': undefined }),
      with_({ 'webhook-signature': '' }),
      with_({ 'webhook-signature': signature.replace('v1,', 'v2,') }),
      with_({ 'webhook-signature': 'v1,§' }),
      with_({ 'webhook-signature': signature.slice(0, -4) }),
      { ...good, headers: new Headers() },
    ];
    for (const request of wrong) {
      await expect(verifyWebhook(request, WEBHOOK_SECRET)).rejects.toBeInstanceOf(WebhookVerificationError);
    }
    await expect(verifyWebhook(good, `whsec_${btoa('another')}`)).rejects.toThrow('no signature fits');
    for (const secret of ['', 'whsec_', 'whsec_§', WEBHOOK_SECRET.slice(6)]) {
      await expect(verifyWebhook(good, secret)).rejects.toBeInstanceOf(TypeError);
    }
    const several = with_({ 'webhook-signature': `v1a,xyz v1,AAAA ${signature}` });
    expect(await verifyWebhook(several, WEBHOOK_SECRET)).toEqual({});
    expect(await verifyWebhook(await sign(-299), WEBHOOK_SECRET)).toEqual({});
  });
});

it('manages webhooks from their creation to their end', async () => {
  const { webhooks } = client;
  const { secret, ...created } = await webhooks.create({
    url: 'https://hooks.example.net/',
    types: ['batch.completed'],
  });
  expect(secret).toMatch(/^whsec_/);
  expect(await webhooks.get(created.id)).toEqual(created);
  expect((await webhooks.list()).map(({ id }) => id)).toEqual([WEBHOOK_ID, created.id]);
  expect((await webhooks.update(created.id, { types: ['batch.stalled'] })).types).toEqual(['batch.stalled']);
  expect(await webhooks.test(created.id)).toMatchObject({ delivered: true, statusCode: 204 });
  expect((await webhooks.enable(WEBHOOK_ID, { after: `evt_${LAGOS}_1` })).position).toBe(`evt_${LAGOS}_1`);
  await webhooks.delete(created.id);
  await expect(webhooks.get(created.id)).rejects.toMatchObject({ code: 'WEBHOOK_NOT_FOUND' });
});

it('reads all events, goes on after one, and follows those that are still to come', async () => {
  for (const state of ['a', 'b']) await service.updateCustomer(ada.id, { state });
  const collect = async (events: AsyncGenerator<Event>) =>
    (await Array.fromAsync(events)).map(({ id }) => id);
  const ids = [1, 2, 3].map((n) => `evt_${LAGOS}_${n}`);
  expect(await collect(client.events({ limit: 2 }))).toEqual(ids);
  expect(await collect(client.events({ after: ids[1] ?? '', type: 'customer.updated' }))).toEqual(
    ids.slice(2),
  );

  const stop = new AbortController();
  let waits = 0;
  onSleep = async () => {
    waits += 1;
    if (waits === 3) stop.abort(new Error('enough'));
    else await service.updateCustomer(ada.id, { state: `while waiting ${waits}` });
  };
  const seen: string[] = [];
  const following = (async () => {
    for await (const { id } of client.followEvents({}, { signal: stop.signal })) seen.push(id);
  })();
  await expect(following).rejects.toThrow('enough');
  expect(seen).toEqual([4, 5].map((n) => `evt_${LAGOS}_${n}`));
});
