/** The banks' requests, what their responses acknowledged, and what no response may be. */
import type { Random } from './random.ts';
import {
  CANARY,
  type EraseIntent,
  type Intent,
  type PayeeIntent,
  type PostIntent,
  type ReadIntent,
  type UpdateIntent,
} from './clients.ts';
import { isOutdated, wasErased, type ChangeAttempt, type UpdateAttempt } from './staleness.ts';
import { ACCRA, API_KEYS, LAGOS } from '../support/banks.ts';
import type { KnownCustomer, ServiceResponse } from '../support/service.ts';

/** A response with a batch in it, on which a bank may rely. */
export interface Acknowledged {
  intent: PostIntent;
  response: ServiceResponse;
}

/** A change that was answered with an error. */
export interface FailedChange {
  bank: string;
  requestId: string;
}

export interface ErasureAttempt extends ChangeAttempt {
  bank: string;
  email: string;
  /** Undefined until the customer is stored. */
  phrase: string | undefined;
  /** Ids that were given out before for the same person, who must not be a customer under any of them. */
  others: string[];
}

type Customer = Omit<KnownCustomer, 'batchId'>;

type Send = (request: Request, context: ExecutionContext) => Promise<Response> | Response;

/** A request, and the check of its response. */
interface CheckedRequest {
  request: Request;
  check: (response: ServiceResponse) => void;
}

export interface Attempt {
  run: (context: ExecutionContext) => Promise<void>;
  /** Called when it has ended, with or without a response. Returns whether to retry it. */
  finish: () => boolean;
}

/** Tries of a request while there are faults. */
const MAX_TRIES = 4;

export class Requests {
  readonly acknowledged: Acknowledged[] = [];
  readonly posts = new Set<PostIntent>();
  readonly updates: UpdateAttempt[] = [];
  readonly erasures: ErasureAttempt[] = [];
  /** Acknowledged changes. */
  readonly changes: { bank: string; requestId: string | null }[] = [];
  readonly failedChanges: FailedChange[] = [];
  /** Reads that a bank makes next, of what it has just changed. */
  readonly followUps: ReadIntent[] = [];
  /** Nothing fails at the moment, so every lookup is answered. */
  isCalm = false;
  /** Payees that were found, by phrase. */
  readonly payees = new Map<string, { displayPicture: string | null }>();
  readonly violations: string[] = [];
  readonly #databaseOf: (bank: string) => Promise<D1Database>;
  readonly #random: Random;
  readonly #send: Send;
  readonly #tries = new Map<Intent, number>();
  /** Requests with each Idempotency-Key, answered or not. */
  readonly #sentKeys = new Map<string, number>();
  /** The bookmark that each bank was given last. */
  readonly #bookmarks = new Map<string, string>();
  /** Numbers the moments at which requests begin and are answered. */
  #moment = 0;

  /** @param databaseOf the shard of a bank, as the directory has it at the moment */
  constructor(databaseOf: (bank: string) => Promise<D1Database>, random: Random, send: Send) {
    this.#databaseOf = databaseOf;
    this.#random = random;
    this.#send = send;
  }

