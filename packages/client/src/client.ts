/**
 * A client for the Peere customers API: typed, without dependencies, for Node, browsers and Workers.
 *
 *   const peere = createClient({ url: 'https://api.example.com', key });
 *   const customer = await peere.getCustomer({ phrase: 'river-stone-ocean-coral' });
 */
import { withAllFailures } from './dry-run.ts';
import type { PeereError } from './errors.ts';
import { Transport, type Answer, type Ask, type ClientOptions } from './transport.ts';
import type {
  Batch,
  BatchReport,
  Change,
  CreatedCustomer,
  Customer,
  CustomerUpdate,
  ListBatchesQuery,
  ListChangesQuery,
  ListCustomersQuery,
  NewCustomer,
  RowFailure,
  UpdatedCustomer,
} from './types.ts';

export { PeereError, type PeereErrorCode } from './errors.ts';
export type { ClientOptions } from './transport.ts';
export type * from './types.ts';

export interface Stoppable {
  /** Ends it early. What it then throws is the signal's own reason. */
  signal?: AbortSignal | undefined;
}

export type CustomerIdentifier =
  | { phrase: string; id?: string; email?: string }
  | { id: string; phrase?: string; email?: string }
  | { email: string; id?: string; phrase?: string };

/** A customer, and the ETag to change it by. */
export type Found = Customer & { etag: string };

interface Envelope<Data> {
  data: Data;
}

/** Rows of a page where the caller does not say: the most that there may be. */
const LIST_ROWS = 100;
const FAILURE_ROWS = 1_000;
const CREATED_ROWS = 5_000;
/** Milliseconds between two looks at a batch, where the service names no time. */
const LOOK_AGAIN_MS = 1_000;

export function createClient(options: ClientOptions): PeereClient {
  return new PeereClient(options);
}

/** Every call throws a `PeereError`, whose `code` tells why. */
export class PeereClient {
  readonly #transport: Transport;

  constructor(options: ClientOptions) {
    this.#transport = new Transport(options);
  }

