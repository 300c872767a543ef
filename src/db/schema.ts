/**
 * The tables of the directory and of a shard for Drizzle, except `customers` (customers/customers.table.ts). migrations/ defines them (Drizzle can't
 * express STRICT or WITHOUT ROWID), and a test compares the two. Life cycles: docs/storage.md.
 */
import { sql } from 'drizzle-orm';
import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';

export const banks = sqliteTable('banks', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  cursorKey: text('cursor_key')
    .notNull()
    .default(sql`(hex(randomblob(32)))`),
  shard: text('shard').notNull(),
  moveNumber: integer('move_number').notNull().default(0),
  createdAt: integer('created_at').notNull(),
});

export const shards = sqliteTable('shards', {
  name: text('name').primaryKey(),
  number: integer('number').notNull().unique(),
  location: text('location'),
  jurisdiction: text('jurisdiction'),
  closed: integer('closed').notNull().default(0),
  createdAt: integer('created_at').notNull(),
});

/** Of a bank's move from one shard to another: src/databases/moves/move.ts. */
export const MOVE_PHASES = [
  'copying',
  'verifying',
  'switching',
  'switched',
  'cleaning',
  'done',
  'aborting',
  'aborted',
] as const;
export type MovePhase = (typeof MOVE_PHASES)[number];

export const bankMoves = sqliteTable('bank_moves', {
  number: integer('number').primaryKey(),
  bankId: text('bank_id').notNull(),
  source: text('source').$type<`SHARD_${number}`>().notNull(),
  target: text('target').$type<`SHARD_${number}`>().notNull(),
  phase: text('phase', { enum: MOVE_PHASES }).notNull(),
  totalRows: integer('total_rows').notNull().default(0),
  copiedRows: integer('copied_rows').notNull().default(0),
  verifiedRows: integer('verified_rows').notNull().default(0),
  verifiedTo: text('verified_to'),
  error: text('error'),
  startedAt: integer('started_at').notNull(),
  updatedAt: integer('updated_at').notNull(),
  frozenAt: integer('frozen_at'),
  switchingAt: integer('switching_at'),
  openedAt: integer('opened_at'),
});
export type BankMove = typeof bankMoves.$inferSelect;

export const apiKeys = sqliteTable('api_keys', {
  hash: text('hash').primaryKey(),
  id: text('id').notNull().unique(),
  bankId: text('bank_id').notNull(),
  name: text('name').notNull(),
  prefix: text('prefix').notNull(),
  scopes: text('scopes').notNull(),
  createdAt: integer('created_at').notNull(),
  expiresAt: integer('expires_at'),
  revokedAt: integer('revoked_at'),
  lastUsedOn: text('last_used_on'),
});

/** Of a bank in one shard: migrations/shard/0001_tenants_and_customers.sql. */
export const TENANT_STATES = ['open', 'leaving', 'arriving', 'standby', 'moved'] as const;
export type TenantState = (typeof TENANT_STATES)[number];

export const tenants = sqliteTable('tenants', {
  bankId: text('bank_id').primaryKey(),
  state: text('state', { enum: TENANT_STATES }).notNull(),
  moveNumber: integer('move_number').notNull().default(0),
  customerCount: integer('customer_count').notNull().default(0),
  failureCount: integer('failure_count').notNull().default(0),
  failureDay: text('failure_day').notNull().default(''),
  failureDayCount: integer('failure_day_count').notNull().default(0),
  eventSequence: integer('event_sequence').notNull().default(0),
});

export const guard = sqliteTable('guard', { refused: integer('refused') });

export const BATCH_STATUSES = ['PROCESSING', 'STALLED', 'COMPLETED', 'COMPLETED_WITH_FAILURES'] as const;
export type BatchStatus = (typeof BATCH_STATUSES)[number];

export const batches = sqliteTable(
  'batches',
  {
    bankId: text('bank_id').notNull(),
    id: text('id').notNull(),
    status: text('status', { enum: BATCH_STATUSES }).notNull(),
    total: integer('total').notNull(),
    duplicates: integer('duplicates').notNull(),
    invalid: integer('invalid').notNull(),
    firstCustomerId: text('first_customer_id'),
    lastCustomerId: text('last_customer_id'),
    created: integer('created').notNull().default(0),
    raced: integer('raced').notNull().default(0),
    rejected: integer('rejected').notNull().default(0),
    failuresRemoved: integer('failures_removed').notNull().default(0),
    createdAt: integer('created_at').notNull(),
    completedAt: integer('completed_at'),
  },
  (table) => [primaryKey({ columns: [table.bankId, table.id] })],
);

