/** What must be true after every seed. */
import type { FailureLimits } from '../../src/batches/failures.store.ts';
import { shardOfPhrase } from '../../src/databases/first-words.ts';
import { checkEvents, type StoredEvent } from './event-invariants.ts';
import { CANARY, type PostIntent } from './clients.ts';
import { acceptedIndexes, bankOf, emailOf, type Acknowledged, type Requests } from './requests.ts';
import { isOutdated } from './staleness.ts';
import type { World } from './world.ts';

interface CustomerRow {
  bank_id: string;
  shard: string;
  id: string;
  email: string;
  phrase: string;
  account_name: string;
  state: string | null;
  display_picture: string | null;
  client_ref: string;
}

export interface BatchRow {
  bank_id: string;
  id: string;
  status: string;
  total: number;
  duplicates: number;
  invalid: number;
  created: number;
  raced: number;
  rejected: number;
  failures_removed: number;
  created_at: number;
  first_customer_id: string | null;
  last_customer_id: string | null;
}

interface FailureRow {
  bank_id: string;
  batch_id: string;
  row_index: number;
}

interface ChunkRow {
  bank_id: string;
  batch_id: string;
  row_count: number;
  created: number;
  done_at: number | null;
  payload: string | null;
}

interface BankRow {
  bank_id: string;
  state: string;
  shard: string;
  customer_count: number;
  failure_count: number;
  failure_day: string;
  failure_day_count: number;
  event_sequence: number;
}

export interface State {
  customers: CustomerRow[];
  batches: BatchRow[];
  failures: FailureRow[];
  chunks: ChunkRow[];
  banks: BankRow[];
  retired: { phrase: string; bank_id: string | null; shard: string }[];
  audit: { bank_id: string; request_id: string; key_id: string | null; action: string; subject: string }[];
  events: StoredEvent[];
}

/** What both shards have, together: a row that is in both counts twice, and breaks an invariant. */
export async function readState({ SHARD_1, SHARD_2 }: Cloudflare.Env): Promise<State> {
  const tables = [
    'customers',
    'batches',
    'batch_failures',
    'batch_chunks',
    'tenants',
    'retired_phrases',
    'audit_log',
    'events',
  ];
  const [ofFirst, ofSecond] = await Promise.all(
    [SHARD_1, SHARD_2].map((db) => db.batch(tables.map((table) => db.prepare(`SELECT * FROM ${table}`)))),
  );
  const [customers, batches, failures, chunks, tenants, retired, audit, events] = tables.map((_, index) => [
    ...rowsOf(ofFirst?.[index], 'SHARD_1'),
    ...rowsOf(ofSecond?.[index], 'SHARD_2'),
  ]);
  const banks = (tenants as BankRow[]).filter(({ state }) => state === 'open');
  return { customers, batches, failures, chunks, banks, retired, audit, events } as unknown as State;
}

const rowsOf = (result: D1Result | undefined, shard: string) =>
  (result?.results ?? []).map((row) => ({ ...(row as object), shard }));

const BANK_COUNT = 2;

type ReportViolation = (violation: string) => void;

export function checkState(state: State, world: World, violate: ReportViolation): void {
  checkCustomers(state, violate);
  checkShards(state, world.requests, violate);
  for (const batch of state.batches) checkBatch(state, batch, world.requests, violate);
  for (const acknowledged of world.requests.acknowledged) {
    checkAcknowledged(state, acknowledged, world.requests, violate);
  }
  checkErasures(state, world.requests, violate);
  checkAudit(state, world.requests, violate);
  if (world.tenants.hasLateChange(state.audit))
    violate('a change that had failed before a move was made after it');
  checkEvents(state, violate);
  for (const bank of state.banks) checkFailureCounts(state, bank, world.limits, violate);
  const rejected = state.batches.reduce((sum, batch) => sum + batch.rejected, 0);
  if (rejected > world.corruptedRows) violate('a row that breaks no constraint is rejected');
  checkIdempotencyKeys(world.requests, violate);
  checkUpdates(state, world.requests, violate);
  checkSecrecy(world, violate);
}

