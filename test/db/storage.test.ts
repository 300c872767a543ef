/** The migrations, Drizzle's tables, the statements and docs/storage.md agree. */
import { env } from 'cloudflare:workers';
import { getTableColumns, getTableName, sql } from 'drizzle-orm';
import { SQLiteTable } from 'drizzle-orm/sqlite-core';
import { describe, expect, it } from 'vitest';
import { selectChanges, insertChange } from '../../src/audit/audit.store.ts';
import storagePage from '../../docs/storage.md?raw';
import {
  claimDueChunks,
  selectStagedCopyKeys,
  isStaged,
  selectOpenChunk,
  applyChunk,
  rejectChunk,
  updateChunkPhrases,
  eraseStagedCopies,
  splitChunk,
  stallChunk,
} from '../../src/batches/process/chunks.store.ts';
import {
  addRefusedRowCount,
  insertRefusedRows,
  selectFailures,
  eraseClientRef,
} from '../../src/batches/failures.store.ts';
import { selectBacklog, deleteOldBatches } from '../../src/batches/process/retention.store.ts';
import {
  insertBatch,
  selectOpenBatchCounts,
  selectExistingEmails,
  selectBatchId,
} from '../../src/batches/accept/accept.store.ts';
import {
  selectBatches,
  selectCreatedCustomers,
  selectBatch,
} from '../../src/batches/results/results.store.ts';
import {
  selectIdempotencyRecord,
  insertIdempotencyRecord,
  deleteOldIdempotencyKeys,
} from '../../src/batches/accept/idempotency.store.ts';
import { selectDueEndpoints, selectNextEndpoints } from '../../src/events/due-endpoints.store.ts';
import { DISABLED_REASONS, EVENT_TYPES } from '../../src/events/event-types.ts';
import { deleteOldEvents } from '../../src/events/retention.store.ts';
import {
  claimEndpointStatements,
  disableEndpointStatements,
  moveEndpoint,
  postponeEndpoint,
} from '../../src/webhooks/delivery.store.ts';
import * as endpoints from '../../src/webhooks/webhooks.store.ts';
import { insertEvent, selectEventLog, selectEvents } from '../../src/events/events.store.ts';
import { SORT_FIELDS } from '../../src/customers/customers.requests.ts';
import {
  deleteCustomerStatements,
  selectCustomer,
  selectFilteredIds,
  selectCopyKeys,
  selectCustomers,
  updateCustomerStatements,
} from '../../src/customers/customers.store.ts';
import { CACHE_SECONDS } from '../../src/customers/phrase-cache.ts';
import { selectHome } from '../../src/databases/directory.store.ts';
import {
  guard,
  selectCustomerCount,
  selectState,
  selectWithState,
} from '../../src/databases/tenant.store.ts';
import { selectMisses, selectPayee } from '../../src/payee/payee.store.ts';
import { render, type Statement } from '../../src/db/statements.ts';
import { customers } from '../../src/customers/customers.table.ts';
import * as tables from '../../src/db/schema.ts';
import { DEAD_LETTER_QUEUE, WEBHOOK_QUEUE } from '../../src/env.ts';
import { databaseOf } from '../support/database.ts';
import { selectApiKey } from '../../src/api-keys/api-keys.store.ts';

const own = `name NOT LIKE 'sqlite_%' AND name NOT LIKE '_cf_%' AND name NOT LIKE 'd1_%'`;

/** Of the directory and of a shard: no two of them have one name. */
async function names(type: 'table' | 'index'): Promise<string[]> {
  const query = `SELECT name FROM sqlite_master WHERE type = '${type}' AND ${own}`;
  const found = [env.DIRECTORY, env.SHARD_1].map((db) => db.prepare(query).all<{ name: string }>());
  return (await Promise.all(found)).flatMap(({ results }) => results.map(({ name }) => name)).toSorted();
}

async function columns(table: string) {
  const found = await databaseOf(table).prepare(`PRAGMA table_info(${table})`).all<{
    name: string;
    type: string;
    notnull: number;
    pk: number;
  }>();
  return found.results;
}

