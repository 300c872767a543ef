/** Deterministic simulation: docs/reliability.md. `npm test` plays a few hundred seeds, `npm run simulate` any. */
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import { playSeed } from './seed.ts';

const { first, seeds, untilCaught, caughtAs } = env.SIMULATION;

it('loses, duplicates and miscounts nothing, whatever fails', { timeout: 0 }, async () => {
  const totals = { seeds: 0, customers: 0, batches: 0, faults: {} as Record<string, number> };
  const violations: { seed: number; violations: string[] }[] = [];
  for (let seed = first; seed < first + seeds; seed += 1) {
    const result = await playSeed(seed);
    totals.seeds += 1;
    totals.customers += result.customers;
    totals.batches += result.batches;
    for (const [fault, times] of result.faults) totals.faults[fault] = (totals.faults[fault] ?? 0) + times;
    if (result.violations.length > 0) violations.push({ seed, violations: result.violations });
    const isCaught = caughtAs === null ? result.violations.length > 0 : result.violations.includes(caughtAs);
    if (untilCaught && isCaught) break;
  }
  console.log(`SIMULATION ${JSON.stringify({ ...totals, violations })}`);
  const replays = violations.map(
    ({ seed, violations: found }) => `${found.join('; ')}\n  npm run simulate -- --seeds 1 --seed ${seed}`,
  );
  expect(replays).toEqual([]);
});