function checkCustomers({ customers, banks, retired }: State, violate: ReportViolation): void {
  const identities = new Set(customers.map((row) => `${row.bank_id} ${row.email}`));
  if (identities.size !== customers.length) violate('two customers of a bank have one email');
  if (new Set(customers.map(({ phrase }) => phrase)).size !== customers.length)
    violate('two customers have one phrase');
  // One that its bank took along is the bank's still.
  const retiredPhrases = new Set(retired.filter((row) => row.bank_id === null).map(({ phrase }) => phrase));
  if (customers.some(({ phrase }) => retiredPhrases.has(phrase)))
    violate('a retired phrase was given to a customer');
  for (const { bank_id: id, customer_count } of banks) {
    const actual = customers.filter(({ bank_id }) => bank_id === id).length;
    if (actual !== customer_count) violate(`a bank counts ${customer_count} customers and has ${actual}`);
  }
}

/** A bank is open in one shard, its rows are whole there, and each phrase stays reserved in the shard that gave it. */
function checkShards(state: State, { erasures }: Requests, violate: ReportViolation): void {
  const { banks, customers, batches, failures, chunks, audit, events, retired } = state;
  const home = new Map(banks.map(({ bank_id, shard }) => [bank_id, shard]));
  if (banks.length !== BANK_COUNT || home.size !== BANK_COUNT)
    violate('a bank is not open in exactly one shard');
  const rows = [customers, batches, failures, chunks, audit, events].flat() as {
    bank_id: string;
    shard: string;
  }[];
  if (rows.some(({ bank_id, shard }) => home.get(bank_id) !== shard))
    violate('a bank has rows in a shard that it has left');
  const reserved = new Set(retired.map(({ phrase, shard }) => `${shard} ${phrase}`));
  for (const { phrase, shard } of customers) {
    const issuer = shardOfPhrase(phrase);
    if (issuer !== shard && !reserved.has(`${issuer} ${phrase}`))
      violate('a phrase is not retired in the shard that gave it');
  }
  for (const { acknowledgedAt, phrase } of erasures) {
    if (
      acknowledgedAt !== undefined &&
      phrase !== undefined &&
      !reserved.has(`${shardOfPhrase(phrase)} ${phrase}`)
    )
      violate('the phrase of an erased customer is free');
  }
}

/** The bank's counters of failures match its failures and are within its limits. */
function checkFailureCounts(
  { batches, chunks, failures }: State,
  bank: BankRow,
  limits: FailureLimits,
  violate: ReportViolation,
): void {
  const isOwn = (row: { bank_id: string }) => row.bank_id === bank.bank_id;
  const stored = failures.filter(isOwn).length;
  if (stored !== bank.failure_count)
    violate(`a bank counts ${bank.failure_count} failures and has ${stored}`);
  if (stored > limits.stored) violate('a bank exceeds its stored failures');
  const isOfDay = (time: number | null) => new Date(time ?? 0).toISOString().startsWith(bank.failure_day);
  const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0);
  const refused = sum(
    batches
      .filter((batch) => isOwn(batch) && isOfDay(batch.created_at))
      .map(({ duplicates, invalid }) => duplicates + invalid),
  );
  const late = sum(
    chunks
      .filter((chunk) => isOwn(chunk) && isOfDay(chunk.done_at))
      .map(({ row_count, created }) => row_count - created),
  );
  if (refused > limits.perDay) violate('a bank exceeds its refused rows per day');
  if (refused + late !== bank.failure_day_count)
    violate(`a bank counts ${bank.failure_day_count} failures of the day and has ${refused + late}`);
}

