/** Writes whose answer was lost: F1 to F4. What is said is what is stored. */
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import { Deadlines, faultyDatabase, type CallOutcome } from '../support/faulty-bindings.ts';
import { sentCustomers } from '../support/customers.ts';
import { Service } from '../support/service.ts';

/** A service whose D1 treats its writes and read-backs as told, in order; then they work. */
function unlucky(fates: CallOutcome[]): Service {
  const deadlines = new Deadlines();
  return new Service(
    // The first call asks for emails; what comes then is the commit and its read-backs.
    ({ DB }) => ({ DB: faultyDatabase(DB, ['works', ...fates], deadlines) }),
    deadlines,
  );
}

const stored = async () =>
  (await env.DB.prepare('SELECT count(*) AS n FROM batches').first<{ n: number }>())?.n;
const send = (service: Service) =>
  service.request('POST', '/v1/bank/customers', {
    headers: { 'Idempotency-Key': 'key-1' },
    body: { customers: sentCustomers(5) },
  });

it.each<[string, CallOutcome[]]>([
  ['it throws once before the commit', ['throws before', 'works', 'works']],
  ['it throws twice before the commit', ['throws before', 'works', 'throws before', 'works', 'works']],
  ['it commits and throws', ['throws after', 'works']],
  ['it stalls without a commit', ['stalls', 'works', 'works']],
  ['it commits and stalls', ['stalls after', 'works']],
])('accepts although %s, once', async (_, fates) => {
  const service = unlucky(fates);
  const answer = await send(service);
  expect([answer.status, await stored()]).toEqual([201, 1]);
  expect(service.pendingPointers).toHaveLength(1);
  await service.deliverAll();
  expect((await service.get('/v1/bank/customers')).headers.get('X-Total-Count')).toBe('5');
});

it('answers 503 when three tries fail, and nothing is stored', async () => {
  const service = unlucky(Array.from({ length: 6 }, (_, n) => (n % 2 === 0 ? 'throws before' : 'works')));
  const answer = await send(service);
  expect([answer.status, answer.headers.get('Retry-After')]).toEqual([503, '5']);
  expect([await stored(), service.pendingPointers]).toEqual([0, []]);
});

it('answers 503 when it can not be known, and the same key then tells', async () => {
  const answer = await send(unlucky(['throws after', 'throws before']));
  expect([answer.status, await stored()]).toEqual([503, 1]);
  const again = await send(new Service());
  expect([again.status, again.headers.get('Idempotent-Replayed')]).toEqual([201, 'true']);
  expect(await stored()).toBe(1);
});
