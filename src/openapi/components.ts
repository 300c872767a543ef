/** The shapes that the reference names: each a schema of the code, with a word on every field and a true example. */
import * as z from 'zod/mini';
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
import { customerRow, customerUpdate } from '../customers/customers.requests.ts';
import { health } from '../health/health.responses.ts';
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

export interface Component<Example = unknown> {
  schema: z.ZodMiniType;
  description: string;
  /** A word on each field. */
  notes: Record<string, string>;
  example: Example;
}

/** Every field has its word, and the example is what the schema says: both hold, or it does not compile. */
function component<Shape extends z.core.$ZodShape>(
  schema: z.ZodMiniObject<Shape>,
  description: string,
  notes: Record<keyof Shape & string, string>,
  example: z.output<z.ZodMiniObject<Shape>>,
): Component<z.output<z.ZodMiniObject<Shape>>> {
  return { schema, description, notes, example };
}

const ID = 'Ours, given out when the customer was accepted; it never changes.';
const PHRASE = 'Four words, unique in the whole network, never given out twice; it never changes.';
const CLIENT_REF = 'Your own name for the row.';

export const COMPONENTS = {
  Customer: component(
    customer,
    'A customer. The fields from `state` on are there for a key with the scope `customers:read:extended`, all of them or none. A field without a value is null.',
    {
      id: ID,
      accountName: 'Full name of the account.',
      gender: 'If it was given.',
      displayPicture: 'Address of a picture, if one was given. It was never fetched.',
      bankId: 'The bank whose customer this is: that of the key.',
      phrase: PHRASE,
      country: 'ISO 3166-1 alpha-2.',
      state: 'State or region.',
      email: 'Lower case; unique among the customers of a bank.',
      phone: 'E.164.',
      address: 'As it was given.',
      createdAt: 'When its batch was accepted.',
    },
    DEMO_CUSTOMER,
  ),
  NewCustomer: component(
    customerRow,
    'A customer to be. Texts are trimmed, and a line break or a tab in one is a space; null or an empty text on an optional field means that it is absent; other fields are ignored. In `clientRef`, `accountNumber`, `reference` and `phone`, what a spreadsheet has made of a number (`1.23E+10`, `#REF!`) is refused.',
    {
      clientRef: `${CLIENT_REF} No two rows of a batch may share one.`,
      firstname: 'Never shown by a read.',
      lastname: 'Never shown by a read.',
      middlename: 'Never shown by a read.',
      accountName: 'Full name of the account.',
      email: 'The customer’s identity in your bank: no two customers share one. Any case; ASCII.',
      country: 'ISO 3166-1 alpha-2, any case.',
      address: 'Kept as one line.',
      gender: 'One of three, any case.',
      phone: 'International (+234…), or as dialled in the customer’s country; without an extension.',
      accountNumber: 'Sealed before it is stored; never shown.',
      reference: 'Internal reference. Sealed before it is stored; never shown.',
    },
    NEW_CUSTOMER,
  ),
  CustomerUpdate: component(
    customerUpdate.shape.update,
    'Fields to change, at least one. One that is absent stays as it is; null clears one that is optional. `email`, `phrase` and the rest can not be changed.',
    {
      firstname: 'Can not be cleared.',
      middlename: 'Null clears it.',
      lastname: 'Can not be cleared.',
      accountName: 'Can not be cleared.',
      address: 'Null clears it.',
      phone: 'International, or as dialled in the customer’s country; null clears it.',
      displayPicture: 'An https address of a named host, without user name or password; null clears it.',
      state: 'State or region; null clears it.',
    },
    { accountName: 'Adaobi Eze', phone: '+2348031234567', address: null },
  ),
  UpdatedCustomer: component(
    updatedCustomer,
    'The customer that was updated, as it is now.',
    { id: ID, email: 'As it was.', phone: 'E.164, or null.' },
    { id: DEMO_CUSTOMER.id, email: DEMO_CUSTOMER.email, phone: DEMO_CUSTOMER.phone },
  ),
  BatchSummary: component(
    batchSummary,
    'total = successful + failed; failed = duplicates + invalidData.',
    {
      total: 'Rows that were sent.',
      successful: 'Rows that became a customer, or will.',
      failed: 'Rows that did not.',
      duplicates: 'Failed rows with DUPLICATE_IN_BATCH or EXISTING_CUSTOMER.',
      invalidData: 'Failed rows with INVALID_DATA or VALIDATION_ERROR.',
    },
    SUMMARY,
  ),
  FieldError: component(
    fieldError,
    'One fault.',
    {
      field: 'Path of the fault in what was sent, or the name of a header.',
      message: 'What would be right. Never repeats what was sent.',
    },
    FIELD_FAULT,
  ),
  RowFailure: component(
    rowFailure,
    'A row of a batch that did not become a customer. The others go in all the same.',
    {
      index: 'Position in what was sent, from 0.',
      clientRef: `${CLIENT_REF} Null where it could not be read, or was erased since.`,
      code: 'Why.',
      message: 'The same, as a sentence.',
      errors: 'Every fault of the row.',
    },
    FAILURE,
  ),
  BatchReport: component(
    batchReport,
    'What becomes of a batch, as it was accepted. The ids are final.',
    {
      batchId: 'Null for a dry run.',
      status:
        'COMPLETED_WITH_FAILURES where no row was accepted, so that nothing is under way. Null for a dry run.',
      summary: 'Counts.',
      failures: 'In input order, the first; of a dry run those from `failuresFrom` on, up to 1 MB.',
      failuresInline: 'Are these all failures? Of a dry run: all from `failuresFrom` on.',
      inlineFailureLimit: 'The most that an answer holds itself; fewer, where they are wordy.',
      failuresUrl: 'Where the rest is; null where there is none.',
      data: '`customerIds` are those of the accepted rows, in input order.',
    },
    REPORT,
  ),
  Batch: component(
    batchView,
    'A batch, as it is now. A stalled one keeps what it was sent until an operator has mended the cause.',
    {
      batchId: 'Of the answer to the batch.',
      status: 'PROCESSING until every row has become a customer or a failure.',
      summary:
        'Counts. Rows can still fail while it is PROCESSING, if another batch brings the same customer first.',
      progress: 'Rows of which it is known what became of them.',
      failuresRemoved:
        'How many of its failures are not listed any more, because a bank has at most 2,000,000 and newer batches needed the room. They still count.',
      createdAt: 'When it was accepted.',
      completedAt: 'Null while it is under way.',
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
    createdCustomer,
    'A row of a batch that became a customer.',
    { index: 'Position in what was sent, from 0.', clientRef: CLIENT_REF, id: ID, phrase: PHRASE },
    { index: 0, clientRef: 'core-0000001', id: FIRST_ID, phrase: 'lake-market-garden-silver' },
  ),
  Change: component(
    change,
    'Who changed what. Names of fields, never their values.',
    {
      at: 'When.',
      requestId: 'The request that did it: its `X-Request-Id`.',
      keyId: 'The key that it was done with. Null: it was not done through this API.',
      action: 'Method and address, or UPDATE, DELETE and INSERT for what was done in the database by hand.',
      subject: 'Id of the customer or of the batch.',
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
    health,
    'The service runs.',
    { checked: 'What was asked, and answered. Empty without `deep`.' },
    { checked: ['database', 'cache', 'queue'] },
  ),
  ErrorResponse: component(
    errorResponse,
    'Every failure has this shape.',
    {
      statusCode: 'The HTTP status.',
      success: 'False.',
      message: 'The code, as a sentence.',
      data: 'Null; of a batch of which no row was accepted, its report.',
      code: 'Of a closed set: what programs should go by.',
      docs: 'Cause and cure of this code, on a page: a URL, or a path on the server that answered.',
      requestId: 'The same as `X-Request-Id`; it finds the request in our logs.',
      retryAfter: 'Seconds to wait, where waiting helps: the same as `Retry-After`.',
      errors: 'Every fault that could be told, at most 100.',
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

/** An example of what a schema describes: a component's, or a list of one. */
export function exampleOf(schema: z.ZodMiniType): unknown {
  if (schema instanceof z.ZodMiniArray) return [exampleOf(schema.def.element as z.ZodMiniType)];
  const known = Object.values<Component>(COMPONENTS).find((named) => named.schema === schema);
  if (known === undefined)
    throw new Error('A response whose data is no component needs an example of its own');
  return known.example;
}
