/** `ETag`, `If-Match` and `If-None-Match` prevent lost updates. */
import { beforeEach, describe, expect, it } from 'vitest';
import { API_KEYS } from '../support/banks.ts';
import { d1Error, faultyDatabase, interceptTransactions } from '../support/faulty-bindings.ts';
import { sentCustomer } from '../support/customers.ts';
import { Meter } from '../support/meter.ts';
import { Service } from '../support/service.ts';

/** No lists of entity tags. */
const MALFORMED = ['unquoted', '"open', 'W/', '"a" "b"', 'a'.repeat(2_000)];

let service: Service;
let ada: { id: string; phrase: string };

beforeEach(async () => {
  service = new Service();
  ada = await service.createCustomer(sentCustomer(1));
});

const look = (by = `id=${ada.id}`, key: string = API_KEYS.full, headers = {}) =>
  service.get(`/v1/bank/customer?${by}`, key, headers);
const etagOf = async (...asked: Parameters<typeof look>) => (await look(...asked)).headers.get('ETag') ?? '';
const change = (state: string, headers: Record<string, string> = {}, by = service) =>
  by.request('PATCH', '/v1/bank/customer', { headers, body: { id: ada.id, update: { state } } });
const erase = (headers: Record<string, string>) =>
  service.request('DELETE', `/v1/bank/customer?id=${ada.id}`, { headers });

describe('an ETag', () => {
  it('is the same by every identifier, cached or not, and changes with the customer', async () => {
    const phrase = `phrase=${ada.phrase}`;
    const before = await etagOf();
    expect(before).toMatch(/^"[\w]+"$/);
    expect(await etagOf(phrase, API_KEYS.standard)).toBe(before);
    expect(await etagOf(phrase, API_KEYS.standard)).toBe(before);
    const changed = (await change('Lagos')).headers.get('ETag');
    expect(changed).not.toBe(before);
    expect(await etagOf(phrase, API_KEYS.standard)).toBe(changed);
    expect(await etagOf()).toBe(changed);
  });
});

