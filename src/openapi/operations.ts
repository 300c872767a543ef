/** What the reference says of each operation, beside what the operation says itself. */
import * as z from 'zod/mini';
import { envelope } from '../http/envelope.ts';
import * as audit from '../audit/audit.operations.ts';
import { createCustomers } from '../batches/accept/accept.operations.ts';
import * as results from '../batches/results/results.operations.ts';
import { batchQuery } from '../batches/accept/accept.requests.ts';
import * as customers from '../customers/customers.operations.ts';
import { SORT_FIELDS } from '../customers/customers.requests.ts';
import { LIMITS } from '../limits.ts';
import * as erasure from '../erasure/erasure.operations.ts';
import { getHealth } from '../health/health.operations.ts';
import { MAX_CURSOR_CHARACTERS } from '../http/parameters.ts';
import { COMPONENTS } from './components.ts';
import {
  BOOKMARK,
  bookmarked,
  exampleOf,
  one,
  page,
  schemaOf,
  success,
  type Documented,
} from './documented.ts';
import { DEMO_CUSTOMER } from './examples.ts';

const PAGE_PARAMETERS = {
  limit: { description: 'Rows of a page.', example: 20 },
  cursor: {
    description: 'Of a `Link` header; empty: the first page. Reads on at the same cost at any depth.',
    example: '',
    schema: { type: 'string', maxLength: MAX_CURSOR_CHARACTERS },
  },
};

const UNDER_WAY =
  'While the batch is PROCESSING the list is not final, and `Retry-After` says when to look again.';

