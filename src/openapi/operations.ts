/** Prose and examples of each operation. What is derived from the operation itself is in openapi.ts and responses.ts. */
import * as audit from '../audit/audit.operations.ts';
import { createCustomersOperation } from '../batches/accept/accept.operations.ts';
import { batchQuery } from '../batches/accept/accept.requests.ts';
import * as results from '../batches/results/results.operations.ts';
import * as customers from '../customers/customers.operations.ts';
import { SORT_FIELDS } from '../customers/customers.requests.ts';
import { eraseCustomerOperation } from '../erasure/erasure.operations.ts';
import { getHealthOperation } from '../health/health.operations.ts';
import { MAX_CURSOR_CHARACTERS } from '../http/parameters.ts';
import { LIMITS } from '../limits.ts';
import { COMPONENTS } from './components.ts';
import type { Documented, Parameter } from './documented.ts';
import { DEMO_CUSTOMER, EXAMPLE_BATCH_ID } from './examples.ts';

const PAGE_PARAMETERS = {
  limit: { description: 'Rows per page.', example: 20 },
  cursor: {
    description:
      'From a `Link` header. Empty: the first page. Reading on costs the same at any depth of the list.',
    example: '',
    schema: { type: 'string', maxLength: MAX_CURSOR_CHARACTERS },
  },
};

const BATCH_PARAMS: Record<string, Parameter> = {
  batchId: {
    description: 'The `batchId` in the response to the batch.',
    example: EXAMPLE_BATCH_ID,
  },
};

const PAGE = { 200: { description: 'A page. `Link` names the neighbouring pages.' } };

const IN_PROCESS =
  'While the batch is PROCESSING the list is not final, and `Retry-After` says when to read it again.';

