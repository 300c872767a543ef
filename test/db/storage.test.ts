/** The migrations, Drizzle's tables, the SQL that runs and docs/storage.md say the same. */
import { env } from 'cloudflare:workers';
import { getTableColumns, getTableName, sql } from 'drizzle-orm';
import { SQLiteTable } from 'drizzle-orm/sqlite-core';
import { describe, expect, it } from 'vitest';
import { listChanges, recordChange } from '../../src/audit/audit.store.ts';
import storagePage from '../../docs/storage.md?raw';
import {
  claimDueChunks,
  findStagedTraces,
  isStaged,
  findOpenChunk,
  moveChunkIn,
  rejectChunk,
  rephraseChunk,
  scrubStaged,
  splitChunk,
  stallChunk,
} from '../../src/batches/batch-chunks.store.ts';
import {
  countRefusedRows,
  insertRefusedRows,
  listFailures,
  scrubFailures,
} from '../../src/batches/batch-failures.store.ts';
import { countOld, removeOldBatches } from '../../src/batches/batch-removal.store.ts';
import {
  countOpenBatches,
  findBatch,
  findExistingEmails,
  insertBatch,
} from '../../src/batches/batches.store.ts';
import { listBatches, listCreated, readBatch } from '../../src/batches/batch-results.store.ts';
import {
  findIdempotencyRecord,
  insertIdempotencyRecord,
  removeOldKeys,
} from '../../src/batches/batches.idempotency.store.ts';
import { SORT_FIELDS } from '../../src/customers/customers.schema.ts';
import {
  countCustomers,
  eraseCustomer,
  findCustomer,
  findNamedIds,
  findTraces,
  listCustomers,
  updateCustomer,
} from '../../src/customers/customers.store.ts';
import { CACHE_SECONDS } from '../../src/customers/phrase-cache.ts';
import { render } from '../../src/db/client.ts';
import * as tables from '../../src/db/tables.ts';
import { DEAD_LETTER_QUEUE } from '../../src/env.ts';
import { findKeyByHash } from '../../src/keys/keys.store.ts';

const own = `name NOT LIKE 'sqlite_%' AND name NOT LIKE '_cf_%' AND name NOT LIKE 'd1_%'`;

async function names(type: 'table' | 'index'): Promise<string[]> {
  const query = `SELECT name FROM sqlite_master WHERE type = '${type}' AND ${own} ORDER BY name`;
  return (await env.DB.prepare(query).all<{ name: string }>()).results.map(({ name }) => name);
}

async function columns(table: string) {
  const found = await env.DB.prepare(`PRAGMA table_info(${table})`).all<{
    name: string;
    type: string;
    notnull: number;
    pk: number;
  }>();
  return found.results;
}

describe('Drizzle', () => {
  const declared = Object.values(tables).filter((value) => value instanceof SQLiteTable);

  it('knows every table of the migrations, and no other', async () => {
    expect(declared.map((table) => getTableName(table)).toSorted()).toEqual(await names('table'));
  });

  it.each(declared.map((table) => [getTableName(table), table] as const))(
    'knows the columns of %s, their types and what may be null',
    async (name, table) => {
      const known = Object.values(getTableColumns(table)).map((column) => ({
        name: column.name,
        type: column.getSQLType().toUpperCase(),
        notnull: column.notNull,
      }));
      const actual = (await columns(name)).map(({ name: column, type, notnull }) => ({
        name: column,
        type,
        notnull: notnull === 1,
      }));
      const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
      expect(known.toSorted(byName)).toEqual(actual.toSorted(byName));
    },
  );
});

describe('docs/storage.md', () => {
  it('describes every table with every column, and no other table', async () => {
    const sections = new Map(
      storagePage
        .split('\n### ')
        .slice(1)
        .map((section) => [/^`(\w+)`/.exec(section)?.[1] ?? '', section]),
    );
    expect([...sections.keys()].toSorted()).toEqual(await names('table'));
    for (const [table, section] of sections) {
      for (const { name } of await columns(table))
        expect([table, section]).toEqual([table, expect.stringContaining(`\`${name}\``)]);
    }
  });

  it('names every index, state, KV key and queue', async () => {
    const words = [
      ...(await names('index')),
      ...tables.BATCH_STATUSES,
      ...tables.FAILURE_CODES,
      'phrase:{bankId}:{phrase}',
      `${CACHE_SECONDS} s`,
      DEAD_LETTER_QUEUE,
    ];
    for (const word of words) expect(storagePage).toContain(word);
  });
});