export const OPERATIONS: Record<string, Documented> = {
  getCustomer: {
    operation: customers.getCustomer,
    tag: 'Customers',
    summary: 'Who is this?',
    description:
      'By `phrase`, `id` or `email`, at least one; of several, all must be the same customer’s. A phrase is found however it is typed: any case, and spaces, dots or underscores for hyphens. By phrase alone, and with a key that sees the Standard fields only, the answer may come from the edge and be up to 6 minutes old.',
    query: {
      phrase: { description: 'Four words.', example: DEMO_CUSTOMER.phrase },
      id: { description: 'Of an answer to a batch, or of a list.', example: DEMO_CUSTOMER.id },
      email: { description: 'Any case. In a URL, + is written as %2B.', example: DEMO_CUSTOMER.email },
    },
    headers: ['Cache-Control', 'If-None-Match', 'X-D1-Bookmark'],
    successes: {
      200: { ...one('Customer', 'Customer retrieved successfully'), headers: ['ETag', 'X-Cache'] },
      304: {
        description: 'The customer has not changed since `If-None-Match`.',
        headers: ['ETag', 'X-Cache'],
      },
    },
    failureHeaders: { ...bookmarked(429, 500, 503), 404: ['X-Cache', BOOKMARK] },
  },
  listCustomers: {
    operation: customers.listCustomers,
    tag: 'Customers',
    summary: 'List customers',
    description:
      'The customers of your bank, newest first; with both filters, those that match both. A bare array, not the envelope of other answers.',
    query: {
      ids: {
        description: 'Repeated, or separated by commas; `ids[]` and `ids[0]` are the same.',
        example: [DEMO_CUSTOMER.id],
      },
      phrases: {
        description: 'Repeated, or separated by commas; `phrases[]` and `phrases[0]` are the same.',
        example: [DEMO_CUSTOMER.phrase],
      },
      sortBy: {
        description: 'With `-` before it for descending.',
        schema: {
          type: 'string',
          enum: SORT_FIELDS.flatMap((field) => [field, `-${field}`]),
          default: '-createdAt',
        },
        example: '-createdAt',
      },
      page: {
        description: `From 1; page times limit is at most ${LIMITS.maxNumberedRow.toLocaleString('en')}. Reading on by the cursor of \`Link\` is cheaper, and reaches any depth.`,
        example: 1,
      },
      ...PAGE_PARAMETERS,
    },
    headers: ['X-D1-Bookmark'],
    successes: {
      200: {
        description:
          'A page; in `X-Total-Count` how many there are, and in `Link` the way to the neighbouring pages.',
        headers: ['Link', 'X-Total-Count'],
        schema: z.array(schemaOf('Customer')),
        example: [exampleOf('Customer')],
      },
    },
    failureHeaders: bookmarked(429, 500, 503),
  },
  createCustomers: {
    operation: createCustomers,
    tag: 'Batches',
    summary: 'Bring customers',
    description:
      '1 to 10,000 customers, 10 MB. The answer comes as soon as the batch is stored; its customers can be read moments later. Rows that can’t become customers are failures, the others go in. Where no row was accepted, the answer is a 409 (no row is invalid: all of them are customers already, some perhaps twice) or a 400, with the same `data`.',
    query: {
      dryRun: {
        description:
          'Judge the rows by the same rules, and store nothing. The answer has failures of up to 1 MB.',
        schema: { type: 'boolean', default: batchQuery.parse({}).dryRun },
        example: false,
      },
      failuresFrom: {
        description:
          'Of a dry run whose answer had not all failures: send it again with the index of the last one that it had, plus one, until `failuresInline` is true.',
        example: 0,
      },
    },
    headers: ['Idempotency-Key'],
    body: { customers: [exampleOf('NewCustomer')] },
    successes: {
      200: {
        description: 'Of a dry run: what would become of the batch.',
        schema: envelope(schemaOf('BatchReport')),
        example: success('Dry run, nothing was stored', {
          ...COMPONENTS.BatchReport.example,
          batchId: null,
          status: null,
          data: { createdCount: 0, customerIds: [] },
        }),
      },
      201: {
        description: 'The batch is stored, and its customers are on their way.',
        headers: ['Location', 'Idempotent-Replayed'],
        schema: envelope(schemaOf('BatchReport')),
        example: success('Batch processed, customers will reflect shortly', exampleOf('BatchReport'), 201),
      },
    },
    // Where no row was accepted, the batch is a resource all the same.
    failureHeaders: {
      ...bookmarked(422, 429, 500, 503),
      400: ['Location', 'Idempotent-Replayed', BOOKMARK],
      409: ['Location', 'Idempotent-Replayed', BOOKMARK],
    },
  },
  updateCustomer: {
    operation: customers.updateCustomerOperation,
    tag: 'Customers',
    summary: 'Update a customer',
    description:
      'Fields that are absent stay as they are. With `If-Match`, only if nobody has changed the customer since you read it.',
    query: {},
    headers: ['If-Match', 'X-D1-Bookmark'],
    body: { id: DEMO_CUSTOMER.id, update: exampleOf('CustomerUpdate') },
    successes: { 200: { ...one('UpdatedCustomer', 'Customer updated successfully'), headers: ['ETag'] } },
    failureHeaders: bookmarked(400, 404, 412, 500, 503),
  },
  eraseCustomer: {
    operation: erasure.eraseCustomerOperation,
    tag: 'Customers',
    summary: 'Erase a customer',
    description:
      'For good: its row, its copies, its name in failures. One that was accepted and is on its way in never arrives. Its phrase is never given out again; that it was erased stays in the audit log.',
    query: { id: { description: 'Of the customer.', example: DEMO_CUSTOMER.id } },
    headers: ['If-Match', 'X-D1-Bookmark'],
    successes: {
      200: {
        description: 'It is gone.',
        schema: envelope(z.strictObject({ id: z.string() })),
        example: success('Customer erased successfully', { id: DEMO_CUSTOMER.id }),
      },
    },
    failureHeaders: bookmarked(404, 412, 500, 503),
  },
  listBatches: {
    operation: results.listBatches,
    tag: 'Batches',
    summary: 'List batches',
    description: 'Newest first. Kept for 30 days after they were completed.',
    query: {
      status: { description: 'Only batches that are so.', example: 'COMPLETED' },
      ...PAGE_PARAMETERS,
    },
    headers: [],
    successes: { 200: page('Batch') },
  },
  getBatch: {
    operation: results.getBatch,
    tag: 'Batches',
    summary: 'Watch a batch',
    description: 'While it is PROCESSING, `Retry-After` says when to look again.',
    query: {},
    headers: [],
    successes: { 200: { ...one('Batch', 'Batch retrieved successfully'), headers: ['Retry-After'] } },
    failureHeaders: bookmarked(404),
  },
  listBatchFailures: {
    operation: results.listBatchFailures,
    tag: 'Batches',
    summary: 'Rows that failed',
    description: `Every row that did not become a customer, and why, in input order. ${UNDER_WAY}`,
    query: PAGE_PARAMETERS,
    headers: [],
    successes: { 200: page('RowFailure', ['Retry-After']) },
    failureHeaders: bookmarked(404),
  },
  listBatchCustomers: {
    operation: results.listBatchCustomers,
    tag: 'Batches',
    summary: 'Rows that became customers',
    description: `The id and the phrase of every customer that the batch created, in input order. ${UNDER_WAY}`,
    query: PAGE_PARAMETERS,
    headers: [],
    successes: { 200: page('CreatedCustomer', ['Retry-After']) },
    failureHeaders: bookmarked(404),
  },
  listChanges: {
    operation: audit.listChangesOperation,
    tag: 'Audit',
    summary: 'Who changed what',
    description: 'Every change of your bank’s customers and every batch, newest first.',
    query: {
      subject: { description: 'A customer’s id, or a batch’s.', example: DEMO_CUSTOMER.id },
      ...PAGE_PARAMETERS,
    },
    headers: ['X-D1-Bookmark'],
    successes: { 200: page('Change') },
    failureHeaders: bookmarked(500, 503),
  },
  getHealth: {
    operation: getHealth,
    tag: 'Service',
    summary: 'Does it run?',
    description:
      'For monitors. With `deep=1` the database, the cache and the queue are asked too, and a 503 names in `errors` what does not answer; the result may be 5 seconds old.',
    query: { deep: { description: '`1`: ask what the service depends on.', example: '1' } },
    headers: [],
    successes: { 200: one('Health', 'The service is running') },
  },
};
