/** The customers and the batch of the reference's examples. */
import type * as z from 'zod/mini';
import type { Bank } from '../bank/bank.responses.ts';
import type { BatchReport, RowFailure } from '../batches/batches.responses.ts';
import type { Webhook } from '../webhooks/webhooks.responses.ts';
import type { customerRow } from '../customers/customers.requests.ts';

/** A customer of the demo bank of `npm start`, so that the examples of lookups work there. */
export const DEMO_CUSTOMER = {
  id: 'cus_01M88YXTM0DEM0ADA0BA0BA000',
  accountName: 'Adaobi Okafor',
  gender: 'female',
  displayPicture: null,
  bankId: 'bnk_demo_lagos',
  phrase: 'river-stone-ocean-coral',
  country: 'NG',
  state: 'Lagos',
  email: 'adaobi.okafor@example.com',
  phone: '+2348031234567',
  address: '12 Marina Road, Lagos',
  createdAt: '2026-11-25T09:00:00.000Z',
} as const;

export const EXAMPLE_BATCH_ID = 'bat_01M88ZMR0RQ4M2ZJ8T5WPD6HNS';
export const FIRST_ID = 'cus_01M88ZMR0RQ4M2ZJ8T5WPD6HNT';

export const NEW_CUSTOMER: z.output<typeof customerRow> = {
  clientRef: 'core-0000001',
  firstname: 'Chinedu',
  lastname: 'Eze',
  accountName: 'Chinedu Eze',
  email: 'chinedu.eze@example.com',
  country: 'NG',
  phone: '0803 123 4567',
  accountNumber: '0123456789',
  reference: 'import-1',
};

export const FIELD_FAULT = { field: 'email', message: 'must be an email address, such as ada@example.com' };

export const FAILURE: RowFailure = {
  index: 1,
  clientRef: 'core-0000002',
  code: 'VALIDATION_ERROR',
  message: 'A field is not in the right format',
  errors: [FIELD_FAULT],
};

export const SUMMARY = { total: 2, successful: 1, failed: 1, duplicates: 0, invalidData: 1 };

export const REPORT: BatchReport = {
  batchId: EXAMPLE_BATCH_ID,
  status: 'PROCESSING',
  summary: SUMMARY,
  failures: [FAILURE],
  failuresInline: true,
  inlineFailureLimit: 50,
  failuresUrl: null,
  data: { createdCount: 1, customerIds: [FIRST_ID] },
};

export const LOOKUP_RATE = { name: 'lookups', limit: 10_000, seconds: 10 };

export const BANK_LIMITS = {
  batchRows: 10_000,
  batchBytes: 10_485_760,
  openBatches: 100,
  failuresPerDay: 1_000_000,
  payeeMissesPerDay: 50_000,
  pageRows: 1_000,
  filterValues: 100,
  rates: [
    LOOKUP_RATE,
    { name: 'payees', limit: 10_000, seconds: 10 },
    { name: 'changes', limit: 1_000, seconds: 10 },
    { name: 'batches', limit: 300, seconds: 60 },
    { name: 'misses', limit: 50, seconds: 10 },
  ],
} satisfies Bank['limits'];

export const EXAMPLE_EVENT = {
  id: 'evt_bnk_demo_lagos_17',
  type: 'batch.completed',
  createdAt: '2026-11-25T09:12:32.000Z',
  data: {
    batchId: EXAMPLE_BATCH_ID,
    status: 'COMPLETED_WITH_FAILURES',
    total: 2,
    successful: 1,
    failed: 1,
  },
} as const;

export const EXAMPLE_WEBHOOK_ID = 'whk_01M890A7R3N5P7Q9S1T3V5W7X9';

export const EXAMPLE_WEBHOOK: Webhook = {
  id: EXAMPLE_WEBHOOK_ID,
  url: 'https://bank.example.com/hooks/peere',
  types: ['batch.completed', 'batch.stalled'],
  status: 'ENABLED',
  createdAt: '2026-11-25T09:00:00.000Z',
  disabledAt: null,
  disabledReason: null,
  position: 'evt_bnk_demo_lagos_17',
  lag: 0,
  lastAttemptAt: '2026-11-25T09:12:33.000Z',
  lastStatusCode: 204,
  failingSince: null,
  nextAttemptAt: null,
  previousSecretUntil: null,
};

export const EXAMPLE_HOST = 'https://api.example.com';
