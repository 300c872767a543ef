/** Generated from the service’s schemas by `npm run client`: do not edit. */

/**
 * A customer. The fields from `state` on are there for a key with the scope `customers:read:extended`, all of them or none. A field without a value is null.
 */
export interface Customer {
  /**
   * Ours, given out when the customer was accepted; it never changes.
   */
  id: string;
  /**
   * Full name of the account.
   */
  accountName: string;
  /**
   * If it was given.
   */
  gender: ('male' | 'female' | 'other') | null;
  /**
   * Address of a picture, if one was given. It was never fetched.
   */
  displayPicture: string | null;
  /**
   * The bank whose customer this is: that of the key.
   */
  bankId: string;
  /**
   * Four words, unique in the whole network, never given out twice; it never changes.
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
   * Lower case; unique among the customers of a bank.
   */
  email?: string;
  /**
   * E.164.
   */
  phone?: string | null;
  /**
   * As it was given.
   */
  address?: string | null;
  /**
   * When its batch was accepted.
   */
  createdAt?: string;
}
/**
 * A customer to be. Texts are trimmed, and a line break or a tab in one is a space; null or an empty text on an optional field means that it is absent; other fields are ignored. In `clientRef`, `accountNumber`, `reference` and `phone`, what a spreadsheet has made of a number (`1.23E+10`, `#REF!`) is refused.
 */
export interface NewCustomer {
  /**
   * Your own name for the row. No two rows of a batch may share one. At most 128 characters.
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
   * The customer’s identity in your bank: no two customers share one. Any case; ASCII.
   */
  email: string;
  /**
   * ISO 3166-1 alpha-2, any case.
   */
  country: string;
  /**
   * Kept as one line. At most 500 characters.
   */
  address?: string | null;
  /**
   * One of three, any case.
   */
  gender?: ('male' | 'female' | 'other' | '') | null;
  /**
   * International (+234…), or as dialled in the customer’s country; without an extension. At most 40 characters.
   */
  phone?: string | null;
  /**
   * Sealed before it is stored; never shown. At most 128 characters.
   */
  accountNumber: string;
  /**
   * Internal reference. Sealed before it is stored; never shown. At most 128 characters.
   */
  reference: string;
}
/**
 * Fields to change, at least one. One that is absent stays as it is; null clears one that is optional. `email`, `phrase` and the rest can not be changed.
 */
export interface CustomerUpdate {
  /**
   * Can not be cleared. At most 100 characters.
   */
  firstname?: string;
  /**
   * Can not be cleared. At most 100 characters.
   */
  lastname?: string;
  /**
   * Null clears it. At most 100 characters.
   */
  middlename?: string | null;
  /**
   * Can not be cleared. At most 200 characters.
   */
  accountName?: string;
  /**
   * Null clears it. At most 500 characters.
   */
  address?: string | null;
  /**
   * International, or as dialled in the customer’s country; null clears it. At most 40 characters.
   */
  phone?: string | null;
  /**
   * An https address of a named host, without user name or password; null clears it.
   */
  displayPicture?: string | null;
  /**
   * State or region; null clears it. At most 100 characters.
   */
  state?: string | null;
}
/**
 * The customer that was updated, as it is now.
 */
