/**
 * Checks a deployed host end to end through its API (`npm run smoke -- --url …`). It creates three customers with unique
 * email addresses, and erases them whatever happens.
 */
import { randomUUID } from 'node:crypto';
import type { Batch, BatchReport, Change, Customer } from '@peere/client';
import {
  bookmarkOf,
  expectStatus,
  expectThat,
  type Envelope,
  MAX_RESPONSE_MS,
  send,
  type Host,
  type HostResponse,
} from './host.ts';

const CUSTOMERS = 3;
const DRY_RUN = 'a dry run';
const REPLAYED = 'the same Idempotency-Key gets the same response';
const UPDATED = 'the update is visible';
const LOGGED = 'the audit log has it';

/** For a batch of three: the queue may wait a second, and the sweep sends a lost message again after two minutes. */
const MAX_BATCH_MS = 180_000;
const POLL_INTERVAL_MS = 1_000;

/**
 * @returns the number of customers that were created and erased
 * @throws with one sentence for the first check that fails
 */
export async function checkHost(host: Host): Promise<number> {
  await checkAccess(host);
  const testCustomers = new TestCustomers(host);
  try {
    await checkCustomers(host, testCustomers);
  } finally {
    await testCustomers.erase();
  }
  return CUSTOMERS;
}

/** Checks that it is this service, that it works, and that the API key is valid. Writes nothing. */
async function checkAccess(host: Host): Promise<void> {
  const health = await send(host, 'GET /health', { key: null });
  if (health.headers.get('X-Request-Id')?.startsWith('req_') !== true) {
    throw new Error(
      `The server at ${host.url} is not this service: /health returned ${health.status}. Check --url.`,
    );
  }
  await expectStatus(host, 'the Worker runs', 200, 'GET /health', { key: null });
  const startedAt = performance.now();
  const deep = await send(host, 'GET /health?deep=1', { key: null });
  if (deep.status === 503) {
    const names = (deep.body.errors ?? []).map(({ field }) => field).join(', ');
    throw new Error(`The service runs, but these do not respond: ${names}.`);
  }
  host.passed('database, cache and queue respond', performance.now() - startedAt);
  const open = await expectStatus(host, 'without an API key: 401', 401, 'GET /v1/bank/customers', {
    key: null,
  });
  expectThat('without an API key: 401', open.body?.code === 'UNAUTHENTICATED');
  const listed = await send(host, 'GET /v1/bank/customers?limit=1');
  if (listed.status === 401) {
    throw new Error(
      `The API key is not valid at ${host.url}: it is mistyped, revoked, expired, or of another deployment.`,
    );
  }
  await expectStatus(host, 'the API key may read', 200, 'GET /v1/bank/customers?limit=1');
  await expectStatus(host, 'the API key may read the audit log', 200, 'GET /v1/bank/audit?limit=1');
  await expectStatus(host, 'the API key may erase', 404, 'DELETE /v1/bank/customer?id=cus_smoke_nobody');
  await expectStatus(host, 'an unknown path: 404', 404, 'GET /v1/bank/nothing');
}

/** The customers of one run, and the request that creates them. */
class TestCustomers {
  readonly #host: Host;
  readonly #idempotencyKey = randomUUID();
  readonly customers: Record<string, string>[];
  #sent = false;
  #left: string[] | undefined;

  constructor(host: Host) {
    this.#host = host;
    const run = `smoke-${this.#idempotencyKey.slice(0, 8)}`;
    this.customers = Array.from({ length: CUSTOMERS }, (_, number) => ({
      clientRef: `${run}-${number}`,
      firstname: 'Smoke',
      lastname: 'Test',
      accountName: `Smoke Test ${number}`,
      email: `${run}.${number}@example.com`,
      country: 'NG',
      accountNumber: '0000000000',
      reference: run,
    }));
  }

