/**
 * Hostile requests against every endpoint: never a 500, never a value echoed by an error, never an error body of more
 * than 64 KB. `FUZZ_RUNS=20000 npm test -- test/http/fuzz.test.ts` for the long run.
 */
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { API_KEYS, WEBHOOK_ID } from '../support/banks.ts';
import { sentCustomer } from '../support/customers.ts';
import { ROUTES } from '../support/routes.ts';
import { Service } from '../support/service.ts';

/** Part of every hostile value, so that an echo is noticed. */
const MARK = 'ECHOED';

const hostileText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '',
    ' ',
    '\u0000',
    '\ud800',
    '\u202eevil',
    "'; DROP TABLE customers; --",
    '" OR 1=1 --',
    '__proto__',
    'constructor',
    '../../etc/passwd',
    '1e309',
    '-1',
    'NaN',
    '%',
    '{{7*7}}',
    'a'.repeat(20_000),
  ),
);
const marked = hostileText.map((text) => MARK + text);
const hostileValue = fc.oneof(
  marked,
  fc.anything({ maxDepth: 3 }),
  fc.constant(null),
  fc.double(),
  fc.bigInt(),
);
const prototypeName = fc.constantFrom('__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty');
const parameter = fc.oneof(
  prototypeName,
  fc.constantFrom(
    'id',
    'email',
    'phrase',
    'ids',
    'ids[]',
    'phrases',
    'sortBy',
    'limit',
    'page',
    'cursor',
    'status',
    'dryRun',
    'subject',
    'after',
    'type',
  ),
  marked,
);
const query = fc.array(fc.tuple(parameter, fc.oneof(marked, hostileText)), { maxLength: 6 });
const row = fc
  .tuple(
    fc.nat(30),
    fc.dictionary(fc.constantFrom(...Object.keys(sentCustomer())), hostileValue, { maxKeys: 4 }),
  )
  .map(([number, changes]) => sentCustomer(number, changes));
const body = fc.oneof(
  fc.record({ customers: fc.array(fc.oneof(row, hostileValue), { maxLength: 5 }) }),
  fc.record({
    id: fc.oneof(marked, fc.constant('cus_nobody')),
    update: fc.dictionary(
      fc.oneof(
        fc.constantFrom('firstname', 'phone', 'displayPicture', 'state', 'email', '__proto__'),
        marked,
      ),
      hostileValue,
    ),
  }),
  fc.record({
    url: fc.oneof(
      hostileValue,
      marked.map((text) => `https://${text}`),
    ),
    types: fc.oneof(
      hostileValue,
      fc.array(fc.oneof(marked, fc.constant('batch.completed')), { maxLength: 3 }),
    ),
  }),
  hostileValue,
);
const headerValue = fc.oneof(
  fc.string({ unit: 'grapheme-ascii', maxLength: 300 }).map((text) => text.replace(/[^\x20-\x7e]/g, '')),
  fc.constantFrom('"', '"open', 'a b', 'no-cache', 'gzip', 'application/json', 'text/html'),
  fc.constantFrom('*', '"etag"', 'W/"weak", "x"', 'a'.repeat(60_000)),
);
const headers = fc.dictionary(
  fc.constantFrom(
    'Idempotency-Key',
    'Cache-Control',
    'Content-Type',
    'Content-Encoding',
    'Authorization',
    'Accept',
    'If-Match',
    'If-None-Match',
  ),
  headerValue,
  { maxKeys: 2 },
);
const request = fc.record({
  route: fc.constantFrom(...ROUTES),
  method: fc.constantFrom('GET', 'POST', 'PATCH', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'),
  asMeant: fc.boolean(),
  segment: fc.oneof(marked, fc.constantFrom('bat_nobody', WEBHOOK_ID)),
  query,
  headers,
  body: fc.oneof(body.map(toJson), hostileText),
});

function toJson(value: unknown): string {
  const plain = (_: string, part: unknown) => (typeof part === 'bigint' ? `${part}` : part);
  return JSON.stringify(value, plain) ?? '';
}

it('answers no request with a 500, and repeats no value in an error', { timeout: 0 }, async () => {
  const service = new Service();
  await service.createCustomers([sentCustomer(1)]);
  await fc.assert(
    fc.asyncProperty(
      request,
      async ({ route, method, asMeant, segment, query: pairs, headers: sent, body: text }) => {
        const verb = asMeant ? route.method : method;
        const path = route.path.replace(/:\w+/, encodeURIComponent(segment.toWellFormed()));
        const search = new URLSearchParams(pairs.map(([name, value]) => [name, value.toWellFormed()]));
        const answer = await service.request(verb, `${path}?${search.toString()}`, {
          apiKey: API_KEYS.full,
          headers: sent,
          ...(verb === 'GET' || verb === 'HEAD' ? {} : { body: text }),
        });
        expect(answer.status).not.toBe(500);
        expect(answer.status).toBeLessThan(500);
        if (answer.status < 400) return;
        expect(answer.text.length).toBeLessThan(64 * 1024);
        // An error may repeat the path of an unknown field, and nothing else. A failure may repeat the clientRef, which is
        // the bank's own reference for a row.
        const { errors = [], ...rest } = answer.body ?? {};
        const said = JSON.stringify([
          errors.map(({ message }: { message: string }) => message),
          rest.message,
        ]);
        expect(said).not.toContain(MARK);
      },
    ),
    { numRuns: env.FUZZ_RUNS, endOnFailure: true },
  );
  expect(service.log.filter(({ level }) => level === 'error')).toEqual([]);
});
