/** The warning before a shard is full. */
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import { runCron } from '../../src/cron.ts';
import { createDeps, createIsolateMemory } from '../../src/deps.ts';
import { systemRuntime } from '../../src/runtime.ts';
import { withSessions } from '../support/faulty-bindings.ts';
import { Service } from '../support/service.ts';

const HOUR = Date.UTC(2026, 10, 25, 9);

/** The real database, which says that it has another size. */
function ofSize(db: D1Database, bytes: number): D1Database {
  const prepare = (text: string) => ({
    bind: (...values: unknown[]) => {
      const bound = db.prepare(text).bind(...values);
      const all = async () => {
        const result = await bound.all();
        return { ...result, meta: { ...result.meta, size_after: bytes } };
      };
      return text === 'SELECT 1' ? { all } : bound;
    },
  });
  return withSessions({ prepare, batch: db.batch.bind(db) } as unknown as D1Database);
}

/** @returns the warnings of one run of the cron */
async function warningsAt(now: number, bytes: number) {
  const warnings: unknown[] = [];
  const deps = createDeps(
    { ...new Service().env, SHARD_2: ofSize(env.SHARD_2, bytes) },
    { waitUntil: () => {} },
    {
      ...systemRuntime,
      now: () => now,
      log: (level, line) => {
        if (line.event === 'shard_nearly_full') warnings.push({ level, ...line });
      },
    },
    createIsolateMemory(),
  );
  await runCron(deps);
  return warnings;
}

it('names a shard in the log once an hour from 80 % of 10 GB on, and no other', async () => {
  const warning = { level: 'warn', event: 'shard_nearly_full', shard: 'SHARD_2', percent: 81 };
  expect(await warningsAt(HOUR + 30_000, 8_190_000_000)).toEqual([warning]);
  expect(await warningsAt(HOUR + 60_000, 8_190_000_000)).toEqual([]);
  expect(await warningsAt(HOUR, 7_999_999_999)).toEqual([]);
});

it('knows the size of a database from D1 itself', async () => {
  const { meta } = await env.SHARD_2.prepare('SELECT 1').all();
  expect(meta).toMatchObject({ rows_read: 0 });
  expect(meta.size_after).toBeGreaterThan(50_000);
});
