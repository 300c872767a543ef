/**
 * Empties D1 and KV between tests. `reset()` of `cloudflare:test` is not enough: it empties only Durable Objects that
 * are in memory, and workerd evicts those of D1 and KV when they are idle for 10 s of its clock.
 */

/** Leaves D1 as the migrations create it, and KV empty. */
export async function emptyBindings({ DB, PHRASE_CACHE, MIGRATIONS }: Cloudflare.Env): Promise<void> {
  const tables = await DB.prepare(
    `SELECT name FROM sqlite_schema
     WHERE type = 'table' AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '_cf_*'`,
  ).all<{ name: string }>();
  const queries = [
    // A table may be dropped before one that refers to it.
    'PRAGMA defer_foreign_keys = true',
    ...tables.results.map(({ name }) => `DROP TABLE "${name}"`),
    ...MIGRATIONS.flatMap((migration) => migration.queries),
  ];
  await DB.batch(queries.map((query) => DB.prepare(query)));
  await emptyNamespace(PHRASE_CACHE);
}

async function emptyNamespace(kv: KVNamespace): Promise<void> {
  for (;;) {
    const page = await kv.list();
    await Promise.all(page.keys.map(({ name }) => kv.delete(name)));
    if (page.list_complete) return;
  }
}