  /**
   * Who is this?
   * @param fresh not from the edge, where an answer may be up to 6 minutes old
   * @returns null where your bank has no such customer
   */
  async getCustomer(
    identifier: CustomerIdentifier,
    { fresh = false, signal }: Stoppable & { fresh?: boolean } = {},
  ): Promise<Found | null> {
    const headers = fresh ? { 'Cache-Control': 'no-cache' } : {};
    try {
      const { headers: answered, body } = await this.#transport.ask<Envelope<Customer>>({
        method: 'GET',
        path: '/v1/bank/customer',
        query: identifier,
        headers,
        repeatable: true,
        signal,
      });
      return { ...body.data, etag: answered.get('ETag') ?? '' };
    } catch (error) {
      if ((error as PeereError).code === 'CUSTOMER_NOT_FOUND') return null;
      throw error;
    }
  }

  /** Newest first, or as `sortBy` says; page after page while you read on. */
  listCustomers(query: ListCustomersQuery = {}, options: Stoppable = {}): AsyncGenerator<Customer> {
    return this.#readOn(
      '/v1/bank/customers',
      { limit: LIST_ROWS, ...query },
      options,
      (body) => body as Customer[],
    );
  }

  /**
   * Brings customers. The answer comes when they are stored; they can be read moments later.
   * Tried again after a lost answer, it makes nothing twice.
   * @param customers 1 to 10,000
   * @param idempotencyKey to be able to repeat it even after this program has ended; one is made up otherwise
   * @throws PeereError; where no row was accepted, its `report` says why
   */
  async createCustomers(
    customers: readonly NewCustomer[],
    { idempotencyKey = crypto.randomUUID(), signal }: Stoppable & { idempotencyKey?: string } = {},
  ): Promise<BatchReport & { batchId: string }> {
    const { body } = await this.#transport.ask<Envelope<BatchReport & { batchId: string }>>({
      method: 'POST',
      path: '/v1/bank/customers',
      body: { customers },
      headers: { 'Idempotency-Key': idempotencyKey },
      repeatable: true,
      signal,
    });
    return body.data;
  }

  /** Judges customers by the same rules, and stores nothing. The report has every failure. */
  rehearseCustomers(customers: readonly NewCustomer[], { signal }: Stoppable = {}): Promise<BatchReport> {
    return withAllFailures(async (failuresFrom) => {
      const { body } = await this.#transport.ask<Envelope<BatchReport>>({
        method: 'POST',
        path: '/v1/bank/customers',
        query: { dryRun: true, failuresFrom },
        body: { customers },
        repeatable: true,
        signal,
      });
      return body.data;
    });
  }

  /**
   * @param ifMatch the ETag of the customer as you read it: the update is made only if it is still so. It is then not
   *   tried again after a lost answer, because a second try could not tell its own first from somebody else's change.
   */
  async updateCustomer(
    id: string,
    update: CustomerUpdate,
    { ifMatch, signal }: Stoppable & { ifMatch?: string } = {},
  ): Promise<UpdatedCustomer & { etag: string }> {
    const { headers, body } = await this.#transport.ask<Envelope<UpdatedCustomer>>({
      method: 'PATCH',
      path: '/v1/bank/customer',
      body: { id, update },
      headers: { 'If-Match': ifMatch },
      repeatable: ifMatch === undefined,
      signal,
    });
    return { ...body.data, etag: headers.get('ETag') ?? '' };
  }

  /** For good. */
  async eraseCustomer(id: string, { ifMatch, signal }: Stoppable & { ifMatch?: string } = {}): Promise<void> {
    await this.#transport.ask({
      method: 'DELETE',
      path: '/v1/bank/customer',
      query: { id },
      headers: { 'If-Match': ifMatch },
      repeatable: true,
      signal,
    });
  }

  async getBatch(batchId: string, { signal }: Stoppable = {}): Promise<Batch> {
    return (await this.#lookAtBatch(batchId, signal)).batch;
  }

  /**
   * Waits until every row of a batch has become a customer or a failure.
   * @returns the batch; a `STALLED` one too, which waits for an operator of the service
   */
  async waitForBatch(batchId: string, { signal }: Stoppable = {}): Promise<Batch> {
    for (;;) {
      const { batch, waitMs } = await this.#lookAtBatch(batchId, signal);
      if (batch.status !== 'PROCESSING') return batch;
      await this.#transport.sleep(waitMs, signal);
    }
  }

  listBatches(query: ListBatchesQuery = {}, options: Stoppable = {}): AsyncGenerator<Batch> {
    return this.#list('/v1/bank/customers/batches', { limit: LIST_ROWS, ...query }, options);
  }

  /** Rows that did not become customers, in input order. Final once the batch is completed. */
  listBatchFailures(batchId: string, options: Stoppable = {}): AsyncGenerator<RowFailure> {
    return this.#list(`${batchPath(batchId)}/failures`, { limit: FAILURE_ROWS }, options);
  }

  /** Id and phrase of every customer that a batch created, in input order. Final once the batch is completed. */
  listBatchCustomers(batchId: string, options: Stoppable = {}): AsyncGenerator<CreatedCustomer> {
    return this.#list(`${batchPath(batchId)}/customers`, { limit: CREATED_ROWS }, options);
  }

  /** Who changed what, newest first. */
  listChanges(query: ListChangesQuery = {}, options: Stoppable = {}): AsyncGenerator<Change> {
    return this.#list('/v1/bank/audit', { limit: LIST_ROWS, ...query }, options);
  }

  async #lookAtBatch(batchId: string, signal: AbortSignal | undefined) {
    const { headers, body } = await this.#transport.ask<Envelope<Batch>>({
      method: 'GET',
      path: batchPath(batchId),
      repeatable: true,
      signal,
    });
    const seconds = Number(headers.get('Retry-After'));
    return { batch: body.data, waitMs: seconds > 0 ? seconds * 1_000 : LOOK_AGAIN_MS };
  }

  #list<Row>(path: string, query: object, options: Stoppable): AsyncGenerator<Row> {
    return this.#readOn(path, query, options, (body) => (body as Envelope<Row[]>).data);
  }

  async *#readOn<Row>(
    first: string,
    query: object,
    { signal }: Stoppable,
    rowsOf: (body: unknown) => Row[],
  ): AsyncGenerator<Row> {
    let next: Pick<Ask, 'path' | 'query'> | undefined = { path: first, query };
    while (next !== undefined) {
      const page: Answer<unknown> = await this.#transport.ask({
        method: 'GET',
        ...next,
        repeatable: true,
        signal,
      });
      yield* rowsOf(page.body);
      const path = /<([^>]+)>; rel="next"/.exec(page.headers.get('Link') ?? '')?.[1];
      next = path === undefined ? undefined : { path };
    }
  }
}

function batchPath(batchId: string): string {
  return `/v1/bank/customers/batches/${encodeURIComponent(batchId)}`;
}
