/**
 * The minimum that the platform has to do: no API key, no checks, no envelope. No Worker that does the same work can be
 * faster; the benchmark measures how close ours comes.
 */
interface Env {
  DB: D1Database;
}

/** The columns of a response with Extended fields. */
const COLUMNS = `id, account_name, gender, display_picture, bank_id, phrase, country, state, email, phone, address,
  created_at`;
/** The staged fields of src/batches/accept/plan.ts, in order. */
const STAGED = `batch_index, id, phrase, client_ref, email, account_name, firstname, lastname, middlename, country,
  address, gender, phone, sealed_fields`;
const VALUES = STAGED.split(',')
  .map((_, position) => `value ->> ${position}`)
  .join(', ');

/** As many bytes as src/customers/phrase-cache.ts stores for a customer. */
const CACHED = 'x'.repeat(270);

export default {
  async fetch(request, { DB }) {
    const { pathname, searchParams } = new URL(request.url);
    const bank = searchParams.get('bank');
    switch (pathname) {
      case '/constant':
        return Response.json({ statusCode: 200, success: true, message: 'constant', data: null });
      case '/cache': {
        const cache = await caches.open('phrases');
        const cached = await cache.match(request.url);
        if (cached !== undefined) return new Response(await cached.text());
        await cache.put(request.url, new Response(CACHED, { headers: { 'Cache-Control': 'max-age=300' } }));
        return new Response(CACHED);
      }
      case '/id': {
        const statement = DB.prepare(`SELECT ${COLUMNS} FROM customers WHERE bank_id = ? AND id = ?`);
        return Response.json((await statement.bind(bank, searchParams.get('id')).all()).results);
      }
      case '/email': {
        const statement = DB.prepare(`SELECT ${COLUMNS} FROM customers WHERE bank_id = ? AND email = ?`);
        return Response.json((await statement.bind(bank, searchParams.get('email')).all()).results);
      }
      case '/list': {
        const statement = DB.prepare(
          `SELECT ${COLUMNS} FROM customers WHERE bank_id = ? ORDER BY id DESC LIMIT 51`,
        );
        return Response.json((await statement.bind(bank).all()).results);
      }
      case '/insert': {
        const statement = DB.prepare(
          `INSERT INTO customers (bank_id, created_at, ${STAGED})
           SELECT ?1, 0, ${VALUES} FROM json_each(?2) WHERE true`,
        );
        const { meta } = await statement.bind(bank, await request.text()).run();
        return Response.json({ changes: meta.changes });
      }
      default:
        return new Response(null, { status: 404 });
    }
  },
} satisfies ExportedHandler<Env>;
