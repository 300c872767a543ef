/** One bank never sees another bank's customers: they are answered like customers that do not exist, to the byte. */
import { env } from 'cloudflare:workers';
import { beforeEach, expect, it } from 'vitest';
import { API_KEYS } from '../support/banks.ts';
import { sentCustomer } from '../support/customers.ts';
import { Meter } from '../support/meter.ts';
import { Service, type ServiceResponse } from '../support/service.ts';

interface Identifiers {
  id: string;
  email: string;
  phrase: string;
  batchId: string;
}
type Verb = 'GET' | 'HEAD' | 'PATCH' | 'DELETE';
interface Case {
  verb: Verb;
  key: string;
  headers: Record<string, string>;
  path: (identifiers: Identifiers) => string;
  body?: (identifiers: Identifiers) => unknown;
}

const NOBODY: Identifiers = {
  id: 'cus_01K0000000000000000000000A',
  email: 'nobody@example.com',
  phrase: 'zoo-zoo-zoo-zoo',
  batchId: 'bat_01K0000000000000000000000A',
};
const IDENTIFIERS = ['id', 'email', 'phrase'] as const;
/** Every non-empty subset. */
const subsets = <Item>(items: readonly Item[]): Item[][] =>
  items.reduce<Item[][]>((found, item) => [...found, ...found.map((one) => [...one, item])], [[]]).slice(1);

function cases(): Record<string, Case> {
  const all: Record<string, Case> = {};
  const add = (name: string, { verb, key, headers = {}, ...rest }: Omit<Case, 'headers'> & Partial<Case>) => {
    const keyName = key === API_KEYS.other ? 'full' : 'standard';
    all[
      `${verb} ${name} (${keyName}${Object.keys(headers).length > 0 ? `, ${Object.keys(headers).join()}` : ''})`
    ] = {
      verb,
      key,
      headers,
      ...rest,
    };
  };
  for (const key of [API_KEYS.other, API_KEYS.otherStandard]) {
    for (const verb of ['GET', 'HEAD'] as const) {
      for (const headers of [{}, { 'Cache-Control': 'no-cache' }, { 'If-None-Match': '"x"' }]) {
        for (const by of subsets(IDENTIFIERS)) {
          const path = (who: Identifiers) =>
            `/v1/bank/customer?${by.map((name) => `${name}=${who[name]}`).join('&')}`;
          add(`customer by ${by.join('+')}`, { verb, key, headers, path });
        }
      }
      for (const by of subsets(['ids', 'phrases'] as const)) {
        for (const sort of ['', '&sortBy=accountName', '&page=2']) {
          const path = (who: Identifiers) =>
            `/v1/bank/customers?${by.map((name) => `${name}=${name === 'ids' ? who.id : who.phrase}`).join('&')}${sort}`;
          add(`customers by ${by.join('+')}${sort}`, { verb, key, path });
        }
      }
      for (const what of ['', '/failures', '/customers']) {
        add(`batch${what}`, {
          verb,
          key,
          path: ({ batchId }) => `/v1/bank/customers/batches/${batchId}${what}`,
        });
      }
    }
  }
  for (const what of ['id', 'batchId'] as const) {
    add(`audit of ${what}`, {
      verb: 'GET',
      key: API_KEYS.other,
      path: (who) => `/v1/bank/audit?subject=${who[what]}`,
    });
  }
  for (const headers of [{}, { 'If-Match': '*' }, { 'If-Match': '"x"' }]) {
    const key = API_KEYS.other;
    const body = ({ id }: Identifiers) => ({ id, update: { state: 'x' } });
    add(`customer ${JSON.stringify(headers)}`, {
      verb: 'PATCH',
      key,
      headers,
      path: () => '/v1/bank/customer',
      body,
    });
    const path = ({ id }: Identifiers) => `/v1/bank/customer?id=${id}`;
    add(`customer ${JSON.stringify(headers)}`, { verb: 'DELETE', key, headers, path });
  }
  return all;
}

let service: Service;
let meter: Meter;
let theirs: Identifiers;

beforeEach(async () => {
  meter = new Meter();
  service = new Service((bindings) => meter.bindings(bindings));
  const [row] = await service.createCustomers([sentCustomer(1), sentCustomer(2, { email: 'broken' })]);
  if (row !== undefined) theirs = row;
  // Their customer is cached, in case we would be answered from their cache; and our API keys are cached, so that calls
  // can be compared.
  await service.get(`/v1/bank/customer?phrase=${theirs.phrase}`, API_KEYS.standard);
  for (const key of [API_KEYS.other, API_KEYS.otherStandard]) await service.get('/v1/bank/customers', key);
});

/** Everything that a client sees, without what differs between any two responses, and without its own parameters. */
function seen({ status, headers, text }: ServiceResponse, asked: Identifiers): string {
  const visible = [...headers].filter(([name]) => !['x-request-id', 'ratelimit'].includes(name));
  let whole = JSON.stringify([status, visible, text.replace(headers.get('X-Request-Id') ?? '', '')]);
  for (const value of Object.values(asked)) whole = whole.replaceAll(value, '?');
  return whole;
}

const CASES = cases();

it('tries at least 60 cases', () => {
  expect(Object.keys(CASES).length).toBeGreaterThanOrEqual(60);
});

it.each(['GET', 'HEAD', 'PATCH', 'DELETE'])(
  'answers every %s for another bank’s customers like one for customers that do not exist',
  async (verb) => {
    const dump = async () => (await env.SHARD_1.prepare('SELECT * FROM customers').all()).results;
    const before = await dump();
    for (const [name, { key: apiKey, headers, path, body, ...rest }] of Object.entries(CASES)) {
      if (rest.verb !== verb) continue;
      const ask = async (who: Identifiers) => {
        meter.reset();
        const sent = body === undefined ? {} : { body: body(who) };
        const answer = await service.request(verb, path(who), { apiKey, headers, ...sent });
        return { name, seen: seen(answer, who), calls: meter.calls };
      };
      expect(await ask(theirs)).toEqual(await ask(NOBODY));
    }
    expect(await dump()).toEqual(before);
  },
);

it('treats an Idempotency-Key that another bank has used like a new one', async () => {
  const send = (apiKey: string) =>
    service.request('POST', '/v1/bank/customers', {
      apiKey,
      headers: { 'Idempotency-Key': 'the-same' },
      body: { customers: [sentCustomer(8)] },
    });
  const first = await send(API_KEYS.full);
  const second = await send(API_KEYS.other);
  expect([second.status, second.headers.get('Idempotent-Replayed')]).toEqual([201, null]);
  expect(second.body.data.batchId).not.toBe(first.body.data.batchId);
});

it.each(IDENTIFIERS)(
  'makes the same calls of D1 for a hit and a miss by %s, and reads at most two rows',
  async (by) => {
    const ask = async (who: Identifiers) => {
      meter.reset();
      await service.get(`/v1/bank/customer?${by}=${who[by]}`);
      expect(meter.rowsRead).toBeLessThanOrEqual(2);
      return meter.calls;
    };
    expect(await ask(theirs)).toEqual(await ask(NOBODY));
  },
);
