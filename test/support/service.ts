/**
 * The service on the real bindings, with a queue that keeps what is sent so that a test decides when it arrives.
 * Everything else is what production runs: the same Worker, D1, KV.
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
import { DEAD_LETTER_QUEUE, type Env } from '../../src/env.ts';
import type { RatePolicies } from '../../src/rate-limits/rate-limits.ts';
import { systemRuntime, type Runtime } from '../../src/runtime.ts';
import { createWorker } from '../../src/worker.ts';
import { KEYS } from './banks.ts';
import { differences, operationOf } from './documented.ts';
import { withSessions } from './broken.ts';

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // Answers are read as a client reads them: without knowing what is in them.
  // oxlint-disable-next-line typescript/no-explicit-any
  body: any;
}

export interface Ask {
  key?: string | null;
  headers?: Record<string, string>;
  body?: unknown;
}

export type LogLine = Record<string, unknown>;

/** Where the service is asked, and says that it is. */
const ORIGIN = 'https://api.example.com';

const always = { limit: async () => ({ success: true }) };
const endless = { limit: 1_000_000, seconds: 10, step: 1 };

/** No limits: what has some asks for them. */
export const endlessPolicies: RatePolicies = {
  lookups: endless,
  changes: endless,
  batches: endless,
  misses: endless,
};
export const unlimited: Pick<Env, `${string}_LIMIT` & keyof Env> = {
  LOOKUP_LIMIT: always,
  CHANGE_LIMIT: always,
  BATCH_LIMIT: always,
  MISS_LIMIT: always,
};

/** Bindings without the field keys that `npm start` has put into this machine's `.dev.vars`: tests have their own. */
const own = Object.fromEntries(
  Object.entries(env).filter(([name]) => !name.startsWith('FIELD_KEY_') || name === 'FIELD_KEY_1'),
) as unknown as Env;

export class Service {
  readonly sent: ChunkPointer[] = [];
  /** Lines of every service. After each test they are looked through: setup.ts. */
  static readonly logs: LogLine[] = [];
  readonly log: LogLine[] = [];
  /** What the reference does not say of an answer that some service gave. Looked at after each test: setup.ts. */
  static readonly undocumented: string[] = [];
  readonly env: Env;
  readonly #worker: ReturnType<typeof createWorker>;

  /** @param rewire changes the bindings, to count or to break them */
  constructor(
    rewire: (env: Env) => Partial<Env> = () => ({}),
    runtime: Partial<Runtime> = {},
    ratePolicies: Partial<RatePolicies> = {},
  ) {
    const queue = {
      sendBatch: async (messages: Iterable<{ body: ChunkPointer }>) => {
        this.sent.push(...[...messages].map(({ body }) => body));
      },
      metrics: () => env.BATCH_QUEUE.metrics(),
    } as unknown as Queue<ChunkPointer>;
    const bindings: Env = { ...own, ...unlimited, BATCH_QUEUE: queue, PUBLIC_URL: ORIGIN };
    this.env = { ...bindings, ...rewire(bindings) };
    this.env.DB = withSessions(this.env.DB);
    this.#worker = createWorker(
      {
        ...systemRuntime,
        // On a busy machine D1 may take its time: a deadline passes where a test says so, and nowhere else.
        timer: () => () => {},
        log: (level, line) => {
          this.log.push({ level, ...line });
          Service.logs.push({ level, ...line });
        },
        ...runtime,
      },
      { ratePolicies: { ...endlessPolicies, ...ratePolicies } },
    );
  }

  /** One request, and everything that it does after its answer. */
  async ask(
    method: string,
    path: string,
    { key = KEYS.full, headers = {}, body }: Ask = {},
  ): Promise<Answer> {
    const request = new Request(`${ORIGIN}${path}`, {
      method,
      headers: {
        ...(key === null ? {} : { Authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isRaw(body) ? body : JSON.stringify(body) }),
    });
    const response = await this.fetch(request);
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: readJson(text) };
  }

  /** As the platform calls the Worker. */
  async fetch(request: Request): Promise<Response> {
    const context = createExecutionContext();
    const response = await this.#worker.fetch(request as Request<unknown, never>, this.env, context);
    const text = await response.clone().text();
    await waitOnExecutionContext(context);
    const operation = operationOf(request.method, new URL(request.url).pathname);
    if (operation !== undefined) {
      Service.undocumented.push(...differences(operation, response.status, response.headers, text));
    }
    return response;
  }

  get(path: string, key?: string | null, headers?: Record<string, string>): Promise<Answer> {
    return this.ask('GET', path, { ...(key === undefined ? {} : { key }), ...(headers ? { headers } : {}) });
  }

  post(customers: unknown[], key: string = KEYS.full): Promise<Answer> {
    return this.ask('POST', '/v1/bank/customers', { key, body: { customers } });
  }

  /** Delivers messages to the consumer, as Queues would. */
  async deliver(bodies: unknown[], queue = 'customer-batches', attempts = 1): Promise<QueueResult> {
    const context = createExecutionContext();
    const messages = bodies.map((body, index) => ({
      id: `message-${index}`,
      timestamp: new Date(),
      attempts,
      body: body as ChunkPointer,
    }));
    const batch = createMessageBatch(queue, messages);
    await this.#worker.queue(batch, this.env, context);
    return getQueueResult(batch, context);
  }

  deliverDeadLetters(bodies: unknown[]): Promise<QueueResult> {
    return this.deliver(bodies, DEAD_LETTER_QUEUE);
  }

  /** Everything that was sent and not yet delivered goes in. */
  drain(): Promise<QueueResult> {
    return this.deliver(this.sent.splice(0));
  }

  async sweep(): Promise<void> {
    const context = createExecutionContext();
    await this.#worker.scheduled({} as ScheduledController, this.env, context);
    await waitOnExecutionContext(context);
  }

  /** Posts customers, moves them in, and reads back the phrases that they were given, in input order. */
  async haveCustomers(customers: unknown[], key: string = KEYS.full) {
    const { body } = await this.post(customers, key);
    await this.drain();
    const ids = body.data.data.customerIds as string[];
    const rows = await this.env.DB.prepare(
      'SELECT id, phrase, email FROM customers WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id',
    )
      .bind(JSON.stringify(ids))
      .all<{ id: string; phrase: string; email: string }>();
    return rows.results;
  }
}

function isRaw(body: unknown): body is string | Uint8Array | ReadableStream {
  return typeof body === 'string' || body instanceof Uint8Array || body instanceof ReadableStream;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