export const batchChunks = sqliteTable(
  'batch_chunks',
  {
    bankId: text('bank_id').notNull(),
    batchId: text('batch_id').notNull(),
    chunk: integer('chunk').notNull(),
    firstIndex: integer('first_index').notNull(),
    lastIndex: integer('last_index').notNull(),
    rowCount: integer('row_count').notNull(),
    nextSendAt: integer('next_send_at'),
    tries: integer('tries').notNull().default(0),
    created: integer('created').notNull().default(0),
    raced: integer('raced').notNull().default(0),
    doneAt: integer('done_at'),
    payload: text('payload'),
  },
  (table) => [primaryKey({ columns: [table.bankId, table.batchId, table.chunk] })],
);

/** The contract's batch processing error codes. */
export const FAILURE_CODES = [
  'INVALID_DATA',
  'VALIDATION_ERROR',
  'DUPLICATE_IN_BATCH',
  'EXISTING_CUSTOMER',
] as const;
export type FailureCode = (typeof FAILURE_CODES)[number];

export const batchFailures = sqliteTable(
  'batch_failures',
  {
    bankId: text('bank_id').notNull(),
    batchId: text('batch_id').notNull(),
    rowIndex: integer('row_index').notNull(),
    chunk: integer('chunk'),
    clientRef: text('client_ref'),
    code: text('code').notNull(),
    faults: text('faults').notNull(),
  },
  (table) => [primaryKey({ columns: [table.bankId, table.batchId, table.rowIndex] })],
);

export const idempotencyKeys = sqliteTable(
  'idempotency_keys',
  {
    bankId: text('bank_id').notNull(),
    route: text('route').notNull(),
    idempotencyKey: text('idempotency_key').notNull(),
    fingerprint: text('fingerprint').notNull(),
    answer: text('answer').notNull(),
    createdAt: integer('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.bankId, table.route, table.idempotencyKey] })],
);

export const auditLog = sqliteTable(
  'audit_log',
  {
    bankId: text('bank_id').notNull(),
    at: integer('at').notNull(),
    requestId: text('request_id').notNull(),
    keyId: text('key_id'),
    action: text('action').notNull(),
    subject: text('subject').notNull(),
    fields: text('fields').notNull(),
  },
  (table) => [primaryKey({ columns: [table.bankId, table.at, table.requestId] })],
);

export const events = sqliteTable(
  'events',
  {
    bankId: text('bank_id').notNull(),
    sequence: integer('sequence').notNull(),
    type: text('type').notNull(),
    data: text('data').notNull(),
    createdAt: integer('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.bankId, table.sequence] })],
);

export const webhookEndpoints = sqliteTable(
  'webhook_endpoints',
  {
    bankId: text('bank_id').notNull(),
    id: text('id').notNull(),
    url: text('url').notNull(),
    types: text('types').notNull(),
    secret: text('secret').notNull(),
    previousSecret: text('previous_secret'),
    previousSecretUntil: integer('previous_secret_until'),
    status: text('status').notNull().default('ENABLED'),
    disabledAt: integer('disabled_at'),
    disabledReason: text('disabled_reason'),
    position: integer('position').notNull(),
    lease: text('lease'),
    leaseUntil: integer('lease_until').notNull().default(0),
    failures: integer('failures').notNull().default(0),
    failingSince: integer('failing_since'),
    nextAttemptAt: integer('next_attempt_at').notNull().default(0),
    lastAttemptAt: integer('last_attempt_at'),
    lastStatus: integer('last_status'),
    testedAt: integer('tested_at').notNull().default(0),
    createdAt: integer('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.bankId, table.id] })],
);

export const payeeMisses = sqliteTable('payee_misses', {
  bankId: text('bank_id').primaryKey(),
  day: text('day').notNull(),
  misses: integer('misses').notNull(),
});

export const retiredPhrases = sqliteTable('retired_phrases', {
  phrase: text('phrase').primaryKey(),
  bankId: text('bank_id'),
});
