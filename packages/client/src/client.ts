/**
 * A client for the Peere customers API: typed, without dependencies, for Node, browsers and Workers.
 *
 *   const peere = createClient({ url: 'https://api.example.com', key });
 *   const customer = await peere.getCustomer({ phrase: 'river-stone-ocean-coral' });
 */
import { withAllFailures } from './dry-run.ts';
import type { PeereError } from './errors.ts';
import { EVENTS_PAGE_ROWS, followEvents, pathTo, readPages } from './pages.ts';
import { Transport, type ClientOptions } from './transport.ts';
import { Webhooks } from './webhooks.ts';
import type {
  Bank,
  Batch,
  BatchReport,
  Change,
  CreatedCustomer,
  Customer,
  CustomerUpdate,
  Event,
  ListBatchesQuery,
  ListChangesQuery,
  ListCustomersQuery,
  ListEventsQuery,
  NewCustomer,
  Payee,
  RowFailure,
  UpdatedCustomer,
} from './types.ts';

export { ConnectionError, connectionErrorCode, explainConnectionError } from './connection-errors.ts';
export { PeereError, type PeereErrorCode } from './errors.ts';
export { CUSTOMER_FIELDS, NEW_CUSTOMER_FIELDS, UPDATE_FIELDS } from './fields.ts';
export { MAX_RETRY_AFTER_SECONDS, type ClientOptions, type Fetch } from './transport.ts';
export {
  signWebhook,
  verifyWebhook,
  WebhookVerificationError,
  type ReceivedWebhook,
  type WebhookEvent,
} from './webhook-signature.ts';
export { Webhooks } from './webhooks.ts';
export type * from './types.ts';

export interface CallOptions {
  /** Ends the call early; it then throws the signal's reason. */
  signal?: AbortSignal | undefined;
}

export type CustomerIdentifier =
  | { phrase: string; id?: string; email?: string }
  | { id: string; phrase?: string; email?: string }
  | { email: string; id?: string; phrase?: string };

/** A customer, and its ETag for a conditional update or erasure. */
export type CustomerWithEtag = Customer & { etag: string };

/** Customers to create: objects, or the body of the request, serialised already: `{"customers":[…]}`. */
export type CustomersToCreate = readonly NewCustomer[] | string;

interface Envelope<Data> {
  data: Data;
}

/** A page of the list of customers. */
export interface CustomerPage {
  customers: Customer[];
  /** The length of the whole list. */
  total: number;
  /** The `cursor` of the next page; undefined for the last one. It stays valid, also for a later program. */
  next: string | undefined;
}

/** Rows of a page unless the caller says otherwise: the service's maxima. */
const LIST_PAGE_ROWS = 100;
const CUSTOMERS_PAGE_ROWS = 1_000;
const FAILURES_PAGE_ROWS = 1_000;
const CREATED_PAGE_ROWS = 5_000;
/** Time between two polls of a batch if the service asks for no other. */
const POLL_INTERVAL_MS = 1_000;

export function createClient(options: ClientOptions): PeereClient {
  return new PeereClient(options);
}

/** Every call may throw a `PeereError`, whose `code` says why. */
export class PeereClient {
  /** Have events sent to you instead of asking for them. */
  readonly webhooks: Webhooks;
  readonly #transport: Transport;

