/** Generated from the service’s schemas by `npm run client`: do not edit. */

/**
 * Something that happened to a batch, a customer or a webhook of your bank.
 */
export type Event =
  BatchCompletedEvent | BatchStalledEvent | CustomerUpdatedEvent | CustomerErasedEvent | WebhookDisabledEvent;

/**
 * How many requests an API key may send in a window of time.
 */
export interface RateLimit {
  /**
   * A class of operations, or `misses`: unknown phrases and emails. `RateLimit` names them the same.
   */
  name: string;
  /**
   * Requests, or misses, in one window.
   */
  limit: number;
  /**
   * Length of a window.
   */
  seconds: number;
}
/**
 * What one request, one API key or one bank may ask for.
 */
export interface BankLimits {
  /**
   * Rows of one batch.
   */
  batchRows: number;
  /**
   * Bytes of the body of a batch.
   */
  batchBytes: number;
  /**
   * Batches of the bank that may be in process at the same time.
   */
  openBatches: number;
  /**
   * Failed rows of the bank in a UTC day.
   */
  failuresPerDay: number;
  /**
   * Unknown phrases that the bank may name in a UTC day when it asks for payees.
   */
  payeeMissesPerDay: number;
  /**
   * The largest `limit` of the list of customers.
   */
  pageRows: number;
  /**
   * Ids or phrases in one filter of that list.
   */
  filterValues: number;
  /**
   * For each API key.
   */
  rates: RateLimit[];
}
/**
 * The bank of the API key, and what the key may do.
 */
export interface Bank {
  /**
   * The `bankId` of its customers.
   */
  id: string;
  /**
   * The name of the bank.
   */
  name: string;
  /**
   * The id of the API key, as the audit log names it.
   */
  keyId: string;
  /**
   * What the API key may do.
   */
  scopes: (
    | 'customers:read'
    | 'customers:read:extended'
    | 'customers:write'
    | 'customers:erase'
    | 'audit:read'
    | 'events:read'
    | 'webhooks:manage'
    | 'network:resolve'
  )[];
  /**
   * How many customers the bank has. Null if the API key may not read customers.
   */
  customerCount: number | null;
  limits: BankLimits;
}
/**
 * A customer. The fields from `state` on are present if the API key has the scope `customers:read:extended`: all of them, or none. A field without a value is null.
 */
export interface Customer {
  /**
   * Assigned by the service when the customer is accepted. It never changes.
   */
  id: string;
  /**
   * Full name of the account.
   */
  accountName: string;
  /**
   * Null if it is not known.
   */
  gender: ('male' | 'female' | 'other') | null;
  /**
   * URL of a picture, or null. The service never fetches it.
   */
  displayPicture: string | null;
  /**
   * The bank of the customer, which is the bank of the API key.
   */
  bankId: string;
  /**
   * Four words, unique in the whole network and never given out twice. It never changes.
   */
  phrase: string;
  /**
   * ISO 3166-1 alpha-2.
   */
  country: string;
  /**
   * State or region.
   */
  state?: string | null;
  /**
   * In lower case. Unique among the customers of a bank.
   */
  email?: string;
  /**
   * E.164.
   */
  phone?: string | null;
  /**
   * On one line.
   */
  address?: string | null;
  /**
   * The time at which its batch was accepted.
   */
  createdAt?: string;
}
/**
 * What every bank of the network may know of a customer whose phrase it was given.
 */
export interface Payee {
  /**
   * Four words, unique in the whole network and never given out twice. It never changes.
   */
  phrase: string;
  /**
   * Full name of the account. Show it to the payer before the payment.
   */
  accountName: string;
  /**
   * URL of a picture, or null. The service never fetches it.
   */
  displayPicture: string | null;
  /**
   * The bank of the payee, which is where the payment goes.
   */
  bankId: string;
  /**
   * ISO 3166-1 alpha-2.
   */
  country: string;
}
/**
 * A new customer. Texts are trimmed, and line breaks and tabs become spaces. An optional field that is null or empty counts as absent. Other fields are ignored. In `clientRef`, `accountNumber`, `reference` and `phone`, a number that a spreadsheet has changed (`1.23E+10`, `#REF!`) is refused.
 */
