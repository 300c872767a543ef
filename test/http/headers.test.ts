/** The size of response headers, and lists that are read to their end by following `Link`. */
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { API_KEYS } from '../support/banks.ts';
import { sentCustomers } from '../support/customers.ts';
import { Service } from '../support/service.ts';

const MAX_HEADER_BYTES = 8 * 1024;
/** Headers that Cloudflare adds: date, server, cf-ray, report-to, nel, alt-svc and the like. */
const CLOUDFLARE_BYTES = 600;
const QUERIES = 60;

let service: Service;
let customers: { id: string; phrase: string }[];
let batchId: string;

beforeEach(async () => {
  service = new Service();
  // Names of the maximum length and three bytes per character: cursors contain them.
  const rows = sentCustomers(100).map((row, n) => ({ ...row, accountName: `${n % 7}`.padEnd(200, '字') }));
  customers = await service.createCustomers(rows);
  const { body } = await service.get('/v1/bank/customers/batches');
  batchId = body.data[0].batchId;
});

const bytesOf = (headers: Headers) =>
  [...headers].reduce((sum, [name, value]) => sum + `${name}: ${value}\r\n`.length, CLOUDFLARE_BYTES);
const linkOf = (headers: Headers, relation: string) =>
  new RegExp(`<([^>]+)>; rel="${relation}"`).exec(headers.get('Link') ?? '')?.[1];

/** Follows `Link` to the end of a list, as a client does. @returns the ids of its rows */
async function readOn(first: string, key: string): Promise<string[]> {
  const ids: string[] = [];
  for (let next: string | undefined = first; next !== undefined;) {
    const { status, headers, body } = await service.get(next, key);
    expect(status).toBe(200);
    expect(bytesOf(headers)).toBeLessThan(MAX_HEADER_BYTES);
    ids.push(...(body as { id: string }[]).map(({ id }) => id));
    next = linkOf(headers, 'next');
  }
  return ids;
}

const sortBy = fc.constantFrom('createdAt', '-createdAt', 'id', '-id', 'accountName', '-email', undefined);
/** How many existing customers a filter names, how many unknown ones, and how long the unknown names are. */
interface Names {
  known: number;
  unknown: number;
  length: number;
  style: 'commas' | 'repeated' | 'brackets';
}
const style = fc.constantFrom<Names['style']>('commas', 'repeated', 'brackets');
const names = fc.record({
  known: fc.nat(100),
  unknown: fc.nat(100),
  length: fc.integer({ min: 1, max: 60 }),
  style,
});

function parameter(name: string, own: string[], { known, unknown, length, style: how }: Names) {
  const others = Array.from({ length: unknown }, (_, n) => `${n}`.padEnd(length, 'x'));
  const all = [...own.slice(0, known), ...others].slice(0, 100);
  if (all.length === 0) return [];
  if (how === 'commas') return [`${name}=${all.join()}`];
  return all.map((value) => `${name}${how === 'brackets' ? '[]' : ''}=${value}`);
}

describe('a list of customers', () => {
  it('has headers under 8 KB, and its links lead to every row of a filter', async () => {
    const query = fc.record({
      ids: fc.option(names),
      phrases: fc.option(names),
      sortBy,
      limit: fc.integer({ min: 15, max: 100 }),
    });
    await fc.assert(
      fc.asyncProperty(query, fc.constantFrom(API_KEYS.full, API_KEYS.standard), async (asked, key) => {
        const parts = [
          ...(asked.ids === null
            ? []
            : parameter(
                'ids',
                customers.map(({ id }) => id),
                asked.ids,
              )),
          ...(asked.phrases === null
            ? []
            : parameter(
                'phrases',
                customers.map(({ phrase }) => phrase),
                asked.phrases,
              )),
          ...(asked.sortBy === undefined ? [] : [`sortBy=${asked.sortBy}`]),
          `limit=${asked.limit}`,
        ];
        const path = `/v1/bank/customers?${parts.join('&')}`;
        fc.pre(path.length < 16_000);
        const named = (what: Names | null) =>
          what === null || what.known + what.unknown === 0 ? 100 : what.known;
        const expected = Math.min(named(asked.ids), named(asked.phrases));
        const found = await readOn(path, key);
        expect(new Set(found)).toEqual(new Set(customers.slice(0, expected).map(({ id }) => id)));
        expect(found).toHaveLength(expected);
      }),
      { numRuns: QUERIES },
    );
  });

  it('can be read forwards and backwards with 100 ids and 100 phrases', async () => {
    const ids = customers.map(({ id }) => id);
    const phrases = customers.map(({ phrase }) => phrase);
    const first = `/v1/bank/customers?ids=${ids.join()}&phrases=${phrases.join()}&sortBy=id&limit=40`;
    expect(await readOn(first, API_KEYS.full)).toEqual(ids);
    const second = linkOf((await service.get(first)).headers, 'next') ?? '';
    const { headers } = await service.get(second);
    expect(headers.get('X-Total-Count')).toBe('100');
    const { body } = await service.get(linkOf(headers, 'prev') ?? '');
    expect((body as { id: string }[]).map(({ id }) => id)).toEqual(ids.slice(0, 40));
  });

  it('has no links if a filter finds nobody', async () => {
    const { headers, body } = await service.get('/v1/bank/customers?ids=cus_nobody');
    expect([body, headers.get('Link')]).toEqual([[], null]);
  });
});

it.each([
  ['the spaces around a subject', () => `/v1/bank/audit?subject=${'%20'.repeat(2_000)}x`],
  [
    'a subject of three bytes a character',
    () => `/v1/bank/audit?subject=${encodeURIComponent('字'.repeat(64))}`,
  ],
  ['many separators', () => `/v1/bank/customers?ids=${customers[0]?.id}${','.repeat(5_000)}`],
  ['names that are repeated', () => `/v1/bank/customers?ids=${Array(400).fill(customers[0]?.id).join()}`],
  ['a page of a batch', () => `/v1/bank/customers/batches/${batchId}/customers?limit=0000000000000001`],
])('does not repeat %s in the headers', async (_, path) => {
  const { status, headers } = await service.get(path());
  expect(status).toBeLessThan(414);
  expect(bytesOf(headers)).toBeLessThan(2_048);
});
