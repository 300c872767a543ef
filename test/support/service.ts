/**
 * The service on the real bindings: the Worker, D1 and cache that production runs. The queue alone is replaced by a list,
 * so that a test decides when messages are delivered.
 */
import {
  createExecutionContext,
  createMessageBatch,
  getQueueResult,
  waitOnExecutionContext,
  type QueueResult,
} from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import type { ChunkPointer } from '../../src/batches/batch-queue.ts';
import type { ValueStore } from '../../src/customers/data-centre-cache.ts';
import { DEAD_LETTER_QUEUE, WEBHOOK_QUEUE, type Env } from '../../src/env.ts';
import type { EndpointPointer } from '../../src/events/webhook-queue.ts';
import type { RatePolicies } from '../../src/rate-limits/rate-limits.ts';
import { systemRuntime, type Runtime } from '../../src/runtime.ts';
import { createWorker } from '../../src/worker.ts';
import { API_KEYS } from './banks.ts';
import { undocumentedParts, operationOf } from './reference.ts';
import { sentCustomer } from './customers.ts';
import { onEveryDatabase, withSessions } from './faulty-bindings.ts';
import { phraseStore } from './phrase-store.ts';

/** Untyped, because tests read a response as a client does: without knowing what is in it. */
export type ParsedJson = ReturnType<typeof JSON.parse>;

export interface ServiceResponse {
  status: number;
  headers: Headers;
  text: string;
  body: ParsedJson;
}

export interface RequestOptions {
  apiKey?: string | null;
  headers?: Record<string, string>;
  body?: unknown;
}

/** A customer as tests know it: its identifiers, and the batch that created it. */
export interface KnownCustomer {
  id: string;
  phrase: string;
  email: string;
  batchId: string;
}

export type LogLine = Record<string, unknown>;

/** The service's own origin, as in PUBLIC_URL. */
const ORIGIN = 'https://api.example.com';

const unlimitedBinding = { limit: async () => ({ success: true }) };
const unlimitedPolicy = { limit: 1_000_000, seconds: 10, step: 1 };

/** Rate limits that no test reaches. A test of rate limits passes its own. */
export const unlimitedRatePolicies: RatePolicies = {
  lookups: unlimitedPolicy,
  payees: unlimitedPolicy,
  changes: unlimitedPolicy,
  batches: unlimitedPolicy,
  misses: unlimitedPolicy,
};
export const unlimitedBindings: Pick<Env, `${string}_LIMIT` & keyof Env> = {
  LOOKUP_LIMIT: unlimitedBinding,
  PAYEE_LIMIT: unlimitedBinding,
  CHANGE_LIMIT: unlimitedBinding,
  BATCH_LIMIT: unlimitedBinding,
  MISS_LIMIT: unlimitedBinding,
};

/** Bindings without the field keys that `npm start` writes into `.dev.vars`: tests have their own. */
const testBindings = Object.fromEntries(
  Object.entries(env).filter(([name]) => !name.startsWith('FIELD_KEY_') || name === 'FIELD_KEY_1'),
) as unknown as Env;

/** The Worker's bindings and the phrase cache, which has none. */
export interface TestBindings extends Env {
  PHRASE_CACHE: ValueStore;
}

/** Bindings that a test replaces. A part of the cache is enough: the other calls are never made. */
export type Rewired = Partial<Env> & { PHRASE_CACHE?: Partial<ValueStore> };

export class Service {
  /** Messages that were sent and not delivered yet. */
  readonly pendingPointers: ChunkPointer[] = [];
  /** The same of the webhook queue. */
  readonly pendingEndpoints: EndpointPointer[] = [];
  /** Log lines of every service. setup.ts checks them after each test. */
  static readonly logs: LogLine[] = [];
  readonly log: LogLine[] = [];
  /** Parts of responses that the reference does not document. setup.ts checks after each test that there are none. */
  static readonly undocumented: string[] = [];
  readonly env: TestBindings;
  readonly #worker: ReturnType<typeof createWorker>;