export interface NewCustomer {
  /**
   * Your own reference for the row. Unique within a batch. At most 128 characters.
   */
  clientRef: string;
  /**
   * Never shown by a read. At most 100 characters.
   */
  firstname: string;
  /**
   * Never shown by a read. At most 100 characters.
   */
  lastname: string;
  /**
   * Never shown by a read. At most 100 characters.
   */
  middlename?: string | null;
  /**
   * Full name of the account. At most 200 characters.
   */
  accountName: string;
  /**
   * Identifies the customer in your bank: no two customers share one. Any case; ASCII.
   */
  email: string;
  /**
   * ISO 3166-1 alpha-2, any case.
   */
  country: string;
  /**
   * Stored on one line. At most 500 characters.
   */
  address?: string | null;
  /**
   * In any case.
   */
  gender?: ('male' | 'female' | 'other' | '') | null;
  /**
   * International (+234…), or as dialled in the customer’s country. Without an extension. At most 40 characters.
   */
  phone?: string | null;
  /**
   * Encrypted before it is stored, and never shown. At most 128 characters.
   */
  accountNumber: string;
  /**
   * Internal reference. Encrypted before it is stored, and never shown. At most 128 characters.
   */
  reference: string;
}
/**
 * The fields to change, at least one. An absent field stays as it is. Null clears an optional field. `email`, `phrase` and the other fields cannot be changed.
 */
export interface CustomerUpdate {
  /**
   * Cannot be cleared. At most 100 characters.
   */
  firstname?: string;
  /**
   * Cannot be cleared. At most 100 characters.
   */
  lastname?: string;
  /**
   * Null clears it. At most 100 characters.
   */
  middlename?: string | null;
  /**
   * Cannot be cleared. At most 200 characters.
   */
  accountName?: string;
  /**
   * Null clears it. At most 500 characters.
   */
  address?: string | null;
  /**
   * International, or as dialled in the customer’s country. Null clears it. At most 40 characters.
   */
  phone?: string | null;
  /**
   * An https URL with a host name, and without a user name or password. Null clears it.
   */
  displayPicture?: string | null;
  /**
   * State or region. Null clears it. At most 100 characters.
   */
  state?: string | null;
}
/**
 * The customer after the update.
 */
export interface UpdatedCustomer {
  /**
   * Assigned by the service when the customer is accepted. It never changes.
   */
  id: string;
  /**
   * An update never changes it.
   */
  email: string;
  /**
   * E.164, or null.
   */
  phone: string | null;
}
/**
 * total = successful + failed; failed = duplicates + invalidData.
 */
export interface BatchSummary {
  /**
   * Rows in the request.
   */
  total: number;
  /**
   * Rows that became customers, or will.
   */
  successful: number;
  /**
   * Rows that did not become customers.
   */
  failed: number;
  /**
   * Failed rows with DUPLICATE_IN_BATCH or EXISTING_CUSTOMER.
   */
  duplicates: number;
  /**
   * Failed rows with INVALID_DATA or VALIDATION_ERROR.
   */
  invalidData: number;
}
/**
 * One fault of a request or of a row.
 */
export interface FieldError {
  /**
   * Path of the field in the request, or the name of a header.
   */
  field: string;
  /**
   * What would be right. It never repeats the value.
   */
  message: string;
}
/**
 * A row of a batch that did not become a customer. The other rows are accepted all the same.
 */
