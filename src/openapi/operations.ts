/** Prose and examples of each operation. What is derived from the operation itself is in openapi.ts and responses.ts. */
import * as audit from '../audit/audit.operations.ts';
import { getBankOperation } from '../bank/bank.operations.ts';
import { createCustomersOperation } from '../batches/accept/accept.operations.ts';
import { batchQuery } from '../batches/accept/accept.requests.ts';
import * as results from '../batches/results/results.operations.ts';
import * as customers from '../customers/customers.operations.ts';
import { SORT_FIELDS } from '../customers/customers.requests.ts';
import { eraseCustomerOperation } from '../erasure/erasure.operations.ts';
import { getHealthOperation } from '../health/health.operations.ts';
import { MAX_CURSOR_CHARACTERS } from '../http/parameters.ts';
import { LIMITS } from '../limits.ts';
import { resolvePayeeOperation } from '../payee/payee.operations.ts';
import { COMPONENTS } from './components.ts';
import type { Documented, Parameter } from './documented.ts';
import { EVENT_OPERATIONS } from './event-operations.ts';
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

const CREATE_CUSTOMERS = `1 to 10,000 customers in a body of at most 10 MB.

The response is a 201 as soon as the batch is stored, and its customers can be read moments later. Rows that cannot become customers are reported as failures, each with its code and every fault; the other rows are accepted. \`failures\` has the first ${LIMITS.inlineFailures}, fewer if they are long. If those are not all, \`failuresUrl\` lists the rest.

If no row is accepted, the response is a 409 (no row is invalid: all are customers already, or repeat one that is) or a 400, with the same \`data\`.

#### Exports

Values are accepted as exports write them if nothing is lost: any case, surrounding spaces, line breaks in an address, invisible characters in a phone number. A number that a spreadsheet has damaged (\`1.23E+10\`) is refused, because once an account number is encrypted, nobody can see the damage.

#### Idempotency keys

Send an \`Idempotency-Key\` with every batch. If the response is lost or is a 503, send the same body with the same Idempotency-Key: you get the first response, and nothing is created twice. Without one, you would have to look up the batch’s customers to find out whether it was accepted.

#### Dry runs

\`?dryRun=true\` validates the rows by the same rules and responds with a 200, the same summary and the failures. It stores nothing, so it gives no ids. The response has up to 1 MB of failures: while \`failuresInline\` is false, send the request again with \`failuresFrom\` set to the index of the last failure plus one.

#### With curl

Put the body into a file and send it with \`-d "@body.json"\`, which also works on Windows.`;

const IN_PROCESS =
  'While the batch is PROCESSING the list is not final, and `Retry-After` says when to read it again.';

export const OPERATIONS: Record<string, Documented> = {
  getBank: {
    operation: getBankOperation,
    tag: 'Bank',
    summary: 'Who am I?',
    description:
      'The bank of the API key, the scopes of the key, its limits, and how many customers the bank has. Begin with it: it says whether a URL and an API key belong together, and costs the same however many customers there are.',
    query: {},
  },
  getCustomer: {
    operation: customers.getCustomerOperation,
    tag: 'Customers',
    summary: 'Who is this?',
    description:
      'Looks up a customer of your bank by `phrase`, `id` or `email`. If you give several, all must belong to the same customer. A phrase may be typed in any case, and with spaces, dots or underscores instead of hyphens.\n\nA lookup by phrase alone, with an API key that sees the Standard fields only, may be answered from the edge cache and be up to 5 minutes old.',
    query: {
      phrase: { description: 'Four words.', example: DEMO_CUSTOMER.phrase },
      id: { description: 'From the response to a batch, or from a list.', example: DEMO_CUSTOMER.id },
      email: { description: 'Any case. In a URL, + is written as %2B.', example: DEMO_CUSTOMER.email },
    },
    responses: { 304: { description: 'The customer has not changed since `If-None-Match`.' } },
  },
  resolvePayee: {
    operation: resolvePayeeOperation,
    tag: 'Payees',
    summary: 'Who gets the payment?',
    description: `The payee behind a phrase, at whatever bank of the network. A phrase may be typed in any case, and with spaces, dots or underscores instead of hyphens. The response may come from the edge cache and be up to 5 minutes old. A bank may ask for at most ${LIMITS.maxPayeeMissesPerDay.toLocaleString('en')} unknown phrases in a UTC day; after that every request is a 429 until the day ends.`,
    query: {
      phrase: { description: 'Four words, as the payer was told them.', example: DEMO_CUSTOMER.phrase },
    },
  },
  listCustomers: {
    operation: customers.listCustomersOperation,
    tag: 'Customers',
    summary: 'List customers',
    description:
      'The customers of your bank, newest first. With both filters, those that match both.\n\nThe body is a bare array, without the envelope of other responses. Follow `next` in the `Link` header to read all customers.',
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
    description: CREATE_CUSTOMERS,
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
      'Changes the fields that `update` has. Absent fields stay as they are, and null clears an optional field.\n\nWith `If-Match`, the update is made only if the customer has not changed since you read it. If you retry it after a lost response, a 412 may be its own effect: read the customer to find out.',
    query: {},
    body: { id: DEMO_CUSTOMER.id, update: COMPONENTS.CustomerUpdate.example },
  },
  eraseCustomer: {
    operation: eraseCustomerOperation,
    tag: 'Customers',
    summary: 'Erase a customer',
    description:
      'Permanently removes the customer, every copy of it, and its `clientRef` from failures. Its phrase is never given out again. The audit log keeps the fact that it was erased.\n\nA customer that was accepted and is still in process never appears; its batch counts it as accepted. A second erasure is a 404.',
    query: { id: { description: 'The id of the customer.', example: DEMO_CUSTOMER.id } },
    responses: { 200: { description: 'The customer is erased.', data: { id: DEMO_CUSTOMER.id } } },
  },
  listBatches: {
    operation: results.listBatchesOperation,
    tag: 'Batches',
    summary: 'List batches',
    description:
      'The batches of your bank, newest first. A batch is kept for 30 days after it was completed.',
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
    description:
      'Status, counts and progress of a batch. Its URL is the `Location` of the response to the batch. While the batch is PROCESSING, `Retry-After` says when to read it again. Its chunks are stored in any order, so the lists of its failures and customers are final only when it is completed.\n\nA STALLED batch keeps its rows until the operator of the service has fixed the cause.',
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
    description: `The \`index\`, \`clientRef\`, \`id\` and \`phrase\` of every customer that the batch created, in input order. ${IN_PROCESS}`,
    params: BATCH_PARAMS,
    query: PAGE_PARAMETERS,
    responses: PAGE,
  },
  ...EVENT_OPERATIONS,
  listChanges: {
    operation: audit.listChangesOperation,
    tag: 'Audit',
    summary: 'Who changed what',
    description:
      'Every change of your bank’s customers and every batch, newest first: the API key, the action, the customer or batch, the names of the fields, the time and the request id.',
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
      'For monitors. With `deep=1` it also checks each database, the cache and the queue, and a 503 names in `errors` those that do not respond. The result may be 5 seconds old.',
    query: { deep: { description: '`1`: check the dependencies too.', example: '1' } },
  },
};
