/** The webhook endpoints of a bank: created, changed, tested and enabled by the bank itself. Free of HTTP. */
import { sealField } from '../crypto/field-cipher.ts';
import type { ActingCaller } from '../api-keys/caller.ts';
import type { LocatedBank } from '../databases/home.ts';
import type { Tenant, Tenants } from '../databases/tenant.ts';
import { AppError, tooMany } from '../errors.ts';
import { eventId } from '../events/event-id.ts';
import { assertKept, readAfter } from '../events/events.service.ts';
import { selectEventLog } from '../events/events.store.ts';
import { wakeEndpoints, type WakeDeps } from '../events/webhook-queue.ts';
import { createId } from '../lib/ids.ts';
import type { Runtime } from '../runtime.ts';
import { sendToReceiver, WEBHOOK_SECRET, type Attempt, type SendDeps } from './receiver.ts';
import { normaliseReceiverUrl } from './receiver-url.ts';
import { MIN_INTERVAL_MS } from './retries.ts';
import { createSecret } from './signature.ts';
import type { WebhookUpdate } from './webhooks.requests.ts';
import type { Webhook } from './webhooks.responses.ts';
import {
  claimTestStatements,
  deleteEndpointStatements,
  enableEndpointStatements,
  insertEndpointStatements,
  rotateSecretStatements,
  selectEndpoint,
  selectEndpoints,
  updateEndpointStatements,
  type EndpointRow,
} from './webhooks.store.ts';

/** Endpoints of one bank: each is asked for by whatever records an event. */
export const MAX_ENDPOINTS = 20;
/** How long the previous secret signs too, so that receivers can be changed one by one. */
export const SECRETS_OVERLAP_MS = 24 * 3_600_000;

export interface WebhookDeps extends WakeDeps, SendDeps {
  databases: Tenants;
  runtime: Pick<Runtime, 'now' | 'random' | 'timer' | 'fetch' | 'log'>;
  /** Work that the response does not wait for. */
  runAfterResponse: (work: Promise<void>) => void;
}

export async function readWebhooks({ databases }: WebhookDeps, bank: LocatedBank): Promise<Webhook[]> {
  const { bankId } = bank;
  const [rows] = await databases.tenantOf(bank).readPrimary([selectEndpoints(bankId)]);
  return rows.map((row) => toView(bankId, row));
}

/** @throws WEBHOOK_NOT_FOUND, the same for an unknown and for another bank's */
export async function readWebhook(
  { databases }: WebhookDeps,
  bank: LocatedBank,
  id: string,
): Promise<Webhook> {
  const [rows] = await databases.tenantOf(bank).readPrimary([selectEndpoint(bank.bankId, id)]);
  return toFoundView(bank.bankId, rows);
}

/** @throws WEBHOOK_LIMIT_REACHED */
export async function createWebhook(
  deps: WebhookDeps,
  actor: ActingCaller,
  { url, types }: { url: string; types: readonly string[] },
): Promise<Webhook & { secret: string }> {
  const { runtime } = deps;
  const id = createId('whk', runtime);
  const { secret, sealed } = await makeSecret(deps, actor.bankId, id);
  const endpoint = { id, url: normaliseReceiverUrl(url), types, secret: sealed };
  const statements = insertEndpointStatements(actor, runtime.now(), endpoint, MAX_ENDPOINTS);
  const [row] = (await deps.databases.tenantOf(actor).writeRepeatable(statements)).endpoint;
  if (row === undefined) {
    const message = `your bank has ${MAX_ENDPOINTS} already; delete one, or add the types to one`;
    throw new AppError('WEBHOOK_LIMIT_REACHED', { errors: [{ field: 'url', message }] });
  }
  return { ...toView(actor.bankId, row), secret };
}

/** @throws WEBHOOK_NOT_FOUND */
export async function updateWebhook(
  deps: WebhookDeps,
  actor: ActingCaller,
  id: string,
  { url, types }: WebhookUpdate,
): Promise<Webhook> {
  const tenant = deps.databases.tenantOf(actor);
  const update = { url: url === undefined ? undefined : normaliseReceiverUrl(url), types };
  const statements = updateEndpointStatements(actor, deps.runtime.now(), id, update);
  return change(deps, tenant, id, await tenant.writeRepeatable(statements));
}

/** @throws WEBHOOK_NOT_FOUND */
export async function deleteWebhook(deps: WebhookDeps, actor: ActingCaller, id: string): Promise<void> {
  const statements = deleteEndpointStatements(actor, deps.runtime.now(), id);
  const { change: made } = await deps.databases.tenantOf(actor).writeRepeatable(statements);
  if (made.length === 0) throw new AppError('WEBHOOK_NOT_FOUND');
}

/**
 * Enables an endpoint, or has one that is failing tried soon.
 * @param after id of an event to go on after, for example one that the receiver cannot digest; undefined: where it is
 * @throws WEBHOOK_NOT_FOUND, a 400 for an event that is not the bank's, EVENTS_EXPIRED
 */