describe('every statement finds its rows by an index', () => {
  const actor = { bankId: 'b', keyId: 'k', requestId: 'r' };
  const change = { at: 0, action: 'PATCH /v1/bank/customer', subject: 'i', fields: [] } as const;
  const pointer = { bankId: 'b', batchId: 'x', chunk: 0 };
  const outline = {
    bankId: 'b',
    batchId: 'x',
    createdAt: 0,
    total: 1,
    duplicates: 0,
    invalid: 1,
    customerIds: [],
    failures: [{ index: 0, clientRef: null, code: 'INVALID_DATA' as const, message: '', errors: [] }],
  };
  const chunk = { chunk: 0, firstIndex: 0, lastIndex: 0, rowCount: 1, payload: '[]' };
  const listing = { limit: 20, offset: 0, descending: true };
  const lists = SORT_FIELDS.flatMap((field) =>
    (['from', 'before'] as const).map((side) => ({
      ...listing,
      field,
      position: { side, key: field === 'accountName' ? ['a', 'b'] : ['a'] },
    })),
  );
  const statements = {
    'lookup by id': findCustomer('b', { id: 'i' }),
    'lookup by email': findCustomer('b', { email: 'e' }),
    'lookup by phrase': findCustomer('b', { phrase: 'p' }),
    'lookup by all': findCustomer('b', { id: 'i', email: 'e', phrase: 'p' }),
    ...Object.fromEntries(
      lists.map((query) => [`list by ${query.field} ${query.position.side}`, listCustomers('b', query)]),
    ),
    'list by ids': listCustomers('b', { ...listing, field: 'id', ids: ['i'] }),
    'list by phrases': listCustomers('b', { ...listing, field: 'id', phrases: ['p'] }),
    count: countCustomers('b'),
    'named by ids': findNamedIds('b', { ids: ['i'] }),
    'named by phrases': findNamedIds('b', { phrases: ['p'] }),
    ...numbered('update', updateCustomer(actor, 0, 'i', { state: 's' }, ['r']).slice(1)),
    ...numbered('erase', eraseCustomer('b', 'i', sql`true`)),
    traces: findTraces('b', 'i'),
    'staged traces': findStagedTraces('b', 'i'),
    'scrub staged copies': scrubStaged('b', 'i', 'e', sql`true`),
    'is staged': sql`SELECT ${isStaged('b', 'i')}`,
    'scrub failures': scrubFailures('b', 'r', sql`true`),
    'write down a change': recordChange(
      actor,
      change,
      sql`EXISTS (SELECT 1 FROM customers WHERE bank_id = 'b' AND id = 'i')`,
    ),
    key: findKeyByHash('h'),
    ...numbered('existing emails', findExistingEmails('b', ['e'])),
    ...numbered('move in', moveChunkIn(pointer, 0, 1)),
    ...numbered('reject', rejectChunk(pointer, 0, 1)),
    ...numbered('stall', stallChunk(pointer, 0)),
    ...numbered('split', splitChunk(pointer, 0)),
    rephrase: rephraseChunk(pointer, ['p']),
    ...Object.fromEntries(
      (['from', 'before'] as const).flatMap((side) => [
        [`batches ${side}`, listBatches('b', { limit: 20, position: { side, key: ['a'] } })],
        [
          `batches by status ${side}`,
          listBatches('b', { limit: 20, status: 'STALLED', position: { side, key: ['a'] } }),
        ],
        [`failures ${side}`, listFailures('b', 'x', { limit: 20, position: { side, key: [1] } })],
        [`created ${side}`, listCreated('b', 'x', { limit: 20, position: { side, key: ['a'] } })],
      ]),
    ),
    ...Object.fromEntries(
      (['from', 'before'] as const).flatMap((side) => {
        const page = { limit: 20, position: { side, key: [1, 'r'] } };
        return [
          [`changes ${side}`, listChanges('b', page)],
          [`changes of one ${side}`, listChanges('b', { ...page, subject: 's' })],
        ];
      }),
    ),
    batch: readBatch('b', 'x'),
    // Its chunks are plain INSERTs, which have no plan.
    'insert a batch': insertBatch({ ...outline, chunks: [chunk] }, 0, 1)[0] ?? sql``,
    'read back': findBatch('b', 'x'),
    'read back a key': findIdempotencyRecord('b', 'k', 0),
    // Its second statement is a plain INSERT, which has no plan.
    'forget an old key': insertIdempotencyRecord('b', 'k', { fingerprint: 'f', answer: 'a' }, 0)[0] ?? sql``,
    ...numbered('remove batches', removeOldBatches(0, { batches: 1, failures: 1 })),
    'count what is old': countOld(0, 0),
    ...numbered('count refused rows', countRefusedRows(outline, 1)),
    ...numbered('store refused rows', insertRefusedRows(outline, 1)),
    'remove keys': removeOldKeys(0, 1),
    'open batches': countOpenBatches('b', 100),
    'open chunk': findOpenChunk(pointer),
    'due chunks': claimDueChunks(0, 1),
  };

  it.each(Object.entries(statements))('%s', async (name, statement) => {
    const query = render(statement);
    const plan = await env.DB.prepare(`EXPLAIN QUERY PLAN ${query.sql}`)
      .bind(...query.params)
      .all<{ detail: string }>();
    const steps = plan.results.map(({ detail }) => detail);
    expect(steps.length).toBeGreaterThan(0);
    const scans = steps.filter(
      (step) =>
        step.startsWith('SCAN ') &&
        !/VIRTUAL TABLE|CONSTANT ROW|^SCAN (chunks|chunk|removed|\(subquery-\d+\))$/.test(step),
    );
    expect(scans).toEqual([]);
    // What merely searches, by the bank alone, may still read all of it.
    if (name === 'scrub failures') expect(steps.join()).toContain('batch_failures_client_ref');
    if (!/list by ids|list by phrases/.test(name))
      expect(steps.filter((step) => step.includes('TEMP B-TREE FOR ORDER BY'))).toEqual([]);
  });
});

function numbered<Value>(name: string, values: Value[]): Record<string, Value> {
  return Object.fromEntries(values.map((value, index) => [`${name} ${index + 1}`, value]));
}