function checkBatch(
  { customers, failures, chunks }: State,
  batch: BatchRow,
  requests: Requests,
  violate: ReportViolation,
): void {
  const isOwn = (row: { bank_id: string; batch_id: string }) =>
    row.bank_id === batch.bank_id && row.batch_id === batch.id;
  const failed = failures.filter(isOwn).length + batch.failures_removed;
  const own = chunks.filter(isOwn);
  const [first, last] = [batch.first_customer_id ?? '', batch.last_customer_id ?? ''];
  const created = customers.filter(
    ({ bank_id, id }) => bank_id === batch.bank_id && id >= first && id <= last,
  ).length;
  if (!['COMPLETED', 'COMPLETED_WITH_FAILURES'].includes(batch.status))
    violate(`a batch stays ${batch.status}`);
  if ((batch.status === 'COMPLETED') !== (failed === 0)) violate('a status does not fit the failures');
  const missing = batch.created - created;
  if (missing < 0 || missing > maxErased(batch, requests))
    violate('a batch counts customers that it did not create');
  if (failed !== batch.duplicates + batch.invalid + batch.raced + batch.rejected) {
    violate('a batch counts failures that it does not have');
  }
  if (batch.created + failed !== batch.total)
    violate(`a batch has ${batch.total} rows, but ${batch.created} customers and ${failed} failures`);
  if (
    own.reduce((sum, chunk) => sum + chunk.row_count, 0) !==
    batch.total - batch.duplicates - batch.invalid
  ) {
    violate('a batch lacks some of its chunks');
  }
  if (own.some(({ payload }) => payload !== null)) violate('a chunk keeps its payload');
}

/** Returns how many customers of a batch may be missing because an erasure of them was requested. */
function maxErased(batch: BatchRow, { acknowledged, erasures }: Requests): number {
  const emails = new Set(erasures.filter(({ bank }) => bank === batch.bank_id).map(({ email }) => email));
  const acceptance = acknowledged.find(({ response }) => response.body.data.batchId === batch.id);
  // Only a response tells which rows were accepted.
  if (acceptance === undefined) return emails.size;
  const { intent, response } = acceptance;
  return acceptedIndexes(intent, response).filter((index) => emails.has(emailOf(intent, index))).length;
}

/** Every customer id in a response is a customer or a failure and not both, unless it was erased. */
function checkAcknowledged(
  state: State,
  { intent, response }: Acknowledged,
  { erasures }: Requests,
  violate: ReportViolation,
): void {
  const { batchId, data } = response.body.data;
  const bank = bankOf(intent.apiKey);
  const batch = state.batches.find(({ id }) => id === batchId);
  const accepted = acceptedIndexes(intent, response);
  if (accepted.length !== data.customerIds.length)
    violate('the ids and failures of a response do not add up');
  for (const [position, id] of (data.customerIds as string[]).entries()) {
    const index = accepted[position] ?? -1;
    const customer = state.customers.find((row) => row.bank_id === bank && row.id === id);
    const failure = state.failures.some(
      (row) => row.bank_id === bank && row.batch_id === batchId && row.row_index === index,
    );
    if (customer !== undefined && failure) violate('a row is both a customer and a failure');
    const email = emailOf(intent, index);
    const mayBeGone = erasures.some((attempt) => attempt.bank === bank && attempt.email === email);
    const wasRemoved = (batch?.failures_removed ?? 0) > 0;
    if (customer === undefined && !failure && !mayBeGone && !wasRemoved)
      violate('an acknowledged row is lost');
    if (customer !== undefined && customer.client_ref !== intent.rows[index]?.['clientRef']) {
      violate('an id belongs to the customer of another row');
    }
    if (customer !== undefined && customer.account_name !== intent.rows[index]?.['accountName']) {
      violate('a customer was overwritten');
    }
  }
}

/** An erased person is not a customer under any id that was given out before. */
function checkErasures({ customers }: State, { erasures }: Requests, violate: ReportViolation): void {
  for (const { bank, id, others } of erasures.filter((attempt) => attempt.acknowledgedAt !== undefined)) {
    const back = customers.some((row) => row.bank_id === bank && (row.id === id || others.includes(row.id)));
    if (back) violate('an erased customer is back');
  }
}