  /** Turns an intent into a request about rows that are in D1 at the moment. */
  async prepare(intent: Intent): Promise<Attempt> {
    let response: ServiceResponse | undefined;
    const { request, check } = await this.#toRequest(intent);
    return {
      run: async (context) => {
        response = await readResponse(await this.#send(request, context));
        this.#checkEveryResponse(response);
        check(response);
      },
      finish: () => this.#shouldRetry(intent, response),
    };
  }

  #shouldRetry(intent: Intent, response: ServiceResponse | undefined): boolean {
    if (intent.kind !== 'post' || intent.idempotencyKey === null) return false;
    const unsure = response === undefined || response.status === 503 || response.headers.has('Retry-After');
    const tries = (this.#tries.get(intent) ?? 0) + 1;
    this.#tries.set(intent, tries);
    return unsure && tries < MAX_TRIES;
  }

  #toRequest(intent: Intent): CheckedRequest | Promise<CheckedRequest> {
    switch (intent.kind) {
      case 'post':
        return this.#post(intent);
      case 'update':
        return this.#update(intent);
      case 'erase':
        return this.#erase(intent);
      case 'phrase':
        return this.#phrase(intent.apiKey, intent.foreign);
      case 'read':
        return this.#read(intent);
      case 'payee':
        return this.#payee(intent);
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
    const key = `${intent.apiKey} ${intent.idempotencyKey}`;
    this.#sentKeys.set(key, (this.#sentKeys.get(key) ?? 0) + 1);
    const isReplay =
      intent.idempotencyKey !== null && this.acknowledged.some((earlier) => earlier.intent === intent);
    const check = (response: ServiceResponse) => {
      if (response.body.data?.batchId) {
        this.acknowledged.push({ intent, response });
        if (!response.headers.has('Idempotent-Replayed')) this.#recordChange(intent.apiKey, response);
        else if (this.#sentKeys.get(key) === 1) this.#violate('the first response is marked as replayed');
      } else if (response.status === 429 && isReplay) {
        this.#violate('a replay is refused because of a limit');
      } else if (![503, 409, 422, 429].includes(response.status)) {
        this.#violate(`the response to a batch is a ${response.status}`);
      }
      this.#recordFailure(intent.apiKey, response);
    };
    return { request, check };
  }

  async #update({ apiKey, about }: UpdateIntent) {
    const customer = about ?? (await this.#pickForUpdate(bankOf(apiKey)));
    const state = `${CANARY}state ${this.updates.length}`;
    const attempt: UpdateAttempt = { state, ...this.#beginChange(customer?.id ?? 'cus_unknown') };
    if (customer !== undefined) this.updates.push(attempt);
    const update = { state, displayPicture: `https://pictures.example.com/${this.updates.length}` };
    const request = toRequest('PATCH', '/v1/bank/customer', apiKey, { id: attempt.id, update });
    const check = (response: ServiceResponse) => {
      this.#endChange(attempt, apiKey, response);
      if (customer !== undefined && response.status === 404 && !this.mayBeErased(attempt.id))
        this.#violate('a customer is not found by an update');
    };
    return { request, check };
  }

  /** Customers who may be cached as payees are the harder case. */
  async #pickForUpdate(bank: string): Promise<Customer | undefined> {
    const customers = await this.customersOf(bank);
    const asked = customers.filter(({ phrase }) => this.payees.has(phrase));
    return this.#pickFrom(asked.length > 0 ? asked : customers);
  }

  /** Erases a customer, or an accepted row that is still staged. */
  async #erase({ apiKey, about }: EraseIntent) {
    const bank = bankOf(apiKey);
    const accepted = this.#acceptedOf(bank);
    const customers = await this.customersOf(bank);
    const copies = ({ email }: { email: string }) => accepted.filter((other) => other.email === email).length;
    // Customers who may have another staged copy are the harder case.
    const withCopies = customers.filter((customer) => copies(customer) > 1);
    const any = this.#random.happens(0.6)
      ? this.#pickFrom(withCopies.length > 0 ? withCopies : customers)
      : undefined;
    const target = about ?? any;
    const { id, email } = target ?? this.#pickFrom(accepted) ?? { id: 'cus_unknown', email: '' };
    const others = target === undefined ? [] : accepted.filter((other) => other.email === email);
    const phrase = customers.find((customer) => customer.id === id)?.phrase;
    const attempt = {
      ...this.#beginChange(id),
      bank,
      email,
      phrase,
      others: others.map((other) => other.id),
    };
    this.erasures.push(attempt);
    const request = toRequest('DELETE', `/v1/bank/customer?id=${id}`, apiKey);
    const check = (response: ServiceResponse) => {
      this.#endChange(attempt, apiKey, response);
      if (![200, 404, 503].includes(response.status))
        this.#violate(`the response to an erasure is a ${response.status}`);
    };
    return { request, check };
  }

  /** Returns the id and email of every row that responses to this bank reported as accepted. */
  #acceptedOf(bank: string): { id: string; email: string }[] {
    return this.acknowledged
      .filter(({ intent }) => bankOf(intent.apiKey) === bank)
      .flatMap(({ intent, response }) => {
        const indexes = acceptedIndexes(intent, response);
        const ids = response.body.data.data.customerIds as string[];
        return ids.map((id, at) => ({ id, email: emailOf(intent, indexes[at] ?? -1) }));
      });
  }

