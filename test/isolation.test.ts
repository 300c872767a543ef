/** Tests share the bindings of a worker, and each must find them empty. */
import { abortAllDurableObjects } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import { emptyBindings } from './support/empty-bindings.ts';
import { phraseStore } from './support/phrase-store.ts';

it('empties the bindings even if workerd has dropped D1 from its memory', async () => {
  await env.SHARD_1.prepare('ALTER TABLE tenants RENAME TO tenants_renamed').run();
  await phraseStore.put('phrase', '{}');
  await abortAllDurableObjects();
  await emptyBindings(env);
  const tables = await env.SHARD_1.prepare(`SELECT name FROM sqlite_schema WHERE name GLOB 'tenants*'`).all();
  expect(tables.results).toEqual([{ name: 'tenants' }]);
  expect(await env.SHARD_1.prepare('SELECT count(*) AS rows FROM tenants').first('rows')).toBe(0);
  expect(await phraseStore.keys()).toEqual([]);
});