/** Every acknowledged change is in the audit log with its request, and every row has an API key. */
function checkAudit({ audit }: State, { changes }: Requests, violate: ReportViolation): void {
  const logged = new Set(audit.map(({ bank_id, request_id }) => `${bank_id} ${request_id}`));
  if (changes.some(({ bank, requestId }) => !logged.has(`${bank} ${requestId}`)))
    violate('a change is not in the audit log');
  // The service itself disables webhooks.
  if (audit.some(({ key_id, action }) => key_id === null && action !== 'webhook.disabled'))
    violate('a change has no API key');
}

/** Every response to the same Idempotency-Key and body names the same batch. */
function checkIdempotencyKeys({ acknowledged }: Requests, violate: ReportViolation): void {
  const batches = new Map<string, string>();
  const bodies = new Map<string, PostIntent>();
  for (const { intent, response } of acknowledged) {
    if (intent.idempotencyKey === null) continue;
    const key = `${intent.apiKey} ${intent.idempotencyKey}`;
    const { batchId } = response.body.data;
    if ((batches.get(key) ?? batchId) !== batchId) violate('one Idempotency-Key has two batches');
    if (JSON.stringify((bodies.get(key) ?? intent).rows) !== JSON.stringify(intent.rows)) {
      violate('one Idempotency-Key has two bodies');
    }
    batches.set(key, batchId);
    bodies.set(key, intent);
  }
}

/** An acknowledged update is stored, unless another update replaced it. */
function checkUpdates({ customers }: State, { updates }: Requests, violate: ReportViolation): void {
  for (const { id, state } of customers) {
    if (isOutdated(updates, id, state, Infinity)) violate('an update was lost');
  }
}

function checkSecrecy({ log, queue, webhookQueue }: World, violate: ReportViolation): void {
  if (log.some((line) => line.includes(CANARY))) violate('a log line holds personal data');
  if ([...queue.sentTexts, ...webhookQueue.sentTexts].some((message) => message.includes(CANARY)))
    violate('a message holds personal data');
}

interface BatchProgress {
  id: string;
  status: string;
  created: number;
  failed: number;
}

interface EndpointProgress {
  id: string;
  position: number;
}

/** Checks that counts of batches and positions of webhooks only grow, and that completed batches stay completed. */
export class Progress {
  readonly #positions = new Map<string, number>();
  readonly #seen = new Map<string, { status: string; created: number; failed: number }>();
  readonly #violate: ReportViolation;

  constructor(violate: ReportViolation) {
    this.#violate = violate;
  }

  /** Of each bank where it is open: the copies of a move begin with nothing. */
  async sample({ SHARD_1, SHARD_2 }: Cloudflare.Env): Promise<void> {
    const isOpen = "bank_id IN (SELECT bank_id FROM tenants WHERE state = 'open')";
    const select = (db: D1Database) =>
      db.batch([
        db.prepare(`SELECT id, status, created, raced + rejected AS failed FROM batches WHERE ${isOpen}`),
        db.prepare(`SELECT id, position FROM webhook_endpoints WHERE ${isOpen}`),
      ]);
    for (const [batches, endpoints] of await Promise.all([select(SHARD_1), select(SHARD_2)])) {
      this.#checkBatches((batches?.results ?? []) as BatchProgress[]);
      this.#checkEndpoints((endpoints?.results ?? []) as EndpointProgress[]);
    }
  }

  #checkBatches(batches: BatchProgress[]): void {
    for (const { id, ...now } of batches) {
      const before = this.#seen.get(id) ?? now;
      const completed = before.status.startsWith('COMPLETED');
      if (completed && now.status !== before.status) this.#violate('a completed batch was opened again');
      if (now.created < before.created || now.failed < before.failed) this.#violate('a batch went backwards');
      this.#seen.set(id, now);
    }
  }

  #checkEndpoints(endpoints: EndpointProgress[]): void {
    for (const { id, position } of endpoints) {
      if (position < (this.#positions.get(id) ?? 0)) this.#violate('a webhook went backwards');
      this.#positions.set(id, position);
    }
  }
}