  mayBeErased(id: string): boolean {
    return this.erasures.some((attempt) => attempt.id === id || attempt.others.includes(id));
  }

  #recordChange(apiKey: string, { headers }: ServiceResponse): void {
    this.changes.push({ bank: bankOf(apiKey), requestId: headers.get('X-Request-Id') });
  }

  #recordFailure(apiKey: string, { status, headers }: ServiceResponse): void {
    const requestId = headers.get('X-Request-Id');
    if (status >= 400 && requestId !== null) this.failedChanges.push({ bank: bankOf(apiKey), requestId });
  }

  #beginChange(id: string): ChangeAttempt {
    return { id, startedAt: (this.#moment += 1), acknowledgedAt: undefined };
  }

  #endChange(attempt: ChangeAttempt, apiKey: string, response: ServiceResponse): void {
    this.#recordFailure(apiKey, response);
    if (response.status !== 200) return;
    attempt.acknowledgedAt = this.#moment += 1;
    this.#recordChange(apiKey, response);
    this.followUps.push({ kind: 'read', apiKey, about: { id: attempt.id } });
  }

  /** Asks D1 for a customer, or one who was erased. What the bank was told before, the answer must show. */
  async #read({ apiKey, about }: ReadIntent) {
    const bank = bankOf(apiKey);
    const customer = about ?? (await this.#anyCustomer(bank));
    const id = customer?.id ?? 'cus_unknown';
    const asOf = (this.#moment += 1);
    const bookmark = this.#random.happens(0.5) ? this.#bookmarks.get(bank) : undefined;
    const headers = bookmark === undefined ? {} : { 'X-D1-Bookmark': bookmark };
    const request = toRequest('GET', `/v1/bank/customer?id=${id}`, apiKey, undefined, headers);
    const check = ({ status, body, headers: answered }: ServiceResponse) => {
      this.#bookmarks.set(bank, answered.get('X-D1-Bookmark') ?? '');
      if (status === 503 && this.isCalm) this.#violate('a lookup failed without a fault');
      if (status === 404 && customer !== undefined && !this.mayBeErased(id))
        this.#violate('a lookup does not find a customer');
      if (status !== 200) return;
      if (wasErased(this.erasures, id, asOf)) this.#violate('a lookup answers an erased customer');
      if (isOutdated(this.updates, id, body.data.state, asOf))
        this.#violate('a lookup is older than an acknowledged update');
    };
    return { request, check };
  }

  async #phrase(apiKey: string, foreign: boolean) {
    const bank = bankOf(apiKey);
    const customer = await this.#anyCustomer(foreign ? otherBank(bank) : bank);
    const phrase = customer?.phrase ?? 'zoo-zoo-zoo-zoo';
    const standard = bank === LAGOS ? API_KEYS.standard : API_KEYS.otherStandard;
    const request = toRequest('GET', `/v1/bank/customer?phrase=${phrase}`, standard);
    const expected = customer === undefined || foreign ? 404 : 200;
    const check = ({ status, body }: ServiceResponse) => {
      const erased = status === 404 && this.mayBeErased(customer?.id ?? '');
      if (status !== expected && status !== 503 && !erased)
        this.#violate(`a lookup by phrase is a ${status} instead of a ${expected}`);
      if (status === 200 && (body.data.bankId !== bank || body.data.phrase !== phrase)) {
        this.#violate('a lookup by phrase returns another customer');
      }
    };
    return { request, check };
  }

  async #payee({ about }: PayeeIntent) {
    const customer = about ?? (await this.#anyCustomer(this.#random.pick([LAGOS, ACCRA])));
    const phrase = customer?.phrase ?? 'zoo-zoo-zoo-zoo';
    const request = toRequest('GET', `/v1/network/payee?phrase=${phrase}`, API_KEYS.network);
    const check = ({ status, body }: ServiceResponse) => {
      if (status === 200) this.#checkPayee(phrase, body.data);
      else if (status !== 404 && status !== 503) this.#violate(`a payee is answered with ${status}`);
      else if (status === 404 && customer !== undefined && !this.mayBeErased(customer.id))
        this.#violate('a payee is not found');
    };
    return { request, check };
  }

  #checkPayee(phrase: string, payee: Record<string, unknown>): void {
    this.payees.set(phrase, payee as { displayPicture: string | null });
    if (payee['phrase'] !== phrase) this.#violate('a payee is somebody else');
    if (Object.keys(payee).join() !== 'phrase,accountName,displayPicture,bankId,country')
      this.#violate('a payee has other fields than five');
  }

  async #batch(apiKey: string, foreign: boolean) {
    const bank = bankOf(apiKey);
    const owner = foreign ? otherBank(bank) : bank;
    const found = await (
      await this.#databaseOf(owner)
    )
      .prepare('SELECT id FROM batches WHERE bank_id = ? ORDER BY id')
      .bind(owner)
      .all<{ id: string }>();
    const id = this.#pickFrom(found.results)?.id;
    const what = this.#random.pick(['', '/failures', '/customers']);
    const request = toRequest('GET', `/v1/bank/customers/batches/${id ?? 'bat_unknown'}${what}`, apiKey);
    const expected = id === undefined || foreign ? 404 : 200;
    const check = ({ status }: ServiceResponse) => {
      if (status !== expected && status !== 503)
        this.#violate(`a read of a batch is a ${status} instead of a ${expected}`);
    };
    return { request, check };
  }

  async #anyCustomer(bank: string): Promise<Customer | undefined> {
    return this.#pickFrom(await this.customersOf(bank));
  }

  /** The customers that a bank has at the moment, the oldest first. */
  async customersOf(bank: string): Promise<Customer[]> {
    const db = await this.#databaseOf(bank);
    const { results } = await db
      .prepare('SELECT id, phrase, email FROM customers WHERE bank_id = ? ORDER BY id')
      .bind(bank)
      .all<Customer>();
    return results;
  }

  #pickFrom<Item>(items: Item[]): Item | undefined {
    return items.length === 0 ? undefined : this.#random.pick(items);
  }

  #checkEveryResponse({ status, body, text }: ServiceResponse): void {
    if (status === 500) this.#violate(`a 500: ${text}`);
    if (status >= 400 && text.includes(CANARY)) this.#violate('an error body holds personal data');
    if (status === 503 && body.code !== 'UNAVAILABLE')
      this.#violate('a 503 has another code than UNAVAILABLE');
  }

  #violate(violation: string): void {
    this.violations.push(violation);
  }
}

async function readResponse(response: Response): Promise<ServiceResponse> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
}

/** Returns the indexes of the rows that a response reports as accepted. */
export function acceptedIndexes(intent: PostIntent, { body }: ServiceResponse): number[] {
  const refused = new Set(body.data.failures.map(({ index }: { index: number }) => index));
  return intent.rows.map((_, index) => index).filter((index) => !refused.has(index));
}

export function emailOf(intent: PostIntent, index: number): string {
  return String(intent.rows[index]?.['email']).toLowerCase();
}

export function bankOf(apiKey: string): string {
  return apiKey === API_KEYS.other ? ACCRA : LAGOS;
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
