/**
 * The same four endpoints on the same tables, as written from the public guides of Hono, zod and Drizzle: it looks up the
 * API key in D1 for each request, validates the body as a whole, checks and inserts rows one by one, and has no cache.
 * It is a fair baseline for ours.
 */
import { zValidator } from '@hono/zod-validator';
import { and, desc, eq, inArray } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { Hono } from 'hono';
import { z } from 'zod';
import { drawPhrase } from '../src/databases/first-words.ts';
import { systemRuntime } from '../src/runtime.ts';
import { customers } from '../src/customers/customers.table.ts';
import { apiKeys } from '../src/db/schema.ts';

interface Env {
  Bindings: { DB: D1Database };
  Variables: { bankId: string };
}

const app = new Hono<Env>();

app.use(async (context, next) => {
  const key = context.req.header('Authorization')?.replace('Bearer ', '') ?? '';
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(key));
  const hash = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const found = await drizzle(context.env.DB).select().from(apiKeys).where(eq(apiKeys.hash, hash)).get();
  if (!found) return context.json({ statusCode: 401, success: false, message: 'Unauthorized' }, 401);
  context.set('bankId', found.bankId);
  return next();
});

const shown = {
  id: customers.id,
  accountName: customers.accountName,
  gender: customers.gender,
  displayPicture: customers.displayPicture,
  bankId: customers.bankId,
  phrase: customers.phrase,
  country: customers.country,
};

const lookup = z.object({
  id: z.string().optional(),
  email: z.email().optional(),
  phrase: z.string().optional(),
});
app.get('/v1/bank/customer', zValidator('query', lookup), async (context) => {
  const { id, email, phrase } = context.req.valid('query');
  const customer = await drizzle(context.env.DB)
    .select(shown)
    .from(customers)
    .where(
      and(
        eq(customers.bankId, context.get('bankId')),
        id ? eq(customers.id, id) : undefined,
        email ? eq(customers.email, email) : undefined,
        phrase ? eq(customers.phrase, phrase) : undefined,
      ),
    )
    .get();
  if (!customer) return context.json({ statusCode: 404, success: false, message: 'Customer not found' }, 404);
  return context.json({
    statusCode: 200,
    success: true,
    message: 'Customer retrieved successfully',
    data: customer,
  });
});

const list = z.object({
  ids: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  page: z.coerce.number().int().min(1).default(1),
});
app.get('/v1/bank/customers', zValidator('query', list), async (context) => {
  const { ids, limit, page } = context.req.valid('query');
  const rows = await drizzle(context.env.DB)
    .select(shown)
    .from(customers)
    .where(
      and(
        eq(customers.bankId, context.get('bankId')),
        ids ? inArray(customers.id, ids.split(',')) : undefined,
      ),
    )
    .orderBy(desc(customers.createdAt))
    .limit(limit)
    .offset((page - 1) * limit);
  return context.json(rows);
});

const batch = z.object({
  customers: z
    .array(
      z.object({
        clientRef: z.string().min(1),
        firstname: z.string().min(1),
        lastname: z.string().min(1),
        middlename: z.string().nullish(),
        accountName: z.string().min(1),
        email: z.email(),
        country: z.string().length(2),
        address: z.string().nullish(),
        gender: z.enum(['male', 'female', 'other']).nullish(),
        phone: z.string().nullish(),
        accountNumber: z.string().min(1),
        reference: z.string().min(1),
      }),
    )
    .min(1)
    .max(10_000),
});
app.post('/v1/bank/customers', zValidator('json', batch), async (context) => {
  const db = drizzle(context.env.DB);
  const bankId = context.get('bankId');
  const created: string[] = [];
  let duplicates = 0;
  for (const [batchIndex, row] of context.req.valid('json').customers.entries()) {
    const existing = await db
      .select({ id: customers.id })
      .from(customers)
      .where(and(eq(customers.bankId, bankId), eq(customers.email, row.email)))
      .get();
    if (existing) {
      duplicates += 1;
      continue;
    }
    const id = `cus_${crypto.randomUUID()}`;
    const phrase = drawPhrase('SHARD_1', systemRuntime.random);
    const { accountNumber, reference, ...columns } = row;
    const sealedFields = `${accountNumber} ${reference}`;
    const createdAt = Date.now();
    await db
      .insert(customers)
      .values({ ...columns, sealedFields, id, phrase, bankId, batchIndex, createdAt });
    created.push(id);
  }
  return context.json(
    {
      statusCode: 201,
      success: true,
      message: 'Batch processed',
      data: { createdCount: created.length, customerIds: created, duplicates },
    },
    201,
  );
});

const update = z.object({
  id: z.string(),
  update: z.object({
    firstname: z.string().optional(),
    middlename: z.string().optional(),
    lastname: z.string().optional(),
    accountName: z.string().optional(),
    address: z.string().optional(),
    phone: z.string().optional(),
    displayPicture: z.url().optional(),
  }),
});
app.patch('/v1/bank/customer', zValidator('json', update), async (context) => {
  const { id, update: changes } = context.req.valid('json');
  const changed = await drizzle(context.env.DB)
    .update(customers)
    .set(changes)
    .where(and(eq(customers.bankId, context.get('bankId')), eq(customers.id, id)))
    .returning({ id: customers.id, email: customers.email, phone: customers.phone })
    .get();
  if (!changed) return context.json({ statusCode: 404, success: false, message: 'Customer not found' }, 404);
  return context.json({
    statusCode: 200,
    success: true,
    message: 'Customer updated successfully',
    data: changed,
  });
});

export default app;
