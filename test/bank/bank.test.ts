/** `GET /v1/bank`: who is calling. */
import { beforeEach, expect, it } from 'vitest';
import { SCOPES } from '../../src/api-keys/scopes.ts';
import { ACCRA, API_KEYS, LAGOS } from '../support/banks.ts';
import { sentCustomers } from '../support/customers.ts';
import { Meter } from '../support/meter.ts';
import { Service } from '../support/service.ts';

let service: Service;
let meter: Meter;

beforeEach(() => {
  meter = new Meter();
  service = new Service((bindings) => meter.bindings(bindings));
});

const bankOf = async (apiKey: string) => (await service.get('/v1/bank', apiKey)).body.data;

it('names the bank of the API key, the key and its scopes', async () => {
  expect(await bankOf(API_KEYS.full)).toMatchObject({
    id: LAGOS,
    name: 'Lagos',
    keyId: 'key_lagos_full',
    scopes: [...SCOPES],
  });
  expect(await bankOf(API_KEYS.network)).toMatchObject({
    id: ACCRA,
    name: 'Accra',
    scopes: ['network:resolve'],
  });
});

it('counts the customers of that bank alone, as they are created and erased', async () => {
  const created = await service.createCustomers(sentCustomers(3));
  await service.createCustomers(sentCustomers(2), API_KEYS.other);
  await service.request('DELETE', `/v1/bank/customer?id=${created[0]?.id}`);
  expect((await bankOf(API_KEYS.full)).customerCount).toBe(2);
  expect((await bankOf(API_KEYS.otherStandard)).customerCount).toBe(2);
});

it('tells an API key that may not read customers nothing of their number', async () => {
  await service.createCustomers(sentCustomers(3));
  for (const key of [API_KEYS.writer, API_KEYS.network]) expect((await bankOf(key)).customerCount).toBeNull();
});

it('has the limits that apply, also those that the operator has set', async () => {
  const { headers, body: own } = await service.get('/v1/bank');
  const { limits } = own.data;
  expect(limits).toMatchObject({ batchRows: 10_000, pageRows: 1_000, openBatches: 100 });
  const { limit, seconds } = limits.rates.find(({ name }: { name: string }) => name === 'lookups');
  expect(headers.get('RateLimit-Policy')).toContain(`"lookups";q=${limit};w=${seconds}`);
  const other = new Service(() => ({ MAX_OPEN_BATCHES: 7, MAX_FAILURES_PER_DAY: 8 }));
  const { body } = await other.get('/v1/bank');
  expect(body.data.limits).toMatchObject({ openBatches: 7, failuresPerDay: 8 });
});

it('costs one D1 call that reads two rows, however many customers the bank has', async () => {
  await service.createCustomers(sentCustomers(50));
  await bankOf(API_KEYS.full);
  meter.reset();
  await bankOf(API_KEYS.full);
  expect(meter.calls).toEqual({ d1Calls: 1, cacheReads: 0, cacheWrites: 0, queueSends: 0 });
  expect(meter.rowsRead).toBe(2);
});