export const OPERATIONS: Record<string, Documented> = {
  getCustomer: {
    operation: customers.getCustomerOperation,
    tag: 'Customers',
    summary: 'Who is this?',
    description:
      'By `phrase`, `id` or `email`. If you give several, all must belong to the same customer. A phrase may be typed in any case, and with spaces, dots or underscores instead of hyphens. A lookup by phrase alone, with an API key that sees the Standard fields only, may be answered from the edge cache and be up to 6 minutes old.',
    query: {
      phrase: { description: 'Four words.', example: DEMO_CUSTOMER.phrase },
      id: { description: 'From the response to a batch, or from a list.', example: DEMO_CUSTOMER.id },
      email: { description: 'Any case. In a URL, + is written as %2B.', example: DEMO_CUSTOMER.email },
    },
    responses: { 304: { description: 'The customer has not changed since `If-None-Match`.' } },
  },
  listCustomers: {
    operation: customers.listCustomersOperation,
    tag: 'Customers',
    summary: 'List customers',
    description:
      'The customers of your bank, newest first. With both filters, those that match both. The body is a bare array, without the envelope of other responses.',
    query: {
      ids: {
        description: 'Repeated, or separated by commas. `ids[]` and `ids[0]` mean the same.',
        example: [DEMO_CUSTOMER.id],
      },
      phrases: {
        description: 'Repeated, or separated by commas. `phrases[]` and `phrases[0]` mean the same.',
        example: [DEMO_CUSTOMER.phrase],
      },
      sortBy: {
        description: 'A leading `-` sorts in descending order.',
        schema: {
          type: 'string',
          enum: SORT_FIELDS.flatMap((field) => [field, `-${field}`]),
          default: '-createdAt',
        },
        example: '-createdAt',
      },
      page: {
        description: `From 1. page times limit is at most ${LIMITS.maxNumberedRow.toLocaleString('en')}. Following the cursor of \`Link\` costs less and reaches any depth.`,
        example: 1,
      },
      ...PAGE_PARAMETERS,
    },
    responses: {
      200: {
        description:
          'A page. `X-Total-Count` is the length of the whole list, and `Link` names the neighbouring pages.',
      },
    },
  },
  createCustomers: {
    operation: createCustomersOperation,
    tag: 'Batches',
    summary: 'Create customers',
    description:
      '1 to 10,000 customers, at most 10 MB. The response comes as soon as the batch is stored, and its customers can be read moments later. Rows that cannot become customers are reported as failures; the other rows are accepted. If no row is accepted, the response is a 409 (no row is invalid: all are customers already, or repeat one that is) or a 400, with the same `data`.',
    query: {
      dryRun: {
        description:
          'Validate the rows by the same rules, and store nothing. The response has up to 1 MB of failures.',
        schema: { type: 'boolean', default: batchQuery.parse({}).dryRun },
        example: false,
      },
      failuresFrom: {
        description:
          'For a dry run whose response did not have all failures: send it again with the index of the last failure that you have, plus one, until `failuresInline` is true.',
        example: 0,
      },
    },
    body: { customers: [COMPONENTS.NewCustomer.example] },
    responses: {
      200: {
        description: 'The response to a dry run: what would become of the batch.',
        data: {
          ...COMPONENTS.BatchReport.example,
          batchId: null,
          status: null,
          data: { createdCount: 0, customerIds: [] },
        },
      },
      201: { description: 'The batch is stored, and its customers will appear shortly.' },
    },
  },
  updateCustomer: {
    operation: customers.updateCustomerOperation,
    tag: 'Customers',
    summary: 'Update a customer',
    description:
      'Absent fields stay as they are. With `If-Match`, the update is made only if the customer has not changed since you read it.',
    query: {},
    body: { id: DEMO_CUSTOMER.id, update: COMPONENTS.CustomerUpdate.example },
  },
  eraseCustomer: {
    operation: eraseCustomerOperation,
    tag: 'Customers',
    summary: 'Erase a customer',
    description:
      'Permanently removes the customer, every copy of it, and its `clientRef` from failures. A customer that was accepted and is still in process never appears. Its phrase is never given out again. The audit log keeps the fact that it was erased.',
    query: { id: { description: 'The id of the customer.', example: DEMO_CUSTOMER.id } },
    responses: { 200: { description: 'The customer is erased.', data: { id: DEMO_CUSTOMER.id } } },
  },
  listBatches: {
    operation: results.listBatchesOperation,
    tag: 'Batches',
    summary: 'List batches',
    description: 'Newest first. A batch is kept for 30 days after it was completed.',
    query: {
      status: { description: 'Only batches with this status.', example: 'COMPLETED' },
      ...PAGE_PARAMETERS,
    },
    responses: PAGE,
  },
  getBatch: {
    operation: results.getBatchOperation,
    tag: 'Batches',
    summary: 'Follow a batch',
    description: 'While the batch is PROCESSING, `Retry-After` says when to read it again.',
    params: BATCH_PARAMS,
    query: {},
  },
  listBatchFailures: {
    operation: results.listBatchFailuresOperation,
    tag: 'Batches',
    summary: 'List the rows that failed',
    description: `Every row that did not become a customer, and why, in input order. ${IN_PROCESS}`,
    params: BATCH_PARAMS,
    query: PAGE_PARAMETERS,
    responses: PAGE,
  },
  listBatchCustomers: {
    operation: results.listBatchCustomersOperation,
    tag: 'Batches',
    summary: 'List the rows that became customers',
    description: `The id and the phrase of every customer that the batch created, in input order. ${IN_PROCESS}`,
    params: BATCH_PARAMS,
    query: PAGE_PARAMETERS,
    responses: PAGE,
  },
  listChanges: {
    operation: audit.listChangesOperation,
    tag: 'Audit',
    summary: 'Who changed what',
    description: 'Every change of your bank’s customers and every batch, newest first.',
    query: {
      subject: { description: 'The id of a customer or of a batch.', example: DEMO_CUSTOMER.id },
      ...PAGE_PARAMETERS,
    },
    responses: PAGE,
  },
  getHealth: {
    operation: getHealthOperation,
    tag: 'Service',
    summary: 'Is the service running?',
    description:
      'For monitors. With `deep=1` it also checks the database, the cache and the queue, and a 503 names in `errors` those that do not answer. The result may be 5 seconds old.',
    query: { deep: { description: '`1`: check the dependencies too.', example: '1' } },
  },
};
