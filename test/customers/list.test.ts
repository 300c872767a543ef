import { beforeEach, describe, expect, it } from 'vitest';
import { API_KEYS } from '../support/banks.ts';
import { sentCustomers } from '../support/customers.ts';
import { Service, type ServiceResponse } from '../support/service.ts';

interface Row {
  id: string;
  phrase: string;
  email: string;
  accountName: string;
  createdAt: string;
  bankId: string;
}

let service: Service;
let mine: { id: string; phrase: string; email: string }[];
let theirs: { id: string; phrase: string; email: string }[];

beforeEach(async () => {
  service = new Service();
  mine = [];
  // Two batches of each bank, with repeated names, and names in another order than that of creation.
  for (const round of [0, 1]) {
    const rows = sentCustomers(12).map((row, n) => ({
      ...row,
      email: `p${(n * 7) % 12}.${round}@example.com`,
      accountName: `Name ${n % 5}`,
    }));
    mine.push(...(await service.createCustomers(rows)));
    theirs = await service.createCustomers(rows, API_KEYS.other);
  }
});

const list = (query = '', key: string = API_KEYS.full) => service.get(`/v1/bank/customers${query}`, key);
const link = ({ headers }: ServiceResponse, relation: string) =>
  new RegExp(`<([^>]+)>; rel="${relation}"`).exec(headers.get('Link') ?? '')?.[1];
const ids = ({ body }: ServiceResponse) => (body as Row[]).map(({ id }) => id);

async function walk(address: string | undefined, relation: string): Promise<string[][]> {
  const pages: string[][] = [];
  for (let next = address; next !== undefined;) {
    const answer = await service.get(next);
    expect(answer.status).toBe(200);
    pages.push(ids(answer));
    next = link(answer, relation);
  }
  return pages;
}

it('returns a bare array of this bank’s customers, newest first, twenty per page', async () => {
  const answer = await list();
  expect(ids(answer)).toEqual(
    mine
      .map(({ id }) => id)
      .toReversed()
      .slice(0, 20),
  );
  expect(answer.headers.get('X-Total-Count')).toBe('24');
  expect(new Set((answer.body as Row[]).map(({ bankId }) => bankId))).toEqual(new Set(['bnk_lagos']));
});

it('shows for each row when its own batch was accepted, whatever row is next to it', async () => {
  const accepted = ['2026-01-02T03:04:05.006Z', '2026-02-03T04:05:06.007Z'];
  for (const [round, moment] of accepted.entries()) {
    const timed = new Service(undefined, { now: () => Date.parse(moment) });
    await timed.createCustomers(
      sentCustomers(3).map((row, n) => ({ ...row, email: `a${n}.${round}@x.org` })),
    );
  }
  const { body } = await list('?sortBy=email&limit=6');
  expect((body as Row[]).map(({ email, createdAt }) => [email, createdAt])).toEqual(
    [0, 1, 2].flatMap((n) => accepted.map((moment, round) => [`a${n}.${round}@x.org`, moment])),
  );
});

it('shows only the Standard fields to a Standard key', async () => {
  const { body } = await list('?limit=1', API_KEYS.standard);
  expect(Object.keys(body[0])).toEqual([
    'id',
    'accountName',
    'gender',
    'displayPicture',
    'bankId',
    'phrase',
    'country',
  ]);
});

describe.each(['createdAt', 'id', 'accountName', 'email'] as const)('sorted by %s', (field) => {
  it.each(['', '-'])('%severy row is on exactly one page, in order, forwards and backwards', async (sign) => {
    const forwards = await walk(`/v1/bank/customers?limit=5&sortBy=${sign}${field}`, 'next');
    const all = forwards.flat();
    expect(all.toSorted()).toEqual(mine.map(({ id }) => id).toSorted());

    const whole = (await list(`?limit=100&sortBy=${sign}${field}`)).body as Row[];
    expect(all).toEqual(whole.map(({ id }) => id));
    const keys = whole.map((row) => [row[field], row.id].join('\u0000'));
    const sorted = keys.toSorted();
    expect(keys).toEqual(sign === '' ? sorted : sorted.toReversed());

    let last: ServiceResponse = await list(`?limit=5&sortBy=${sign}${field}`);
    for (let next = link(last, 'next'); next; next = link(last, 'next')) last = await service.get(next);
    const backwards = await walk(link(last, 'prev'), 'prev');
    expect([...backwards.toReversed().flat(), ...ids(last)]).toEqual(all);
  });
});