describe('Drizzle', () => {
  const declared = Object.values({ ...tables, customers }).filter((value) => value instanceof SQLiteTable);

  it('declares every table of the migrations, and no other', async () => {
    expect(declared.map((table) => getTableName(table)).toSorted()).toEqual(await names('table'));
  });

  it.each(declared.map((table) => [getTableName(table), table] as const))(
    'declares the columns of %s with their types and nullability',
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

  it('names every index, state, key of the cache and queue', async () => {
    const words = [
      ...(await names('index')),
      ...tables.BATCH_STATUSES,
      ...tables.FAILURE_CODES,
      'phrase:{bankId}:{phrase}',
      'payee:{phrase}',
      `${CACHE_SECONDS} s`,
      DEAD_LETTER_QUEUE,
      WEBHOOK_QUEUE,
      ...EVENT_TYPES,
      ...DISABLED_REASONS,
    ];
    for (const word of words) expect(storagePage).toContain(word);
  });
});

describe('every statement', () => {
  const actor = { bankId: 'b', apiKeyId: 'k', requestId: 'r' };
  const change = { at: 0, action: 'customer.updated', subject: 'i', fields: [] } as const;
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
  const endpoint = { id: 'w', url: 'u', types: [], secret: 's' };
  const held = { bankId: 'b', endpointId: 'w', lease: 'l', position: 0 };
  const chunk = { chunk: 0, firstIndex: 0, lastIndex: 0, rowCount: 1, payload: '[]' };
  const listing = { limit: 20, offset: 0, descending: true };
  const lists = SORT_FIELDS.flatMap((field) =>
    (['from', 'before'] as const).map((side) => ({
      ...listing,
      field,
      position: { side, key: field === 'accountName' ? ['a', 'b'] : ['a'] },
    })),
  );
  const statements: Record<string, Statement> = {
    'home of a bank': selectHome('b'),
    guard: guard('b', 0),
    'state of a bank': selectState('b'),
    'lookup by id': selectCustomer('b', { id: 'i' }),
    ...Object.fromEntries(
      [{ id: 'i' }, { email: 'e' }, { phrase: 'p' }].map((lookup) => [
        `lookup with state by ${Object.keys(lookup).join()}`,
        selectWithState('b', selectCustomer('b', lookup)),
      ]),
    ),
    'lookup by email': selectCustomer('b', { email: 'e' }),
    'lookup by phrase': selectCustomer('b', { phrase: 'p' }),
    'lookup by all': selectCustomer('b', { id: 'i', email: 'e', phrase: 'p' }),
    ...Object.fromEntries(
      lists.map((query) => [`list by ${query.field} ${query.position.side}`, selectCustomers('b', query)]),
    ),
    'list by ids': selectCustomers('b', { ...listing, field: 'id', ids: ['i'] }),
    'list by phrases': selectCustomers('b', { ...listing, field: 'id', phrases: ['p'] }),
    payee: selectPayee({ bankId: 'b', day: 'd' }, 'p'),
    misses: selectMisses({ bankId: 'b', day: 'd' }),
    'count customers': selectCustomerCount('b'),
    'filter by ids': selectFilteredIds('b', { ids: ['i'] }),
    'filter by phrases': selectFilteredIds('b', { phrases: ['p'] }),
    ...named('update', updateCustomerStatements(actor, 0, 'i', { state: 's' }, ['r'])),
    ...named('erase', deleteCustomerStatements('b', 'i', sql`true`)),
    'traces of a customer': selectCopyKeys('b', 'i'),
    'traces of a staged customer': selectStagedCopyKeys('b', 'i'),
    'erase staged copies': eraseStagedCopies('b', 'i', 'e', sql`true`),
    'is staged': sql`SELECT ${isStaged('b', 'i')}`,
    'erase client refs of failures': eraseClientRef('b', 'r', sql`true`),
    'insert a change': insertChange(
      actor,
      change,
      sql`EXISTS (SELECT 1 FROM customers WHERE bank_id = 'b' AND id = 'i')`,
    ),
    'API key': selectApiKey('h'),
    ...numbered('existing emails', selectExistingEmails('b', ['e'])),
    ...numbered('apply a chunk', applyChunk(pointer, 0, 1)),
    ...numbered('reject a chunk', rejectChunk(pointer, 0, 1)),
    ...named('stall a chunk', stallChunk(pointer, 0)),
    ...named('split a chunk', splitChunk(pointer, 0)),
    'update phrases': updateChunkPhrases(pointer, ['p']),
    ...Object.fromEntries(
      (['from', 'before'] as const).flatMap((side) => [
        [`batches ${side}`, selectBatches('b', { limit: 20, position: { side, key: ['a'] } })],
        [
          `batches by status ${side}`,
          selectBatches('b', { limit: 20, status: 'STALLED', position: { side, key: ['a'] } }),
        ],
        [`failures ${side}`, selectFailures('b', 'x', { limit: 20, position: { side, key: [1] } })],
        [`created ${side}`, selectCreatedCustomers('b', 'x', { limit: 20, position: { side, key: ['a'] } })],
      ]),
    ),
    ...Object.fromEntries(
      (['from', 'before'] as const).flatMap((side) => {
        const page = { limit: 20, position: { side, key: [1, 'r'] } };
        return [
          [`changes ${side}`, selectChanges('b', page)],
          [`changes of one ${side}`, selectChanges('b', { ...page, subject: 's' })],
        ];
      }),
    ),
    ...numbered(
      'insert an event',
      insertEvent({ bankId: 'b', now: 0, type: 'customer.erased', data: '{}' }, sql`WHERE true`),
    ),
    'event log': selectEventLog('b'),
    ...numbered(
      'events',
      [undefined, 1].map((after) => selectEvents('b', { after, type: 'customer.erased', limit: 20 })),
    ),
    'due endpoints': selectDueEndpoints('b', 0, 'batch.completed'),
    'next endpoints': selectNextEndpoints({ bankId: 'b', endpointId: 'w' }, 0, 10),
    'delete old events': deleteOldEvents(0, { banks: 1, events: 1 }),
    endpoints: endpoints.selectEndpoints('b'),
    endpoint: endpoints.selectEndpoint('b', 'w'),
    ...named('insert an endpoint', endpoints.insertEndpointStatements(actor, 0, endpoint, 20)),
    ...named('update an endpoint', endpoints.updateEndpointStatements(actor, 0, 'w', endpoint)),
    ...named('enable an endpoint', endpoints.enableEndpointStatements(actor, 0, 'w', 1)),
    ...named('rotate a secret', endpoints.rotateSecretStatements(actor, 0, 'w', 's', 1)),
    ...named('delete an endpoint', endpoints.deleteEndpointStatements(actor, 0, 'w')),
    ...named('test an endpoint', endpoints.claimTestStatements('b', 'w', 0, 1)),
    ...named('claim an endpoint', claimEndpointStatements({ ...held, now: 0, leaseUntil: 1 }, 4)),
    'move an endpoint': moveEndpoint(held, { position: 1, leaseUntil: 0, sent: { at: 0, status: 200 } }),
    'postpone an endpoint': postponeEndpoint(held, { at: 0, status: null }, 1),
    ...named('disable an endpoint', disableEndpointStatements(held, 0, 'GONE', { at: 0, status: 410 })),
    batch: selectBatch('b', 'x'),
    // Its chunks are plain INSERTs, which have no plan.
    'insert a batch': insertBatch({ ...outline, chunks: [chunk] }, 0, 1)[0] ?? sql``,
    'read a batch back': selectBatchId('b', 'x'),
    'idempotency record': selectIdempotencyRecord('b', 'k', 0),
    // Its second statement is a plain INSERT, which has no plan.
    'delete an old idempotency record':
      insertIdempotencyRecord('b', 'k', { fingerprint: 'f', answer: 'a' }, 0)[0] ?? sql``,
    ...named('delete old batches', deleteOldBatches(0, { batches: 1, failures: 1 })),
    'count old rows': selectBacklog(0, 0),
    ...numbered('count refused rows', addRefusedRowCount(outline, 1)),
    ...numbered('insert refused rows', insertRefusedRows(outline, 1)),
    'delete old idempotency records': deleteOldIdempotencyKeys(0, 1),
    'open batches': selectOpenBatchCounts('b', 100),
    'open chunk': selectOpenChunk(pointer),
    'due chunks': claimDueChunks(0, 1, 1),
  };

  it.each(Object.entries(statements))('finds its rows by an index: %s', async (name, statement) => {
    const query = render(statement);
    const plan = await databaseOf(query.sql)
      .prepare(`EXPLAIN QUERY PLAN ${query.sql}`)
      .bind(...query.params)
      .all<{ detail: string }>();
    const steps = plan.results.map(({ detail }) => detail);
    expect(steps.length).toBeGreaterThan(0);
    const scans = steps.filter(
      (step) =>
        step.startsWith('SCAN ') &&
        !/VIRTUAL TABLE|CONSTANT ROW|^SCAN (chunks|chunk|removed|\(subquery-\d+\))$/.test(step) &&
        // One row for each shard or bank, of which there are few.
        !(name === 'API key' && step === 'SCAN shards') &&
        !(name === 'delete old events' && /^SCAN (tenants|expired)$/.test(step)),
    );
    expect(scans).toEqual([]);
    // A search by the bank alone would still read all of the bank's failures.
    if (name === 'erase client refs of failures') expect(steps.join()).toContain('batch_failures_client_ref');
    if (!/list by ids|list by phrases/.test(name))
      expect(steps.filter((step) => step.includes('TEMP B-TREE FOR ORDER BY'))).toEqual([]);
  });
});

/** Prefixes the names of a transaction's statements with the name of the transaction. */
function named(
  name: string,
  parts: Record<string, Statement | readonly Statement[]>,
): Record<string, Statement> {
  return Object.fromEntries(
    Object.entries(parts).flatMap(([part, statements]) =>
      [statements].flat().map((statement, index) => [`${name}: ${part} ${index + 1}`, statement]),
    ),
  );
}

function numbered<Value>(name: string, values: Value[]): Record<string, Value> {
  return Object.fromEntries(values.map((value, index) => [`${name} ${index + 1}`, value]));
}
