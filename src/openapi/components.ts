/** The named shapes of the reference: each a schema of the code, with a description of every field and an example. */
import { errorResponse, fieldError } from '../http/envelope.ts';
import { change } from '../audit/audit.responses.ts';
import {
  batchReport,
  batchSummary,
  batchView,
  createdCustomer,
  rowFailure,
} from '../batches/batches.responses.ts';
import { customer, updatedCustomer } from '../customers/customers.responses.ts';
import { payee } from '../customers/customers.standard.ts';
import { toPayee } from '../customers/customers.view.ts';
import { customerRow, customerUpdate } from '../customers/customers.requests.ts';
import { health } from '../health/health.responses.ts';
import { BANK_COMPONENTS } from './bank-components.ts';
import { component, type Component } from './component.ts';
import { EVENT_COMPONENTS } from './event-components.ts';
import {
  DEMO_CUSTOMER,
  EXAMPLE_BATCH_ID,
  FAILURE,
  FIELD_FAULT,
  FIRST_ID,
  NEW_CUSTOMER,
  REPORT,
  SUMMARY,
} from './examples.ts';

const ID = 'Assigned by the service when the customer is accepted. It never changes.';
const PHRASE = 'Four words, unique in the whole network and never given out twice. It never changes.';
const CLIENT_REF = 'Your own reference for the row.';