it('pages by number and pages by cursor have the same rows', async () => {
  const third = await list('?limit=5&page=3');
  expect(ids(third)).toEqual(ids(await list('?limit=100')).slice(10, 15));
  const fourth = await service.get(link(third, 'next') ?? '');
  expect(ids(fourth)).toEqual(ids(await list('?limit=5&page=4')));
  expect(ids(await service.get(link(third, 'prev') ?? ''))).toEqual(ids(await list('?limit=5&page=2')));
  expect(link(third, 'first')).toBe('/v1/bank/customers?limit=5');
});

it('no URL contains an email or a name that the caller may not see', async () => {
  const { headers } = await list('?sortBy=email&limit=2', API_KEYS.standard);
  const cursor =
    new URL(link({ headers } as ServiceResponse, 'next') ?? '', 'http://x').searchParams.get('cursor') ?? '';
  const bytes = Uint8Array.fromBase64(cursor, { alphabet: 'base64url' });
  expect(new TextDecoder().decode(bytes)).not.toContain('example.com');
});

it.each(['email', 'accountName'])('the length of a cursor does not depend on the next %s', async (field) => {
  const rows = [1, 2, 30, 100].map((length, n) => ({
    ...sentCustomers(1)[0],
    clientRef: `long-${n}`,
    email: `${'z'.repeat(Math.min(length, 60))}${n}@example.com`,
    accountName: 'Z'.repeat(length),
  }));
  await service.createCustomers(rows);
  const lengths = new Set<number>();
  for (let next: string | undefined = `/v1/bank/customers?limit=1&sortBy=${field}`; next !== undefined;) {
    const answer = await service.get(next, API_KEYS.standard);
    next = link(answer, 'next');
    for (const address of [next, link(answer, 'prev')]) {
      const cursor = new URL(address ?? '', 'http://x').searchParams.get('cursor');
      if (cursor !== null) lengths.add(cursor.length);
    }
  }
  expect(lengths.size).toBe(1);
});

it('a page past the end is empty, and the last page has no next link', async () => {
  expect((await list('?page=500')).body).toEqual([]);
  expect(link(await list('?limit=24'), 'next')).toBeUndefined();
  expect(link(await list('?limit=23'), 'next')).toBeDefined();
});

it('page numbers reach row 10,000; beyond it the error names the cursor', async () => {
  for (const query of ['page=100&limit=100', 'page=500', 'page=10000&limit=1'])
    expect((await list(`?${query}`)).status).toBe(200);
  for (const query of ['page=101&limit=100', 'page=501', 'page=10001&limit=1', 'page=5001&limit=2']) {
    const { status, body } = await list(`?${query}`);
    expect([status, body.errors]).toEqual([
      400,
      [
        {
          field: 'page',
          message: expect.stringMatching(/page × limit must be at most 10000; .*cursor in the Link header/),
        },
      ],
    ]);
  }
});