export async function enableWebhook(
  deps: WebhookDeps,
  actor: ActingCaller,
  id: string,
  after: string | undefined,
): Promise<Webhook> {
  const { bankId } = actor;
  const tenant = deps.databases.tenantOf(actor);
  const given = after === undefined ? undefined : readAfter(bankId, after);
  const found = await tenant.readPrimary({
    log: selectEventLog(bankId),
    endpoint: selectEndpoint(bankId, id),
  });
  const [endpoint] = found.endpoint;
  const [log] = found.log;
  if (endpoint === undefined || log === undefined) throw new AppError('WEBHOOK_NOT_FOUND');
  assertKept(bankId, given ?? endpoint.position, log);
  const statements = enableEndpointStatements(actor, deps.runtime.now(), id, given);
  return change(deps, tenant, id, await tenant.writeRepeatable(statements));
}

/** @returns the new secret; the one before signs too for SECRETS_OVERLAP_MS. @throws WEBHOOK_NOT_FOUND */
export async function rotateSecret(
  deps: WebhookDeps,
  actor: ActingCaller,
  id: string,
): Promise<Webhook & { secret: string }> {
  const { secret, sealed } = await makeSecret(deps, actor.bankId, id);
  const now = deps.runtime.now();
  const statements = rotateSecretStatements(actor, now, id, sealed, now + SECRETS_OVERLAP_MS);
  const { endpoint } = await deps.databases.tenantOf(actor).writeRepeatable(statements);
  return { ...toFoundView(actor.bankId, endpoint), secret };
}

/**
 * Sends a `ping`, whether the endpoint is enabled or not. Its position stays.
 * @throws WEBHOOK_NOT_FOUND; RATE_LIMITED within MIN_INTERVAL_MS of the last test
 */
export async function testWebhook(deps: WebhookDeps, bank: LocatedBank, id: string): Promise<Attempt> {
  const { runtime } = deps;
  const { bankId } = bank;
  const now = runtime.now();
  const statements = claimTestStatements(bankId, id, now, MIN_INTERVAL_MS);
  const { claimed, found } = await deps.databases.tenantOf(bank).writeOnce(statements);
  const [receiver] = claimed;
  if (found[0] === undefined) throw new AppError('WEBHOOK_NOT_FOUND');
  if (receiver === undefined) {
    const seconds = Math.max(Math.ceil((found[0].testedAt + MIN_INTERVAL_MS - now) / 1_000), 1);
    throw tooMany(seconds, 'webhookId', 'was tested a moment ago; wait, and test it again');
  }
  const ping = {
    id: createId('png', runtime),
    type: 'ping',
    createdAt: new Date(now).toISOString(),
    data: { webhookId: id },
  };
  return sendToReceiver(deps, { ...receiver, bankId, id }, ping);
}

/** Ends a change that may have made the endpoint due. */
function change(
  deps: WebhookDeps,
  { bankId, home }: Tenant,
  endpointId: string,
  { endpoint }: { endpoint: EndpointRow[] },
): Webhook {
  const view = toFoundView(bankId, endpoint);
  const [{ nextAttemptAt, leaseUntil } = { nextAttemptAt: 0, leaseUntil: 0 }] = endpoint;
  const waitMs = Math.max(nextAttemptAt, leaseUntil) - deps.runtime.now();
  if (view.status === 'ENABLED' && view.lag > 0) {
    const seconds = Math.max(Math.ceil(waitMs / 1_000), 0);
    deps.runAfterResponse(wakeEndpoints(deps, home, [{ bankId, endpointId }], seconds));
  }
  return view;
}

async function makeSecret({ fieldKey, runtime }: WebhookDeps, bankId: string, id: string) {
  const secret = createSecret(runtime.random);
  const sealed = await sealField(await fieldKey(), { bankId, ownerId: id, field: WEBHOOK_SECRET }, secret);
  return { secret, sealed };
}

function toFoundView(bankId: string, [row]: EndpointRow[]): Webhook {
  if (row === undefined) throw new AppError('WEBHOOK_NOT_FOUND');
  return toView(bankId, row);
}

const toTime = (time: number | null) => (time === null ? null : new Date(time).toISOString());

function toView(bankId: string, row: EndpointRow): Webhook {
  const lag = row.newest - row.position;
  const waits = row.status === 'ENABLED' && lag > 0;
  return {
    id: row.id,
    url: row.url,
    types: JSON.parse(row.types) as Webhook['types'],
    status: row.status,
    createdAt: new Date(row.createdAt).toISOString(),
    disabledAt: toTime(row.disabledAt),
    disabledReason: row.disabledReason,
    position: eventId(bankId, row.position),
    lag,
    lastAttemptAt: toTime(row.lastAttemptAt),
    lastStatusCode: row.lastStatus,
    failingSince: toTime(row.failingSince),
    // 0: as soon as there is something to send.
    nextAttemptAt: waits && row.nextAttemptAt > 0 ? toTime(row.nextAttemptAt) : null,
    previousSecretUntil: toTime(row.previousSecretUntil),
  };
}