export interface RowFailure {
  /**
   * Position in the request, from 0.
   */
  index: number;
  /**
   * Your own reference for the row. Null if it could not be read, or was erased since.
   */
  clientRef: string | null;
  /**
   * The reason, from a closed set.
   */
  code: 'INVALID_DATA' | 'VALIDATION_ERROR' | 'DUPLICATE_IN_BATCH' | 'EXISTING_CUSTOMER';
  /**
   * The reason, as a sentence.
   */
  message: string;
  /**
   * Every fault of the row.
   */
  errors: FieldError[];
}
/**
 * The outcome of a batch at the time it was accepted. The ids are final.
 */
export interface BatchReport {
  /**
   * Null for a dry run.
   */
  batchId: string | null;
  /**
   * COMPLETED_WITH_FAILURES if no row was accepted, so that there is nothing left to do. Null for a dry run.
   */
  status: ('PROCESSING' | 'COMPLETED_WITH_FAILURES') | null;
  summary: BatchSummary;
  /**
   * The first failures, in input order. For a dry run: those from `failuresFrom` on, up to 1 MB.
   */
  failures: RowFailure[];
  /**
   * True if `failures` has all failures. For a dry run: all from `failuresFrom` on.
   */
  failuresInline: boolean;
  /**
   * The maximum number of `failures`. There are fewer if they are long.
   */
  inlineFailureLimit: number;
  /**
   * Lists all failures. Null if `failures` has all of them.
   */
  failuresUrl: string | null;
  /**
   * `customerIds` has the ids of the accepted rows, in input order.
   */
  data: {
    createdCount: number;
    customerIds: string[];
  };
}
/**
 * The current state of a batch. A stalled batch keeps its rows until an operator has fixed the cause.
 */
export interface Batch {
  /**
   * The same as in the response to the batch.
   */
  batchId: string;
  /**
   * PROCESSING until every row has become a customer or a failure.
   */
  status: 'PROCESSING' | 'STALLED' | 'COMPLETED' | 'COMPLETED_WITH_FAILURES';
  summary: BatchSummary;
  /**
   * `processed` rows have become customers or failures.
   */
  progress: {
    processed: number;
    total: number;
  };
  /**
   * The number of its failures that are no longer listed, because a bank has at most 2,000,000 and newer batches needed the space. `summary` still counts them.
   */
  failuresRemoved: number;
  /**
   * The time at which it was accepted.
   */
  createdAt: string;
  /**
   * Null until it is completed.
   */
  completedAt: string | null;
}
/**
 * A row of a batch that became a customer.
 */
export interface CreatedCustomer {
  /**
   * Position in the request, from 0.
   */
  index: number;
  /**
   * Your own reference for the row.
   */
  clientRef: string;
  /**
   * Assigned by the service when the customer is accepted. It never changes.
   */
  id: string;
  /**
   * Four words, unique in the whole network and never given out twice. It never changes.
   */
  phrase: string;
}
/**
 * Every row of a batch has become a customer or a failure.
 */
export interface BatchCompletedEvent {
  /**
   * Names the event for ever. A webhook may send an event twice: with the same id.
   */
  id: string;
  /**
   * What happened.
   */
  type: 'batch.completed';
  /**
   * The time at which it happened.
   */
  createdAt: string;
  /**
   * The batch and its counts: total = successful + failed.
   */
  data: {
    batchId: string;
    status: 'COMPLETED' | 'COMPLETED_WITH_FAILURES';
    total: number;
    successful: number;
    failed: number;
  };
}
/**
 * A batch could not be completed and waits for the operator of the service. Its rows are kept.
 */
export interface BatchStalledEvent {
  /**
   * Names the event for ever. A webhook may send an event twice: with the same id.
   */
  id: string;
  /**
   * What happened.
   */
  type: 'batch.stalled';
  /**
   * The time at which it happened.
   */
  createdAt: string;
  /**
   * The batch. `processed` of its `total` rows are customers or failures.
   */
  data: {
    batchId: string;
    total: number;
    processed: number;
  };
}
/**
 * A customer was updated, and a value has changed.
 */