export interface UpdatedCustomer {
  /**
   * Ours, given out when the customer was accepted; it never changes.
   */
  id: string;
  /**
   * As it was.
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
   * Rows that were sent.
   */
  total: number;
  /**
   * Rows that became a customer, or will.
   */
  successful: number;
  /**
   * Rows that did not.
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
 * One fault.
 */
export interface FieldError {
  /**
   * Path of the fault in what was sent, or the name of a header.
   */
  field: string;
  /**
   * What would be right. Never repeats what was sent.
   */
  message: string;
}
/**
 * A row of a batch that did not become a customer. The others go in all the same.
 */
export interface RowFailure {
  /**
   * Position in what was sent, from 0.
   */
  index: number;
  /**
   * Your own name for the row. Null where it could not be read, or was erased since.
   */
  clientRef: string | null;
  /**
   * Why.
   */
  code: 'INVALID_DATA' | 'VALIDATION_ERROR' | 'DUPLICATE_IN_BATCH' | 'EXISTING_CUSTOMER';
  /**
   * The same, as a sentence.
   */
  message: string;
  /**
   * Every fault of the row.
   */
  errors: FieldError[];
}
/**
 * What becomes of a batch, as it was accepted. The ids are final.
 */
export interface BatchReport {
  /**
   * Null for a dry run.
   */
  batchId: string | null;
  /**
   * COMPLETED_WITH_FAILURES where no row was accepted, so that nothing is under way. Null for a dry run.
   */
  status: ('PROCESSING' | 'COMPLETED_WITH_FAILURES') | null;
  summary: BatchSummary;
  /**
   * In input order, the first; of a dry run those from `failuresFrom` on, up to 1 MB.
   */
  failures: RowFailure[];
  /**
   * Are these all failures? Of a dry run: all from `failuresFrom` on.
   */
  failuresInline: boolean;
  /**
   * The most that an answer holds itself; fewer, where they are wordy.
   */
  inlineFailureLimit: number;
  /**
   * Where the rest is; null where there is none.
   */
  failuresUrl: string | null;
  /**
   * `customerIds` are those of the accepted rows, in input order.
   */
  data: {
    createdCount: number;
    customerIds: string[];
  };
}
/**
 * A batch, as it is now. A stalled one keeps what it was sent until an operator has mended the cause.
 */
export interface Batch {
  /**
   * Of the answer to the batch.
   */
  batchId: string;
  /**
   * PROCESSING until every row has become a customer or a failure.
   */
  status: 'PROCESSING' | 'STALLED' | 'COMPLETED' | 'COMPLETED_WITH_FAILURES';
  summary: BatchSummary;
  /**
   * Rows of which it is known what became of them.
   */
  progress: {
    processed: number;
    total: number;
  };
  /**
   * How many of its failures are not listed any more, because a bank has at most 2,000,000 and newer batches needed the room. They still count.
   */
  failuresRemoved: number;
  /**
   * When it was accepted.
   */
  createdAt: string;
  /**
   * Null while it is under way.
   */
  completedAt: string | null;
}
/**
 * A row of a batch that became a customer.
 */
export interface CreatedCustomer {
  /**
   * Position in what was sent, from 0.
   */
  index: number;
  /**
   * Your own name for the row.
   */
  clientRef: string;
  /**
   * Ours, given out when the customer was accepted; it never changes.
   */
  id: string;
  /**
   * Four words, unique in the whole network, never given out twice; it never changes.
   */
  phrase: string;
}
/**
 * Who changed what. Names of fields, never their values.
 */
export interface Change {
  /**
   * When.
   */
  at: string;
  /**
   * The request that did it: its `X-Request-Id`.
   */
  requestId: string;
  /**
   * The key that it was done with. Null: it was not done through this API.
   */
  keyId: string | null;
  /**
   * Method and address, or UPDATE, DELETE and INSERT for what was done in the database by hand.
   */
  action: string;
  /**
   * Id of the customer or of the batch.
   */
  subject: string;
  /**
   * The fields that an update named.
   */
  fields: string[];
}
/**
 * The service runs.
 */
export interface Health {
  /**
   * What was asked, and answered. Empty without `deep`.
   */
  checked: ('database' | 'cache' | 'queue')[];
}
/**
 * Every failure has this shape.
 */
export interface ErrorResponse {
  /**
   * The HTTP status.
   */
  statusCode: number;
  /**
   * False.
   */
  success: false;
  /**
   * The code, as a sentence.
   */
  message: string;
  /**
   * Null; of a batch of which no row was accepted, its report.
   */
  data: unknown;
  /**
   * Of a closed set: what programs should go by.
   */
  code:
    | 'INVALID_REQUEST'
    | 'UNAUTHENTICATED'
    | 'FORBIDDEN'
    | 'CUSTOMER_NOT_FOUND'
    | 'BATCH_NOT_FOUND'
    | 'ROUTE_NOT_FOUND'
    | 'METHOD_NOT_ALLOWED'
    | 'CUSTOMER_EXISTS'
    | 'IDEMPOTENCY_IN_PROGRESS'
    | 'PRECONDITION_FAILED'
    | 'PAYLOAD_TOO_LARGE'
    | 'URI_TOO_LONG'
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'IDEMPOTENCY_KEY_REUSED'
    | 'RATE_LIMITED'
    | 'UNAVAILABLE'
    | 'INTERNAL';
  /**
   * Cause and cure of this code, on a page: a URL, or a path on the server that answered.
   */
  docs: string;
  /**
   * The same as `X-Request-Id`; it finds the request in our logs.
   */
  requestId: string;
  /**
   * Seconds to wait, where waiting helps: the same as `Retry-After`.
   */
  retryAfter?: number;
  /**
   * Every fault that could be told, at most 100.
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
