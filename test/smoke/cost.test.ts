/** The model behind `npm run bench:cost` counts and times right: small traces, by hand. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BEGINNING } from '../../bench/cost/clock.ts';
import { POLICIES, type Policy } from '../../bench/cost/policies.ts';
import { replay } from '../../bench/cost/replay.ts';
import { dollarsPerMillion, quantile } from '../../bench/cost/report.ts';
import { bankOf, makeTrace, type Lookup, type TraceEvent } from '../../bench/cost/trace.ts';
import { Random, Zipf } from '../../bench/cost/random.ts';

const policy = (pattern: RegExp): Policy => {
  const found = POLICIES.find(({ name }) => pattern.test(name));
  assert.ok(found, `a policy is named ${pattern}`);
  return found;
};
const before = policy(/as it was before/);
const service = policy(/: the service$/);

const CUSTOMER = 7;
/** The location closest to the primary, and one that is 250 ms away from it and 20 ms from a replica. */
const [NEAR, FAR] = [0, 16];
const lookUp = (seconds: number, other: Partial<Lookup> = {}): Lookup => ({
  kind: 'own',
  at: BEGINNING + seconds * 1_000,
  asks: 'customer',
  customer: CUSTOMER,
  bank: bankOf(CUSTOMER),
  location: NEAR,
  isolate: 0,
  seed: 1,
  ...other,
});
const update = (seconds: number, location = NEAR): TraceEvent => ({
  kind: 'update',
  at: BEGINNING + seconds * 1_000,
  customer: CUSTOMER,
  location,
  isolate: 0,
  seed: 1,
});

void describe('a replayed lookup', () => {
  void it('costs a read and a write of KV, five rows and two calls of the primary before, and then a read', async () => {
    const { calls, hits } = await replay([lookUp(0), lookUp(10)], before);
    // The API key, its bank and the shard; the customer and the state of its bank.
    assert.deepEqual(
      { hits, ...calls },
      { hits: 1, kvReads: 2, kvWrites: 1, coloCalls: 0, rowsRead: 5, rowsWritten: 0, primaryCalls: 2 },
    );
  });

  void it('costs the same with the data centre’s cache, but nothing of KV, and two rows more if a replica answers', async () => {
    const { calls, hits } = await replay([lookUp(0), lookUp(10)], service);
    // A miss reads and fills the cache, a hit reads it.
    assert.deepEqual(
      { hits, ...calls },
      { hits: 1, kvReads: 0, kvWrites: 0, coloCalls: 3, rowsRead: 7, rowsWritten: 0, primaryCalls: 2 },
    );
  });

  void it('is a hit for five minutes, in its own data centre, and with KV everywhere', async () => {
    for (const [compared, at, other, hits] of [
      [service, 299, {}, 1],
      [service, 301, {}, 0],
      [service, 100, { location: FAR }, 0],
      [before, 100, { location: FAR }, 1],
    ] as const) {
      assert.equal((await replay([lookUp(0), lookUp(at, other)], compared)).hits, hits);
    }
  });

  void it('has an absent key of KV cached for a minute at its location', async () => {
    const elsewhere = { location: FAR };
    const unknown = { ...elsewhere, asks: 'unknown' } as const;
    const { missLatencies } = await replay(
      [lookUp(0, unknown), lookUp(30, unknown), lookUp(61, unknown)],
      before,
    );
    const [first = 0, second = 0, third = 0] = missLatencies.unknown;
    // Each checks its API key and reads the primary, 500 ms in all; a cold read takes at least 50 ms, a hot one at most 12.
    assert.ok(first > 550 && second > 500 && second < 550 && third > 550, missLatencies.unknown.join());
  });

  void it('takes as long as its calls, one after another', async () => {
    const { latencies } = await replay([lookUp(0, { location: FAR })], before);
    // The API key and the customer, from the primary and back in 250 ms each, and a cold KV between.
    assert.ok(
      (latencies[0] ?? 0) >= 2 * 252 + 50 && (latencies[0] ?? 0) <= 2 * 258 + 250,
      String(latencies[0]),
    );
  });

  void it('does not wait for the check of an API key that was checked in the last five minutes', async () => {
    const far = { location: FAR };
    const { latencies } = await replay([lookUp(0, far), lookUp(100, far)], service);
    assert.ok((latencies[0] ?? 0) <= 15, String(latencies[0]));
  });

  void it('costs as much and takes as long if its phrase is another bank’s as if nobody has it', async () => {
    const ask = (asks: 'unknown' | 'foreign') =>
      replay([lookUp(0, { asks, bank: (bankOf(CUSTOMER) + 1) % 8, location: FAR })], service);
    const [unknown, foreign] = [await ask('unknown'), await ask('foreign')];
    assert.deepEqual(unknown.calls, foreign.calls);
    assert.deepEqual(unknown.missLatencies.unknown, foreign.missLatencies.foreign);
  });

  void it('shows an update at once where it was made, and elsewhere within the bound', async () => {
    const near = await replay([lookUp(0), update(10), lookUp(20)], service);
    assert.equal(near.stalest, 0);
    const far = await replay(
      [lookUp(0, { location: FAR }), update(10), lookUp(290, { location: FAR })],
      service,
    );
    assert.ok(far.stalest > 279_000 && far.stalest < service.staleness * 1_000, String(far.stalest));
    assert.equal(far.updates.count, 1);
  });
});

void describe('the figures', () => {
  void it('are dollars per million lookups, at the prices of each call', async () => {
    const outcome = await replay([lookUp(0), lookUp(10)], before);
    // Two reads, a write and five rows for two lookups.
    assert.equal(dollarsPerMillion(outcome), (2 * 0.5 + 5 + 5 * 0.001) / 2);
  });

  void it('are quantiles of all latencies', () => {
    const latencies = Array.from({ length: 100 }, (_, n) => n);
    assert.deepEqual([quantile(latencies, 0.5), quantile(latencies, 0.99), quantile([5], 0.99)], [50, 99, 5]);
  });

  void it('are the same each time, and meet the targets on a short trace', async () => {
    const trace = makeTrace(1, 1, 1_000);
    const [once, again, kv] = [
      await replay(trace, service),
      await replay(trace, service),
      await replay(trace, before),
    ];
    assert.deepEqual(once, again);
    assert.ok(dollarsPerMillion(once) * 3 <= dollarsPerMillion(kv));
    assert.ok(quantile(once.latencies, 0.99) * 2 <= quantile(kv.latencies, 0.99));
    for (const { stalest } of [once, kv]) assert.ok(stalest <= service.staleness * 1_000);
  });

  void it('come from payees that follow Zipf’s law', () => {
    const [zipf, random, counts] = [new Zipf(1_000, 1), new Random(1), new Uint32Array(1_000)];
    for (let n = 0; n < 50_000; n += 1) {
      const rank = zipf.draw(random);
      counts[rank] = (counts[rank] ?? 0) + 1;
    }
    const [first = 0, , , , , , , , , tenth = 0] = counts;
    // The first is drawn ten times as often as the tenth: 1 of 7.5 draws, and 1 of 75.
    assert.ok(Math.abs(first - 6_680) < 300 && Math.abs(tenth - 668) < 100, `${first} ${tenth}`);
  });
});