export interface CustomerUpdatedEvent {
  /**
   * Names the event for ever. A webhook may send an event twice: with the same id.
   */
  id: string;
  /**
   * What happened.
   */
  type: 'customer.updated';
  /**
   * The time at which it happened.
   */
  createdAt: string;
  /**
   * The customer, its new `revision` (its ETag without the quotes), and the fields that the update named.
   */
  data: {
    customerId: string;
    revision: string;
    fields: string[];
  };
}
/**
 * A customer was erased.
 */
export interface CustomerErasedEvent {
  /**
   * Names the event for ever. A webhook may send an event twice: with the same id.
   */
  id: string;
  /**
   * What happened.
   */
  type: 'customer.erased';
  /**
   * The time at which it happened.
   */
  createdAt: string;
  /**
   * The id that the customer had.
   */
  data: {
    customerId: string;
  };
}
/**
 * A webhook of your bank is not sent to any more.
 */
export interface WebhookDisabledEvent {
  /**
   * Names the event for ever. A webhook may send an event twice: with the same id.
   */
  id: string;
  /**
   * What happened.
   */
  type: 'webhook.disabled';
  /**
   * The time at which it happened.
   */
  createdAt: string;
  /**
   * The webhook, and its `disabledReason`.
   */
  data: {
    webhookId: string;
    reason: 'GONE' | 'FAILING' | 'EVENTS_EXPIRED';
  };
}
/**
 * What a test of a webhook sends. It is in no log.
 */
export interface PingEvent {
  /**
   * Names the event for ever. A webhook may send an event twice: with the same id.
   */
  id: string;
  /**
   * What happened.
   */
  type: 'ping';
  /**
   * The time at which it happened.
   */
  createdAt: string;
  /**
   * The webhook that was tested.
   */
  data: {
    webhookId: string;
  };
}
/**
 * A URL to which the events of your bank are sent, and how far it has come.
 */
export interface Webhook {
  /**
   * Assigned by the service. It never changes.
   */
  id: string;
  /**
   * Where events are sent, by POST.
   */
  url: string;
  /**
   * The types of events that are sent.
   */
  types: (
    'batch.completed' | 'batch.stalled' | 'customer.updated' | 'customer.erased' | 'webhook.disabled'
  )[];
  /**
   * DISABLED: nothing is sent until you enable it.
   */
  status: 'ENABLED' | 'DISABLED';
  /**
   * The time at which it was created. It gets the events from then on.
   */
  createdAt: string;
  /**
   * Null while it is enabled.
   */
  disabledAt: string | null;
  /**
   * GONE: it answered with a 410. FAILING: every attempt of 72 hours failed. EVENTS_EXPIRED: its next event was no longer kept. Null while it is enabled.
   */
  disabledReason: ('GONE' | 'FAILING' | 'EVENTS_EXPIRED') | null;
  /**
   * The id of the last event that was delivered, or that it does not want.
   */
  position: string;
  /**
   * The number of events after its position, of any type.
   */
  lag: number;
  /**
   * Null: none yet.
   */
  lastAttemptAt: string | null;
  /**
   * The HTTP status of the last attempt. Null: none yet, or no response within 10 seconds.
   */
  lastStatusCode: number | null;
  /**
   * The time of the first failed attempt since one worked. Null: the last one worked.
   */
  failingSince: string | null;
  /**
   * The time of the next attempt, if the last one failed.
   */
  nextAttemptAt: string | null;
  /**
   * Until then the secret from before the rotation signs too.
   */
  previousSecretUntil: string | null;
}
/**
 * A webhook with its new secret, which is shown only once.
 */