describe('filters', () => {
  it('accept ids and phrases, repeated, bracketed or with commas; both together must match', async () => {
    const [a, b, c] = mine;
    const found = async (query: string) => ids(await list(`?sortBy=id&${query}`));
    expect(await found(`ids=${a?.id},${b?.id}`)).toEqual([a?.id, b?.id]);
    expect(await found(`ids=${a?.id}&ids=${b?.id}`)).toEqual([a?.id, b?.id]);
    expect(await found(`ids[]=${a?.id}&ids[]=${b?.id}&ids=${c?.id}`)).toEqual([a?.id, b?.id, c?.id]);
    expect(await found(`ids[0]=${a?.id}&ids[1]=${b?.id}`)).toEqual([a?.id, b?.id]);
    expect(await found(`ids%5B7%5D=${a?.id}&ids[]=${b?.id}&ids[10]=${c?.id}`)).toEqual([a?.id, b?.id, c?.id]);
    expect(await found(`phrases[0]=${a?.phrase}&phrases[1]=${b?.phrase}`)).toEqual([a?.id, b?.id]);
    expect(await found(`phrases=${a?.phrase},${b?.phrase.toUpperCase()}`)).toEqual([a?.id, b?.id]);
    expect(await found(`ids=${a?.id},${b?.id}&phrases=${b?.phrase},${c?.phrase}`)).toEqual([b?.id]);
  });

  it('count the customers that they find, and never find another bank’s', async () => {
    const [a] = mine;
    const [b] = theirs;
    const byId = await list(`?ids=${a?.id},${b?.id}`);
    expect([ids(byId), byId.headers.get('X-Total-Count')]).toEqual([[a?.id], '1']);
    const byPhrase = await list(`?phrases=${a?.phrase},${b?.phrase}`);
    expect([ids(byPhrase), byPhrase.headers.get('X-Total-Count')]).toEqual([[a?.id], '1']);
    expect((await list('?phrases=no-such-phrase-ever')).body).toEqual([]);
  });

  it('are kept in the links', async () => {
    const wanted = mine.slice(0, 7).map(({ id }) => id);
    expect((await walk(`/v1/bank/customers?limit=3&sortBy=id&ids=${wanted.join()}`, 'next')).flat()).toEqual(
      wanted,
    );
  });
});

describe('refuses, naming the parameter once and no other', () => {
  it.each([
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['limit=1e9', 'limit'],
    ['limit=abc', 'limit'],
    ['limit=abc&page=2', 'limit'],
    ['page=1e3', 'page'],
    ['page=', 'page'],
    ['limit=', 'limit'],
    ['limit=5&limit=6', 'limit'],
    ['page=0', 'page'],
    ['page=-1', 'page'],
    ['page=1.5', 'page'],
    ['page=99999999999999999999', 'page'],
    ['sortBy=phone', 'sortBy'],
    ['sortBy=--id', 'sortBy'],
    ['sortBy=', 'sortBy'],
    ['order=asc', 'order'],
    ['constructor=1', 'constructor'],
    ['toString=1&toString=2', 'toString'],
    ['ids=', 'ids'],
    ['ids[a]=1', 'ids[a]'],
    ['limit[0]=1', 'limit[0]'],
    [`ids=${Array.from({ length: 101 }, (_, n) => n).join()}`, 'ids'],
    [`phrases=${'x'.repeat(129)}`, 'phrases.0'],
    ['cursor=nonsense', 'cursor'],
    ["sortBy=id'; DROP TABLE customers; --", 'sortBy'],
  ])('%s', async (query, field) => {
    const { status, body } = await list(`?${query}`);
    expect(status).toBe(400);
    expect(body.errors.map((error: { field: string }) => error.field)).toEqual([field]);
  });

  it('an unknown sort, listing the valid ones', async () => {
    const { body } = await list('?sortBy=phone');
    for (const field of ['createdAt', 'id', 'accountName', 'email']) {
      expect(body.errors[0].message).toContain(field);
    }
  });

  it('a cursor together with a page, of another bank, or of another order', async () => {
    const next = link(await list('?limit=5'), 'next') ?? '';
    expect((await service.get(next)).status).toBe(200);
    expect((await service.get(`${next}&page=2`)).status).toBe(400);
    expect((await service.get(next, API_KEYS.other)).status).toBe(400);
    expect((await service.get(`${next}&sortBy=email`)).status).toBe(400);
  });
});
