/**
 * Gives a test bindings that hold nothing of the test before. `reset()` of `cloudflare:test` can't: it empties the
 * Durable Objects that are in memory, as D1 and KV are here, and skips those that workerd has dropped for being idle.
 * That takes 10 s of workerd's clock, which stands still while tests keep it busy: the first pause after 9 s of work
 * is enough.
 */

/** An empty database, as the migrations make it, and an empty cache, whatever was in them before. */
export async function emptyBindings({ DB, PHRASE_CACHE, MIGRATIONS }: Cloudflare.Env): Promise<void> {
  const tables = await DB.prepare(
    `SELECT name FROM sqlite_schema
     WHERE type = 'table' AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '_cf_*'`,
  ).all<{ name: string }>();
  const queries = [
    // A table may go before the one that refers to it.
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
