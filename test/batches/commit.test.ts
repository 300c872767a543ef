/** Commits whose response is lost: the service says only what it has read back. */
import { expect, it } from 'vitest';
import { Deadlines, faultyDatabase, type CallOutcome } from '../support/faulty-bindings.ts';
import { sentCustomers } from '../support/customers.ts';
import { countRows } from '../support/database.ts';
import { Service } from '../support/service.ts';

/** Returns a service whose commits and read-backs have these outcomes, in order. Later calls work. */
function serviceWith(outcomes: CallOutcome[]): Service {
  const deadlines = new Deadlines();
  return new Service(
    // The first call reads the existing emails. The commit and its read-backs follow.
    ({ SHARD_1 }) => ({ SHARD_1: faultyDatabase(SHARD_1, ['works', ...outcomes], deadlines) }),
    deadlines,
  );
}

const send = (service: Service) => service.postWithIdempotencyKey('key-1', sentCustomers(5));

it.each<[string, CallOutcome[]]>([
  ['D1 throws once before the commit', ['throws before', 'works', 'works']],
  ['D1 throws twice before the commit', ['throws before', 'works', 'throws before', 'works', 'works']],
  ['D1 throws after the commit', ['throws after', 'works']],
  ['D1 hangs before the commit', ['stalls', 'works', 'works']],
  ['D1 hangs after the commit', ['stalls after', 'works']],
])('accepts a batch once although %s', async (_, outcomes) => {
  const service = serviceWith(outcomes);
  const response = await send(service);
  expect([response.status, await countRows('batches')]).toEqual([201, 1]);
  expect(service.pendingPointers).toHaveLength(1);
  await service.deliverAll();
  expect((await service.get('/v1/bank/customers')).headers.get('X-Total-Count')).toBe('5');
});

it('returns 503 and stores nothing if three tries fail', async () => {
  const service = serviceWith(Array.from({ length: 6 }, (_, n) => (n % 2 === 0 ? 'throws before' : 'works')));
  const response = await send(service);
  expect([response.status, response.headers.get('Retry-After')]).toEqual([503, '5']);
  expect([await countRows('batches'), service.pendingPointers]).toEqual([0, []]);
});

it('returns 503 if it cannot read back, and a retry with the Idempotency-Key gets the batch', async () => {
  const response = await send(serviceWith(['throws after', 'throws before']));
  expect([response.status, await countRows('batches')]).toEqual([503, 1]);
  const again = await send(new Service());
  expect([again.status, again.headers.get('Idempotent-Replayed')]).toEqual([201, 'true']);
  expect(await countRows('batches')).toBe(1);
});