  get request() {
    return { body: { customers: this.customers }, headers: { 'Idempotency-Key': this.#idempotencyKey } };
  }

  async send(): Promise<HostResponse<Envelope<BatchReport>>> {
    this.#sent = true;
    const response = await expectStatus<Envelope<BatchReport>>(
      this.#host,
      'a batch is accepted',
      201,
      'POST /v1/bank/customers',
      this.request,
    );
    this.#left = response.body.data.data.customerIds;
    return response;
  }

  /** After a lost response: the same Idempotency-Key gets it again. A batch that was refused created nothing. */
  async #sendAgain(signal: AbortSignal): Promise<string[]> {
    const options = { ...this.request, signal };
    const { status, body } = await send<Partial<Envelope<BatchReport | null>>>(
      this.#host,
      'POST /v1/bank/customers',
      options,
    );
    if (status >= 500 || status === 409 || status === 429) throw new Error(`returned ${status}`);
    return body?.data?.data.customerIds ?? [];
  }

  /** Erases the remaining customers, also after Ctrl-C. @throws with those that must be erased by hand */
  async erase(): Promise<void> {
    if (!this.#sent) return;
    // Not the signal of the check, which may be aborted.
    const signal = AbortSignal.timeout(2 * MAX_RESPONSE_MS);
    try {
      this.#left ??= await this.#sendAgain(signal);
      for (const id of this.#left.slice()) {
        const { status } = await send(this.#host, `DELETE /v1/bank/customer?id=${id}`, { signal });
        if (status !== 200 && status !== 404) throw new Error(`returned ${status}`);
        this.#left = this.#left.filter((known) => known !== id);
      }
    } catch (error) {
      const emails = this.customers.map(({ email }) => email).join(', ');
      throw new Error(`These test customers may be left and must be erased by hand: ${emails}.`, {
        cause: error,
      });
    }
  }
}

async function checkCustomers(host: Host, testCustomers: TestCustomers): Promise<void> {
  const { request } = testCustomers;
  const dryRun = await expectStatus<Envelope<BatchReport>>(
    host,
    DRY_RUN,
    200,
    'POST /v1/bank/customers?dryRun=true',
    {
      body: request.body,
    },
  );
  expectThat(DRY_RUN, dryRun.body.data.summary.successful === CUSTOMERS);
  const accepted = await testCustomers.send();
  const { batchId, data } = accepted.body.data;
  const again = await expectStatus<Envelope<BatchReport>>(
    host,
    REPLAYED,
    201,
    'POST /v1/bank/customers',
    request,
  );
  expectThat(
    REPLAYED,
    again.body.data.batchId === batchId && again.headers.get('Idempotent-Replayed') === 'true',
  );
  await waitUntilCompleted(host, accepted.headers.get('Location') ?? '');
  const [id = ''] = data.customerIds;
  await checkLookups(host, id, testCustomers.customers[0]?.['email'] ?? '');
  await checkUpdate(host, id);
  const ids = data.customerIds.join(',');
  const listed = await expectStatus<Customer[]>(
    host,
    'the list has them',
    200,
    `GET /v1/bank/customers?ids=${ids}`,
  );
  expectThat('the list has them', listed.body.length === CUSTOMERS);
  await checkErasure(host, id);
}

async function waitUntilCompleted(host: Host, path: string): Promise<void> {
  const startedAt = performance.now();
  while (performance.now() - startedAt < MAX_BATCH_MS) {
    const { body } = await send<Partial<Envelope<Batch>>>(host, `GET ${path}`);
    if (body?.data?.status === 'COMPLETED') {
      host.passed('the queue processes them', performance.now() - startedAt);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
    host.signal.throwIfAborted();
  }
  throw new Error(
    `The batch was not completed within ${MAX_BATCH_MS / 1_000} s: check that the queue's consumer and the cron run.`,
  );
}

async function checkLookups(host: Host, id: string, email: string): Promise<void> {
  const byId = await expectStatus<Envelope<Customer>>(
    host,
    'found by id',
    200,
    `GET /v1/bank/customer?id=${id}`,
  );
  const phrase = encodeURIComponent(byId.body.data.phrase);
  const byEmail = await expectStatus<Envelope<Customer>>(
    host,
    'found by email',
    200,
    `GET /v1/bank/customer?email=${encodeURIComponent(email)}`,
  );
  const byPhrase = await expectStatus<Envelope<Customer>>(
    host,
    'found by phrase',
    200,
    `GET /v1/bank/customer?phrase=${phrase}`,
  );
  expectThat('found by phrase', byEmail.body.data.id === id && byPhrase.body.data.id === id);
}

async function checkUpdate(host: Host, id: string): Promise<void> {
  const path = '/v1/bank/customer';
  const { headers } = await send(host, `GET ${path}?id=${id}`);
  const body = { id, update: { accountName: 'Smoke Test Updated' } };
  await expectStatus(host, 'a stale If-Match: 412', 412, `PATCH ${path}`, {
    body,
    headers: { 'If-Match': '"stale"' },
  });
  const current = { 'If-Match': headers.get('ETag') ?? '' };
  const updated = await expectStatus(host, 'the current If-Match: updated', 200, `PATCH ${path}`, {
    body,
    headers: current,
  });
  const read = await expectStatus<Envelope<Customer>>(host, UPDATED, 200, `GET ${path}?id=${id}`, {
    headers: bookmarkOf(updated),
  });
  expectThat(UPDATED, read.body.data.accountName === body.update.accountName);
}

async function checkErasure(host: Host, id: string): Promise<void> {
  const erased = await expectStatus(host, 'one is erased', 200, `DELETE /v1/bank/customer?id=${id}`);
  const headers = bookmarkOf(erased);
  const customer = `/v1/bank/customer?id=${id}`;
  await expectStatus(host, 'it is no longer found', 404, `GET ${customer}`, { headers });
  const audit = `/v1/bank/audit?subject=${id}`;
  const log = await expectStatus<Envelope<Change[]>>(host, LOGGED, 200, `GET ${audit}`, { headers });
  const requests = log.body.data.map(({ requestId }) => requestId);
  expectThat(LOGGED, requests.includes(erased.headers.get('X-Request-Id') ?? ''));
}
