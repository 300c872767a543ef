/** Tests share the bindings of a worker, and each must find them empty. */
import { abortAllDurableObjects } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import { ACCRA, LAGOS, seedOfBanks } from './support/banks.ts';
import { resetBindings } from './support/empty-bindings.ts';
import { phraseStore } from './support/phrase-store.ts';

it('empties the bindings even if workerd has dropped D1 from its memory', async () => {
  await env.SHARD_1.prepare("INSERT INTO tenants (bank_id, state) VALUES ('bnk_other', 'open')").run();
  await env.SHARD_1.prepare('ALTER TABLE tenants RENAME TO tenants_renamed').run();
  await phraseStore.put('phrase', '{}');
  await abortAllDurableObjects();
  await resetBindings(env, await seedOfBanks(env));
  const tables = await env.SHARD_1.prepare(`SELECT name FROM sqlite_schema WHERE name GLOB 'tenants*'`).all();
  expect(tables.results).toEqual([{ name: 'tenants' }]);
  const banks = await env.SHARD_1.prepare('SELECT bank_id FROM tenants ORDER BY bank_id').raw();
  expect(banks).toEqual([[ACCRA], [LAGOS]]);
  expect(await phraseStore.keys()).toEqual([]);
});