  /** @param rewire replaces bindings by ones that count calls or fail */
  constructor(
    rewire: (env: TestBindings) => Rewired = () => ({}),
    runtime: Partial<Runtime> = {},
    ratePolicies: Partial<RatePolicies> = {},
  ) {
    const queue = {
      sendBatch: async (messages: Iterable<{ body: ChunkPointer }>) => {
        this.pendingPointers.push(...[...messages].map(({ body }) => body));
      },
      metrics: () => env.BATCH_QUEUE.metrics(),
    } as unknown as Queue<ChunkPointer>;
    const webhookQueue = {
      sendBatch: async (messages: Iterable<{ body: EndpointPointer }>) => {
        this.pendingEndpoints.push(...[...messages].map(({ body }) => body));
      },
    } as unknown as Queue<EndpointPointer>;
    const bindings: TestBindings = {
      ...testBindings,
      ...unlimitedBindings,
      BATCH_QUEUE: queue,
      WEBHOOK_QUEUE: webhookQueue,
      PUBLIC_URL: ORIGIN,
      PHRASE_CACHE: phraseStore,
    };
    this.env = { ...bindings, ...rewire(bindings) } as TestBindings;
    Object.assign(this.env, onEveryDatabase(this.env, withSessions));
    this.#worker = createWorker(
      {
        ...systemRuntime,
        // D1 may be slow on a busy machine, so deadlines pass only in tests that bring a timer.
        timer: () => () => {},
        // The cache is cleared again a second after an erasure. Here, 20 ms are enough.
        sleep: (milliseconds) => systemRuntime.sleep(Math.min(milliseconds, 20)),
        // A receiver that takes everything. Tests have no network.
        fetch: () => Promise.resolve(new Response(null, { status: 204 })),
        log: (level, line) => {
          this.log.push({ level, ...line });
          Service.logs.push({ level, ...line });
        },
        ...runtime,
      },
      { ratePolicies: { ...unlimitedRatePolicies, ...ratePolicies }, phraseStore: this.env.PHRASE_CACHE },
    );
  }

  /** Sends a request, and waits for the work that goes on after its response. */
  async request(
    method: string,
    path: string,
    { apiKey = API_KEYS.full, headers = {}, body }: RequestOptions = {},
  ): Promise<ServiceResponse> {
    const request = new Request(`${ORIGIN}${path}`, {
      method,
      headers: {
        ...(apiKey === null ? {} : { Authorization: `Bearer ${apiKey}` }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isSerialised(body) ? body : JSON.stringify(body) }),
    });
    const response = await this.fetch(request);
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: parseJson(text) };
  }

  /** Calls the Worker as the platform does. */
  async fetch(request: Request): Promise<Response> {
    const context = createExecutionContext();
    const response = await this.#worker.fetch(request as Request<unknown, never>, this.env, context);
    const text = await response.clone().text();
    await waitOnExecutionContext(context);
    const operation = operationOf(request.method, new URL(request.url).pathname);
    if (operation !== undefined) {
      Service.undocumented.push(...undocumentedParts(operation, response.status, response.headers, text));
    }
    return response;
  }

  get(
    path: string,
    apiKey: string | null = API_KEYS.full,
    headers: Record<string, string> = {},
  ): Promise<ServiceResponse> {
    return this.request('GET', path, { apiKey, headers });
  }

  post(customers: unknown[], apiKey: string = API_KEYS.full): Promise<ServiceResponse> {
    return this.request('POST', '/v1/bank/customers', { apiKey, body: { customers } });
  }

  postWithIdempotencyKey(
    idempotencyKey: string,
    customers: unknown[],
    apiKey: string = API_KEYS.full,
  ): Promise<ServiceResponse> {
    const headers = { 'Idempotency-Key': idempotencyKey };
    return this.request('POST', '/v1/bank/customers', { apiKey, headers, body: { customers } });
  }

  /** @param query more parameters, each beginning with `&` */
  dryRun(customers: unknown[], query = ''): Promise<ServiceResponse> {
    return this.request('POST', `/v1/bank/customers?dryRun=true${query}`, { body: { customers } });
  }

  updateCustomer(id: unknown, update: unknown, apiKey: string = API_KEYS.full): Promise<ServiceResponse> {
    return this.request('PATCH', '/v1/bank/customer', { apiKey, body: { id, update } });
  }

  eraseCustomer(id: string, apiKey: string = API_KEYS.full): Promise<ServiceResponse> {
    return this.request('DELETE', `/v1/bank/customer?id=${id}`, { apiKey });
  }

  getBatch(batchId: string, apiKey: string = API_KEYS.full): Promise<ServiceResponse> {
    return this.get(`/v1/bank/customers/batches/${batchId}`, apiKey);
  }

  /** Delivers messages to the consumer as Queues does. */
  async deliverMessages(bodies: unknown[], queue = 'customer-batches', attempts = 1): Promise<QueueResult> {
    const context = createExecutionContext();
    const messages = bodies.map((body, index) => ({
      id: `message-${index}`,
      timestamp: new Date(),
      attempts,
      body,
    }));
    const batch = createMessageBatch(queue, messages);
    await this.#worker.queue(batch, this.env, context);
    return getQueueResult(batch, context);
  }

  deliverDeadLetters(bodies: unknown[]): Promise<QueueResult> {
    return this.deliverMessages(bodies, DEAD_LETTER_QUEUE);
  }

  /** Delivers all pending messages. */
  deliverAll(): Promise<QueueResult> {
    return this.deliverMessages(this.pendingPointers.splice(0));
  }

  /** Delivers pending messages of the webhook queue until there are none, four at a time as wrangler.toml says. */
  async deliverWebhooks(): Promise<void> {
    while (this.pendingEndpoints.length > 0) {
      await this.deliverMessages(this.pendingEndpoints.splice(0, 4), WEBHOOK_QUEUE);
    }
  }

  async sweep(): Promise<void> {
    const context = createExecutionContext();
    await this.#worker.scheduled({} as ScheduledController, this.env, context);
    await waitOnExecutionContext(context);
  }

  /** Posts customers, applies their chunks, and returns them in input order. */
  async createCustomers(customers: unknown[], apiKey: string = API_KEYS.full): Promise<KnownCustomer[]> {
    const { body } = await this.post(customers, apiKey);
    await this.deliverAll();
    const { batchId, data } = body.data;
    const rows = await this.env.SHARD_1.prepare(
      'SELECT id, phrase, email FROM customers WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id',
    )
      .bind(JSON.stringify(data.customerIds))
      .all<Omit<KnownCustomer, 'batchId'>>();
    return rows.results.map((row) => ({ ...row, batchId }));
  }

  /** Posts one customer, applies its chunk, and returns it. */
  async createCustomer(
    customer: unknown = sentCustomer(),
    apiKey: string = API_KEYS.full,
  ): Promise<KnownCustomer> {
    const [created] = await this.createCustomers([customer], apiKey);
    if (created === undefined) throw new Error('The customer was not created.');
    return created;
  }
}

function isSerialised(body: unknown): body is string | Uint8Array | ReadableStream {
  return typeof body === 'string' || body instanceof Uint8Array || body instanceof ReadableStream;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
