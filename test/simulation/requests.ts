/** The banks' requests: what they send, what they may rely on, and what no answer may ever be. */
import type { Chance } from './chance.ts';
import { CANARY, type Intent, type PostIntent } from './clients.ts';
import { ACCRA, KEYS, LAGOS } from '../support/banks.ts';

export interface Reply {
  status: number;
  headers: Headers;
  text: string;
  // Read as a client reads it: without knowing what is in it.
  // oxlint-disable-next-line typescript/no-explicit-any
  body: any;
}

/** An answer with a batch in it, on which a bank may rely. */
export interface Acknowledged {
  intent: PostIntent;
  reply: Reply;
}

export interface UpdateAttempt {
  id: string;
  state: string;
  acknowledged: boolean;
}

type Send = (request: Request, context: ExecutionContext) => Promise<Response> | Response;

/** A request, and what its answer must be. */
interface Question {
  request: Request;
  check: (reply: Reply) => void;
}

export interface Attempt {
  run: (context: ExecutionContext) => Promise<void>;
  /** Called when it is over, answered or not. True: try it again. */
  finish: () => boolean;
}

/** A client that is told to come again does so at most so often, while there are faults. */
const MOST_TRIES = 4;

export class Requests {
  readonly acknowledged: Acknowledged[] = [];
  readonly posts = new Set<PostIntent>();
  readonly updates: UpdateAttempt[] = [];
  readonly violations: string[] = [];
  readonly #db: D1Database;
  readonly #chance: Chance;
  readonly #send: Send;
  readonly #tries = new Map<Intent, number>();

  constructor(db: D1Database, chance: Chance, send: Send) {
    this.#db = db;
    this.#chance = chance;
    this.#send = send;
  }

  /** Makes an intent into a request, with what is in D1 just now to ask about. */
  async prepare(intent: Intent): Promise<Attempt> {
    let reply: Reply | undefined;
    const { request, check } = await this.#toRequest(intent);
    return {
      run: async (context) => {
        const response = await this.#send(request, context);
        const text = await response.text();
        reply = { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
        this.#checkAny(reply);
        check(reply);
      },
      finish: () => this.#isToBeRepeated(intent, reply),
    };
  }

  #isToBeRepeated(intent: Intent, reply: Reply | undefined): boolean {
    if (intent.kind !== 'post' || intent.idempotencyKey === null) return false;
    const unsure = reply === undefined || reply.status === 503 || reply.headers.has('Retry-After');
    const tries = (this.#tries.get(intent) ?? 0) + 1;
    this.#tries.set(intent, tries);
    return unsure && tries < MOST_TRIES;
  }

  #toRequest(intent: Intent): Question | Promise<Question> {
    switch (intent.kind) {
      case 'post':
        return this.#post(intent);
      case 'update':
        return this.#update(intent.apiKey);
      case 'phrase':
        return this.#phrase(intent.apiKey, intent.foreign);
      case 'batch':
        return this.#batch(intent.apiKey, intent.foreign);
    }
  }

  #post(intent: PostIntent) {
    this.posts.add(intent);
    const headers = intent.idempotencyKey === null ? {} : { 'Idempotency-Key': intent.idempotencyKey };
    const request = toRequest(
      'POST',
      '/v1/bank/customers',
      intent.apiKey,
      { customers: intent.rows },
      headers,
    );
    const check = (reply: Reply) => {
      if (reply.body.data?.batchId) this.acknowledged.push({ intent, reply });
      else if (![503, 409, 422].includes(reply.status))
        this.#violate(`a batch is answered with ${reply.status}`);
    };
    return { request, check };
  }

  async #update(apiKey: string) {
    const customer = await this.#somebody(bankOf(apiKey));
    const state = `${CANARY}state ${this.updates.length}`;
    const attempt = { id: customer?.id ?? 'cus_nobody', state, acknowledged: false };
    if (customer !== undefined) this.updates.push(attempt);
    const request = toRequest('PATCH', '/v1/bank/customer', apiKey, { id: attempt.id, update: { state } });
    const check = ({ status }: Reply) => {
      attempt.acknowledged = status === 200;
      if (customer !== undefined && status === 404) this.#violate('a customer is not found by an update');
    };
    return { request, check };
  }

  async #phrase(apiKey: string, foreign: boolean) {
    const bank = bankOf(apiKey);
    const customer = await this.#somebody(foreign ? otherBank(bank) : bank);
    const phrase = customer?.phrase ?? 'zoo-zoo-zoo-zoo';
    const standard = bank === LAGOS ? KEYS.standard : KEYS.otherStandard;
    const request = toRequest('GET', `/v1/bank/customer?phrase=${phrase}`, standard);
    const expected = customer === undefined || foreign ? 404 : 200;
    const check = ({ status, body }: Reply) => {
      if (status !== expected && status !== 503)
        this.#violate(`a phrase is answered with ${status}, not ${expected}`);
      if (status === 200 && (body.data.bankId !== bank || body.data.phrase !== phrase)) {
        this.#violate('a phrase is answered with somebody else');
      }
    };
    return { request, check };
  }

  async #batch(apiKey: string, foreign: boolean) {
    const bank = bankOf(apiKey);
    const found = await this.#db
      .prepare('SELECT id FROM batches WHERE bank_id = ? ORDER BY id')
      .bind(foreign ? otherBank(bank) : bank)
      .all<{ id: string }>();
    const id = found.results.length === 0 ? undefined : this.#chance.pick(found.results).id;
    const what = this.#chance.pick(['', '/failures', '/customers']);
    const request = toRequest('GET', `/v1/bank/customers/batches/${id ?? 'bat_nobody'}${what}`, apiKey);
    const expected = id === undefined || foreign ? 404 : 200;
    const check = ({ status }: Reply) => {
      if (status !== expected && status !== 503)
        this.#violate(`a batch is read with ${status}, not ${expected}`);
    };
    return { request, check };
  }

  async #somebody(bank: string): Promise<{ id: string; phrase: string } | undefined> {
    const { results } = await this.#db
      .prepare('SELECT id, phrase FROM customers WHERE bank_id = ? ORDER BY id')
      .bind(bank)
      .all<{ id: string; phrase: string }>();
    return results.length === 0 ? undefined : this.#chance.pick(results);
  }

  #checkAny({ status, body, text }: Reply): void {
    if (status === 500) this.#violate(`a 500: ${text}`);
    if (status >= 400 && text.includes(CANARY)) this.#violate('an error body holds personal data');
    if (status === 503 && body.code !== 'UNAVAILABLE') this.#violate('a 503 of another shape');
  }

  #violate(violation: string): void {
    this.violations.push(violation);
  }
}

export function bankOf(apiKey: string): string {
  return apiKey === KEYS.other ? ACCRA : LAGOS;
}

function otherBank(bank: string): string {
  return bank === LAGOS ? ACCRA : LAGOS;
}

function toRequest(
  method: string,
  path: string,
  apiKey: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Request {
  return new Request(`https://api.example.com${path}`, {
    method,
    headers: { Authorization: `Bearer ${apiKey}`, 'Content-Type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}