  constructor(options: ClientOptions) {
    this.#transport = new Transport(options);
    this.webhooks = new Webhooks(this.#transport);
  }

  /** Finds out whose API key this is, and what it may do. */
  async getBank({ signal }: CallOptions = {}): Promise<Bank> {
    const { body } = await this.#transport.send<Envelope<Bank>>({
      method: 'GET',
      path: '/v1/bank',
      repeatable: true,
      signal,
    });
    return body.data;
  }

  /**
   * Looks up a customer of your bank.
   * @param fresh bypasses the cache, whose copy may be up to 6 minutes old
   * @returns null if your bank has no such customer
   */
  async getCustomer(
    identifier: CustomerIdentifier,
    { fresh = false, signal }: CallOptions & { fresh?: boolean } = {},
  ): Promise<CustomerWithEtag | null> {
    const headers = fresh ? { 'Cache-Control': 'no-cache' } : {};
    try {
      const { headers: responseHeaders, body } = await this.#transport.send<Envelope<Customer>>({
        method: 'GET',
        path: '/v1/bank/customer',
        query: identifier,
        headers,
        repeatable: true,
        signal,
      });
      return { ...body.data, etag: responseHeaders.get('ETag') ?? '' };
    } catch (error) {
      if ((error as PeereError).code === 'CUSTOMER_NOT_FOUND') return null;
      throw error;
    }
  }

  /**
   * Finds out who is behind a phrase, at whatever bank of the network. Needs an API key with `network:resolve`. What it
   * returns may be up to 6 minutes old.
   * @returns null if nobody has this phrase. Each unknown phrase counts for your bank, so check the four words before.
   */
  async resolvePayee(phrase: string, { signal }: CallOptions = {}): Promise<Payee | null> {
    try {
      const { body } = await this.#transport.send<Envelope<Payee>>({
        method: 'GET',
        path: '/v1/network/payee',
        query: { phrase },
        repeatable: true,
        signal,
      });
      return body.data;
    } catch (error) {
      if ((error as PeereError).code === 'PAYEE_NOT_FOUND') return null;
      throw error;
    }
  }

  /** Lists customers, newest first or by `sortBy`. Fetches the next page only when you read on. */
  listCustomers(query: ListCustomersQuery = {}, options: CallOptions = {}): AsyncGenerator<Customer> {
    return this.#pages(
      '/v1/bank/customers',
      { limit: CUSTOMERS_PAGE_ROWS, ...query },
      options,
      (body) => body as Customer[],
    );
  }

  /** Reads one page of the list, for a program that records how far it has come: `query.cursor` continues there. */
  async getCustomerPage(query: ListCustomersQuery = {}, { signal }: CallOptions = {}): Promise<CustomerPage> {
    const { headers, body } = await this.#transport.send<Customer[]>({
      method: 'GET',
      path: '/v1/bank/customers',
      query: { limit: CUSTOMERS_PAGE_ROWS, ...query },
      repeatable: true,
      signal,
    });
    const next = pathTo('next', headers)?.split('?', 2)[1];
    return {
      customers: body,
      total: Number(headers.get('X-Total-Count')),
      next: new URLSearchParams(next).get('cursor') ?? undefined,
    };
  }

  /**
   * Creates customers. Resolves when they are stored; they can be read moments later.
   * Sent again after a lost response, it creates nothing twice.
   * @param customers 1 to 10,000, at most 10 MB as JSON
   * @param idempotencyKey lets you repeat the call even after a crash of this program; random by default
   * @throws PeereError; if every row was refused, its `report` says why
   */
  async createCustomers(
    customers: CustomersToCreate,
    { idempotencyKey = crypto.randomUUID(), signal }: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<BatchReport & { batchId: string }> {
    const { body } = await this.#transport.send<Envelope<BatchReport & { batchId: string }>>({
      method: 'POST',
      path: '/v1/bank/customers',
      body: bodyOf(customers),
      headers: { 'Idempotency-Key': idempotencyKey },
      repeatable: true,
      signal,
    });
    return body.data;
  }

  /** Validates customers by the same rules and stores nothing. The report has every failure. */
  dryRunCustomers(customers: CustomersToCreate, { signal }: CallOptions = {}): Promise<BatchReport> {
    return withAllFailures(async (failuresFrom) => {
      const { body } = await this.#transport.send<Envelope<BatchReport>>({
        method: 'POST',
        path: '/v1/bank/customers',
        query: { dryRun: true, failuresFrom },
        body: bodyOf(customers),
        repeatable: true,
        signal,
      });
      return body.data;
    });
  }

  /**
   * Changes fields of a customer.
   * @param ifMatch the ETag of the customer as you read it: the update fails if it has changed since. Such an update is
   *   not sent again after a lost response, because it could not tell its own first attempt from somebody else's change.
   */
  async updateCustomer(
    id: string,
    update: CustomerUpdate,
    { ifMatch, signal }: CallOptions & { ifMatch?: string } = {},
  ): Promise<UpdatedCustomer & { etag: string }> {
    const { headers, body } = await this.#transport.send<Envelope<UpdatedCustomer>>({
      method: 'PATCH',
      path: '/v1/bank/customer',
      body: { id, update },
      headers: { 'If-Match': ifMatch },
      repeatable: ifMatch === undefined,
      signal,
    });
    return { ...body.data, etag: headers.get('ETag') ?? '' };
  }

  /** Erases a customer permanently. @param ifMatch as in `updateCustomer` */
  async eraseCustomer(
    id: string,
    { ifMatch, signal }: CallOptions & { ifMatch?: string } = {},
  ): Promise<void> {
    await this.#transport.send({
      method: 'DELETE',
      path: '/v1/bank/customer',
      query: { id },
      headers: { 'If-Match': ifMatch },
      repeatable: true,
      signal,
    });
  }

  async getBatch(batchId: string, { signal }: CallOptions = {}): Promise<Batch> {
    return (await this.#pollBatch(batchId, signal)).batch;
  }

  /**
   * Waits until every row of a batch has become a customer or a failure.
   * @returns the batch; also one that is `STALLED`, which needs an operator of the service
   */
  async waitForBatch(batchId: string, { signal }: CallOptions = {}): Promise<Batch> {
    for (;;) {
      const { batch, waitMs } = await this.#pollBatch(batchId, signal);
      if (batch.status !== 'PROCESSING') return batch;
      await this.#transport.sleep(waitMs, signal);
    }
  }

  listBatches(query: ListBatchesQuery = {}, options: CallOptions = {}): AsyncGenerator<Batch> {
    return this.#list('/v1/bank/customers/batches', { limit: LIST_PAGE_ROWS, ...query }, options);
  }

  /** Lists the rows that did not become customers, in input order. Final once the batch is completed. */
  listBatchFailures(batchId: string, options: CallOptions = {}): AsyncGenerator<RowFailure> {
    return this.#list(`${batchPath(batchId)}/failures`, { limit: FAILURES_PAGE_ROWS }, options);
  }

  /** Lists the id and phrase of every customer that a batch created, in input order. Final once it is completed. */
  listBatchCustomers(batchId: string, options: CallOptions = {}): AsyncGenerator<CreatedCustomer> {
    return this.#list(`${batchPath(batchId)}/customers`, { limit: CREATED_PAGE_ROWS }, options);
  }

  /** Lists who changed what, newest first. */
  listChanges(query: ListChangesQuery = {}, options: CallOptions = {}): AsyncGenerator<Change> {
    return this.#list('/v1/bank/audit', { limit: LIST_PAGE_ROWS, ...query }, options);
  }

  /**
   * Reads events in order, up to the newest. To go on later, give the `id` of the last one as `after`: you miss none and
   * see none twice. An EVENTS_EXPIRED says that some after it are no longer kept.
   */
  events(query: ListEventsQuery = {}, options: CallOptions = {}): AsyncGenerator<Event> {
    return this.#list('/v1/bank/events', { limit: EVENTS_PAGE_ROWS, ...query }, options);
  }

  /**
   * Reads events in order and waits for those that are still to come, until the signal ends it. Begins with the next one
   * that happens, unless `after` says otherwise.
   */
  followEvents(
    query: ListEventsQuery & { intervalMs?: number } = {},
    { signal }: CallOptions = {},
  ): AsyncGenerator<Event> {
    return followEvents(this.#transport, query, signal);
  }

  async #pollBatch(batchId: string, signal: AbortSignal | undefined) {
    const { headers, body } = await this.#transport.send<Envelope<Batch>>({
      method: 'GET',
      path: batchPath(batchId),
      repeatable: true,
      signal,
    });
    const seconds = Number(headers.get('Retry-After'));
    return { batch: body.data, waitMs: seconds > 0 ? seconds * 1_000 : POLL_INTERVAL_MS };
  }

  #list<Row>(path: string, query: object, options: CallOptions): AsyncGenerator<Row> {
    return this.#pages(path, query, options, (body) => (body as Envelope<Row[]>).data);
  }

  #pages<Row>(
    path: string,
    query: object,
    { signal }: CallOptions,
    rowsOf: (body: unknown) => Row[],
  ): AsyncGenerator<Row> {
    return readPages(this.#transport, { path, query }, signal, rowsOf);
  }
}

function bodyOf(customers: CustomersToCreate): unknown {
  return typeof customers === 'string' ? customers : { customers };
}

function batchPath(batchId: string): string {
  return `/v1/bank/customers/batches/${encodeURIComponent(batchId)}`;
}