describe('If-Match', () => {
  it('lets the first of two clients change a customer, and refuses the second with 412', async () => {
    const tag = await etagOf();
    expect((await change('first', { 'If-Match': tag })).status).toBe(200);
    const second = await change('second', { 'If-Match': tag });
    expect([second.status, second.body.code, second.body.errors[0].field]).toEqual([
      412,
      'PRECONDITION_FAILED',
      'If-Match',
    ]);
    expect((await look()).body.data.state).toBe('first');
    expect((await service.get(`/v1/bank/audit?subject=${ada.id}`)).body.data).toHaveLength(1);
  });

  it('accepts a list of tags, and *', async () => {
    expect((await change('a', { 'If-Match': `"other", ${await etagOf()}` })).status).toBe(200);
    expect((await change('b', { 'If-Match': '*' })).status).toBe(200);
  });

  it('accepts a tag that a proxy made weak, and refuses that of an older revision', async () => {
    const tag = await etagOf();
    expect((await change('a', { 'If-Match': `"other", W/${tag}` })).status).toBe(200);
    expect((await change('b', { 'If-Match': `W/${tag}` })).status).toBe(412);
    expect((await erase({ 'If-Match': `W/${tag}` })).status).toBe(412);
    expect((await erase({ 'If-Match': `W/${await etagOf()}` })).status).toBe(200);
  });

  it('returns 404 for an unknown customer, as without the header', async () => {
    const body = { id: 'cus_nobody', update: { state: 'x' } };
    const answer = await service.request('PATCH', '/v1/bank/customer', {
      headers: { 'If-Match': '"a"' },
      body,
    });
    expect(answer.status).toBe(404);
  });

  it.each(MALFORMED)('returns 400 for %s, and names the header', async (tag) => {
    const answer = await change('x', { 'If-Match': tag });
    expect([answer.status, answer.body.errors[0].field]).toEqual([400, 'If-Match']);
  });

  it('is checked before a phone number is compared with the customer’s country', async () => {
    const ask = async (phone: string, headers: Record<string, string>, id = ada.id) => {
      const answer = await service.request('PATCH', '/v1/bank/customer', {
        headers,
        body: { id, update: { phone } },
      });
      return [answer.status, answer.text.replaceAll(/req_\w+/g, '')];
    };
    const fitting = await ask('0803 123 4567', { 'If-Match': '"other"' });
    expect(fitting[0]).toBe(412);
    expect(await ask('0803', { 'If-Match': '"other"' })).toEqual(fitting);
    expect((await ask('0803', { 'If-Match': '"other"' }, 'cus_nobody'))[0]).toBe(404);
    expect((await ask('0803', { 'If-Match': await etagOf() }))[0]).toBe(400);
    expect((await ask('0803 123 4567', { 'If-Match': await etagOf() }))[0]).toBe(200);
  });

  it('succeeds for an update that was committed although its response was lost', async () => {
    const tag = await etagOf();
    const unlucky = new Service(({ SHARD_1 }) => ({ SHARD_1: faultyDatabase(SHARD_1, ['throws after']) }));
    expect((await change('Ogun', { 'If-Match': tag }, unlucky)).status).toBe(200);
  });

  it('succeeds for an update that was overtaken before it could be read back', async () => {
    const tag = await etagOf();
    const unlucky = new Service(({ SHARD_1 }) => ({
      SHARD_1: interceptTransactions(SHARD_1, async (number, work) => {
        const result = await work();
        if (number > 1) return result;
        await change('later');
        throw d1Error('Network connection lost.');
      }),
    }));
    expect((await change('Ogun', { 'If-Match': tag }, unlucky)).status).toBe(200);
    expect((await look()).body.data.state).toBe('later');
    expect((await service.get(`/v1/bank/audit?subject=${ada.id}`)).body.data).toHaveLength(2);
  });

  it('prevents the erasure of a customer that has changed', async () => {
    const tag = await etagOf();
    await change('Lagos');
    expect((await erase({ 'If-Match': tag })).status).toBe(412);
    expect((await erase({ 'If-Match': await etagOf() })).status).toBe(200);
  });
});

describe('If-None-Match', () => {
  it.each(['full', 'standard'] as const)('saves sending a body that the client has (%s key)', async (key) => {
    const by = `phrase=${ada.phrase}`;
    const tag = await etagOf(by, API_KEYS[key]);
    for (const known of [tag, `W/${tag}`, `"x", ${tag}`, '*']) {
      const answer = await look(by, API_KEYS[key], { 'If-None-Match': known });
      expect([answer.status, answer.text, answer.headers.get('ETag')]).toEqual([304, '', tag]);
    }
    await change('Lagos');
    expect((await look(by, API_KEYS[key], { 'If-None-Match': tag })).status).toBe(200);
  });

  it.each(MALFORMED)('%s is a 400 that names it, whoever is looked up, and D1 is not asked', async (tag) => {
    const meter = new Meter();
    service = new Service((bindings) => meter.bindings(bindings));
    // An isolate remembers API keys that it has checked.
    for (const key of [API_KEYS.full, API_KEYS.standard]) await look('id=cus_nobody', key);
    meter.reset();
    for (const by of [`id=${ada.id}`, 'id=cus_nobody', `phrase=${ada.phrase}`, 'email=nobody@example.com']) {
      for (const key of [API_KEYS.full, API_KEYS.standard]) {
        const answer = await look(by, key, { 'If-None-Match': tag });
        expect([answer.status, answer.body.errors[0].field]).toEqual([400, 'If-None-Match']);
        expect(['ETag', 'X-D1-Bookmark', 'X-Cache'].filter((name) => answer.headers.has(name))).toEqual([]);
      }
    }
    expect([meter.d1Calls, meter.cacheReads]).toEqual([0, 0]);
  });
});