export const COMPONENTS = {
  ...BANK_COMPONENTS,
  Customer: component(
    customer(),
    'A customer. The fields from `state` on are present if the API key has the scope `customers:read:extended`: all of them, or none. A field without a value is null.',
    {
      id: ID,
      accountName: 'Full name of the account.',
      gender: 'Null if it is not known.',
      displayPicture: 'URL of a picture, or null. The service never fetches it.',
      bankId: 'The bank of the customer, which is the bank of the API key.',
      phrase: PHRASE,
      country: 'ISO 3166-1 alpha-2.',
      state: 'State or region.',
      email: 'In lower case. Unique among the customers of a bank.',
      phone: 'E.164.',
      address: 'On one line.',
      createdAt: 'The time at which its batch was accepted.',
    },
    DEMO_CUSTOMER,
  ),
  Payee: component(
    payee,
    'What every bank of the network may know of a customer whose phrase it was given.',
    {
      phrase: PHRASE,
      accountName: 'Full name of the account. Show it to the payer before the payment.',
      displayPicture: 'URL of a picture, or null. The service never fetches it.',
      bankId: 'The bank of the payee, which is where the payment goes.',
      country: 'ISO 3166-1 alpha-2.',
    },
    toPayee(DEMO_CUSTOMER),
  ),
  NewCustomer: component(
    customerRow,
    'A new customer. Texts are trimmed, and line breaks and tabs become spaces. An optional field that is null or empty counts as absent. Other fields are ignored. In `clientRef`, `accountNumber`, `reference` and `phone`, a number that a spreadsheet has changed (`1.23E+10`, `#REF!`) is refused.',
    {
      clientRef: `${CLIENT_REF} Unique within a batch.`,
      firstname: 'Never shown by a read.',
      lastname: 'Never shown by a read.',
      middlename: 'Never shown by a read.',
      accountName: 'Full name of the account.',
      email: 'Identifies the customer in your bank: no two customers share one. Any case; ASCII.',
      country: 'ISO 3166-1 alpha-2, any case.',
      address: 'Stored on one line.',
      gender: 'In any case.',
      phone: 'International (+234…), or as dialled in the customer’s country. Without an extension.',
      accountNumber: 'Encrypted before it is stored, and never shown.',
      reference: 'Internal reference. Encrypted before it is stored, and never shown.',
    },
    NEW_CUSTOMER,
  ),
  CustomerUpdate: component(
    customerUpdate.shape.update,
    'The fields to change, at least one. An absent field stays as it is. Null clears an optional field. `email`, `phrase` and the other fields cannot be changed.',
    {
      firstname: 'Cannot be cleared.',
      middlename: 'Null clears it.',
      lastname: 'Cannot be cleared.',
      accountName: 'Cannot be cleared.',
      address: 'Null clears it.',
      phone: 'International, or as dialled in the customer’s country. Null clears it.',
      displayPicture: 'An https URL with a host name, and without a user name or password. Null clears it.',
      state: 'State or region. Null clears it.',
    },
    { accountName: 'Adaobi Eze', phone: '+2348031234567', address: null },
  ),
  UpdatedCustomer: component(
    updatedCustomer(),
    'The customer after the update.',
    { id: ID, email: 'An update never changes it.', phone: 'E.164, or null.' },
    { id: DEMO_CUSTOMER.id, email: DEMO_CUSTOMER.email, phone: DEMO_CUSTOMER.phone },
  ),
  BatchSummary: component(
    batchSummary(),
    'total = successful + failed; failed = duplicates + invalidData.',
    {
      total: 'Rows in the request.',
      successful: 'Rows that became customers, or will.',
      failed: 'Rows that did not become customers.',
      duplicates: 'Failed rows with DUPLICATE_IN_BATCH or EXISTING_CUSTOMER.',
      invalidData: 'Failed rows with INVALID_DATA or VALIDATION_ERROR.',
    },
    SUMMARY,
  ),
  FieldError: component(
    fieldError(),
    'One fault of a request or of a row.',
    {
      field: 'Path of the field in the request, or the name of a header.',
      message: 'What would be right. It never repeats the value.',
    },
    FIELD_FAULT,
  ),
  RowFailure: component(
    rowFailure(),
    'A row of a batch that did not become a customer. The other rows are accepted all the same.',
    {
      index: 'Position in the request, from 0.',
      clientRef: `${CLIENT_REF} Null if it could not be read, or was erased since.`,
      code: 'The reason, from a closed set.',
      message: 'The reason, as a sentence.',
      errors: 'Every fault of the row.',
    },
    FAILURE,
  ),
  BatchReport: component(
    batchReport(),
    'The outcome of a batch at the time it was accepted. The ids are final.',
    {
      batchId: 'Null for a dry run.',
      status:
        'COMPLETED_WITH_FAILURES if no row was accepted, so that there is nothing left to do. Null for a dry run.',
      summary: 'Counts.',
      failures:
        'The first failures, in input order. For a dry run: those from `failuresFrom` on, up to 1 MB.',
      failuresInline: 'True if `failures` has all failures. For a dry run: all from `failuresFrom` on.',
      inlineFailureLimit: 'The maximum number of `failures`. There are fewer if they are long.',
      failuresUrl: 'Lists all failures. Null if `failures` has all of them.',
      data: '`customerIds` has the ids of the accepted rows, in input order.',
    },
    REPORT,
  ),
  Batch: component(
    batchView(),
    'The current state of a batch. A stalled batch keeps its rows until an operator has fixed the cause.',
    {
      batchId: 'The same as in the response to the batch.',
      status: 'PROCESSING until every row has become a customer or a failure.',
      summary:
        'Counts. While the batch is PROCESSING, rows can still fail if another batch creates the same customer first.',
      progress: '`processed` rows have become customers or failures.',
      failuresRemoved:
        'The number of its failures that are no longer listed, because a bank has at most 2,000,000 and newer batches needed the space. `summary` still counts them.',
      createdAt: 'The time at which it was accepted.',
      completedAt: 'Null until it is completed.',
    },
    {
      batchId: EXAMPLE_BATCH_ID,
      status: 'COMPLETED_WITH_FAILURES',
      summary: SUMMARY,
      progress: { processed: 2, total: 2 },
      failuresRemoved: 0,
      createdAt: '2026-11-25T09:12:31.000Z',
      completedAt: '2026-11-25T09:12:32.000Z',
    },
  ),
  CreatedCustomer: component(
    createdCustomer(),
    'A row of a batch that became a customer.',
    { index: 'Position in the request, from 0.', clientRef: CLIENT_REF, id: ID, phrase: PHRASE },
    { index: 0, clientRef: 'core-0000001', id: FIRST_ID, phrase: 'lake-market-garden-silver' },
  ),
  ...EVENT_COMPONENTS,
  Change: component(
    change(),
    'Who changed what. Names of fields, never their values.',
    {
      at: 'The time of the change.',
      requestId: 'The `X-Request-Id` of the request that made it.',
      keyId: 'The API key of that request. Null: the change was not made through this API.',
      action:
        '`batch.accepted`, `customer.updated`, `customer.erased`, or `webhook.` and what was done. UPDATE, DELETE or INSERT: the change was made in the database by hand. Entries of version 0.1.0 name the method and path instead.',
      subject: 'The id of the customer, batch or webhook.',
      fields: 'The fields that an update named.',
    },
    {
      at: '2026-11-25T09:20:05.000Z',
      requestId: 'req_01M8902KC8V5W7X9Y2Z4A6B8C0',
      keyId: 'key_demo_lagos_full',
      action: 'customer.updated',
      subject: DEMO_CUSTOMER.id,
      fields: ['accountName', 'phone', 'address'],
    },
  ),
  Health: component(
    health(),
    'The service is running.',
    { checked: 'The dependencies that were checked and work. Empty without `deep`.' },
    { checked: ['directory', 'SHARD_1', 'cache', 'queue'] },
  ),
  ErrorResponse: component(
    errorResponse(),
    'Every error has this shape.',
    {
      statusCode: 'The HTTP status.',
      success: 'Always false.',
      message: 'The code, as a sentence.',
      data: 'Null. For a batch without an accepted row: its report.',
      code: 'From a closed set. Programs should rely on it.',
      docs: 'The page with the cause and the fix of this code: a URL, or a path on the server that responded.',
      requestId: 'The same as `X-Request-Id`. It identifies the request in our logs.',
      retryAfter: 'Seconds to wait, if waiting helps. The same as `Retry-After`.',
      errors: 'Every fault, at most 100.',
    },
    {
      statusCode: 404,
      success: false,
      message: 'Customer not found',
      data: null,
      code: 'CUSTOMER_NOT_FOUND',
      docs: 'https://api.example.com/errors#CUSTOMER_NOT_FOUND',
      requestId: 'req_01M8902KC8V5W7X9Y2Z4A6B8C0',
      errors: [],
    },
  ),
} satisfies Record<string, Component>;

export type ComponentName = keyof typeof COMPONENTS;