export interface WebhookWithSecret {
  /**
   * Assigned by the service. It never changes.
   */
  id: string;
  /**
   * Where events are sent, by POST.
   */
  url: string;
  /**
   * The types of events that are sent.
   */
  types: (
    'batch.completed' | 'batch.stalled' | 'customer.updated' | 'customer.erased' | 'webhook.disabled'
  )[];
  /**
   * DISABLED: nothing is sent until you enable it.
   */
  status: 'ENABLED' | 'DISABLED';
  /**
   * The time at which it was created. It gets the events from then on.
   */
  createdAt: string;
  /**
   * Null while it is enabled.
   */
  disabledAt: string | null;
  /**
   * GONE: it answered with a 410. FAILING: every attempt of 72 hours failed. EVENTS_EXPIRED: its next event was no longer kept. Null while it is enabled.
   */
  disabledReason: ('GONE' | 'FAILING' | 'EVENTS_EXPIRED') | null;
  /**
   * The id of the last event that was delivered, or that it does not want.
   */
  position: string;
  /**
   * The number of events after its position, of any type.
   */
  lag: number;
  /**
   * Null: none yet.
   */
  lastAttemptAt: string | null;
  /**
   * The HTTP status of the last attempt. Null: none yet, or no response within 10 seconds.
   */
  lastStatusCode: number | null;
  /**
   * The time of the first failed attempt since one worked. Null: the last one worked.
   */
  failingSince: string | null;
  /**
   * The time of the next attempt, if the last one failed.
   */
  nextAttemptAt: string | null;
  /**
   * Until then the secret from before the rotation signs too.
   */
  previousSecretUntil: string | null;
  /**
   * Verifies the signature of what you receive. Store it safely.
   */
  secret: string;
}
/**
 * What the receiver of a webhook answered to a `ping`.
 */
export interface WebhookTest {
  /**
   * True if the status is from 200 to 299.
   */
  delivered: boolean;
  /**
   * Null: there was no response within 10 seconds.
   */
  statusCode: number | null;
  /**
   * How long it took.
   */
  milliseconds: number;
}
/**
 * Who changed what. Names of fields, never their values.
 */
export interface Change {
  /**
   * The time of the change.
   */
  at: string;
  /**
   * The `X-Request-Id` of the request that made it.
   */
  requestId: string;
  /**
   * The API key of that request. Null: the change was not made through this API.
   */
  keyId: string | null;
  /**
   * `batch.accepted`, `customer.updated`, `customer.erased`, or `webhook.` and what was done. UPDATE, DELETE or INSERT: the change was made in the database by hand. Entries of version 0.1.0 name the method and path instead.
   */
  action: string;
  /**
   * The id of the customer, batch or webhook.
   */
  subject: string;
  /**
   * The fields that an update named.
   */
  fields: string[];
}
/**
 * The service is running.
 */
export interface Health {
  /**
   * The dependencies that were checked and work. Empty without `deep`.
   */
  checked: string[];
}
/**
 * Every error has this shape.
 */
export interface ErrorResponse {
  /**
   * The HTTP status.
   */
  statusCode: number;
  /**
   * Always false.
   */
  success: false;
  /**
   * The code, as a sentence.
   */
  message: string;
  /**
   * Null. For a batch without an accepted row: its report.
   */
  data: unknown;
  /**
   * From a closed set. Programs should rely on it.
   */
  code:
    | 'INVALID_REQUEST'
    | 'UNAUTHENTICATED'
    | 'FORBIDDEN'
    | 'CUSTOMER_NOT_FOUND'
    | 'PAYEE_NOT_FOUND'
    | 'BATCH_NOT_FOUND'
    | 'WEBHOOK_NOT_FOUND'
    | 'ROUTE_NOT_FOUND'
    | 'METHOD_NOT_ALLOWED'
    | 'CUSTOMER_EXISTS'
    | 'IDEMPOTENCY_IN_PROGRESS'
    | 'WEBHOOK_LIMIT_REACHED'
    | 'EVENTS_EXPIRED'
    | 'PRECONDITION_FAILED'
    | 'PAYLOAD_TOO_LARGE'
    | 'URI_TOO_LONG'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'IDEMPOTENCY_KEY_REUSED'
    | 'RATE_LIMITED'
    | 'UNAVAILABLE'
    | 'INTERNAL';
  /**
   * The page with the cause and the fix of this code: a URL, or a path on the server that responded.
   */
  docs: string;
  /**
   * The same as `X-Request-Id`. It identifies the request in our logs.
   */
  requestId: string;
  /**
   * Seconds to wait, if waiting helps. The same as `Retry-After`.
   */
  retryAfter?: number;
  /**
   * Every fault, at most 100.
   */
  errors: FieldError[];
}
export interface GetCustomerQuery {
  /**
   * From the response to a batch, or from a list.
   */
  id?: string;
  /**
   * Any case. In a URL, + is written as %2B.
   */
  email?: string;
  /**
   * Four words.
   */
  phrase?: string;
}
export interface EraseCustomerQuery {
  /**
   * The id of the customer.
   */
  id: string;
}
export interface ResolvePayeeQuery {
  /**
   * Four words, as the payer was told them.
   */
  phrase: string;
}
export interface ListCustomersQuery {
  /**
   * Repeated, or separated by commas. `ids[]` and `ids[0]` mean the same.
   */
  ids?: string[];
  /**
   * Repeated, or separated by commas. `phrases[]` and `phrases[0]` mean the same.
   */
  phrases?: string[];
  /**
   * A leading `-` sorts in descending order.
   */
  sortBy?: 'createdAt' | '-createdAt' | 'id' | '-id' | 'accountName' | '-accountName' | 'email' | '-email';
  /**
   * From 1. page times limit is at most 10,000. Following the cursor of `Link` costs less and reaches any depth.
   */
  page?: number;
  /**
   * Rows per page.
   */
  limit?: number;
  /**
   * From a `Link` header. Empty: the first page. Reading on costs the same at any depth of the list.
   */
  cursor?: string;
}
export interface CreateCustomersQuery {
  /**
   * Validate the rows by the same rules, and store nothing. The response has up to 1 MB of failures.
   */
  dryRun?: boolean;
  /**
   * For a dry run whose response did not have all failures: send it again with the index of the last failure that you have, plus one, until `failuresInline` is true.
   */
  failuresFrom?: number;
}
export interface ListBatchesQuery {
  /**
   * Rows per page.
   */
  limit?: number;
  /**
   * From a `Link` header. Empty: the first page. Reading on costs the same at any depth of the list.
   */
  cursor?: string;
  /**
   * Only batches with this status.
   */
  status?: 'PROCESSING' | 'STALLED' | 'COMPLETED' | 'COMPLETED_WITH_FAILURES';
}
export interface ListBatchFailuresQuery {
  /**
   * Rows per page.
   */
  limit?: number;
  /**
   * From a `Link` header. Empty: the first page. Reading on costs the same at any depth of the list.
   */
  cursor?: string;
}
export interface ListBatchCustomersQuery {
  /**
   * Rows per page.
   */
  limit?: number;
  /**
   * From a `Link` header. Empty: the first page. Reading on costs the same at any depth of the list.
   */
  cursor?: string;
}
export interface ListEventsQuery {
  /**
   * The id of an event: begin with the one after it. `latest`: begin with the next one that happens. Without it, begin with the oldest that is kept.
   */
  after?: string;
  /**
   * Only events of this type.
   */
  type?: 'batch.completed' | 'batch.stalled' | 'customer.updated' | 'customer.erased' | 'webhook.disabled';
  /**
   * Events per page.
   */
  limit?: number;
}
export interface EnableWebhookQuery {
  /**
   * The id of an event of your bank: go on with the one after it. Without it, go on from the position.
   */
  after?: string;
}
export interface ListChangesQuery {
  /**
   * Rows per page.
   */
  limit?: number;
  /**
   * From a `Link` header. Empty: the first page. Reading on costs the same at any depth of the list.
   */
  cursor?: string;
  /**
   * The id of a customer or of a batch.
   */
  subject?: string;
}
export interface GetHealthQuery {
  /**
   * `1`: check the dependencies too.
   */
  deep?: '1';
}
