/**
 * Delivers events to one endpoint: in order, at least once, one request at a time. An endpoint has a position in its bank's
 * log. A step sends what comes after it, and moves it only after the receiver has answered. Whatever is lost in between is
 * sent again, with the same id.
 */
import { describeCause, TenantNotOpenError } from '../db/errors.ts';
import { bankOf } from '../databases/message.ts';
import type { Tenant, Tenants } from '../databases/tenant.ts';
import { WRITE_DEADLINE_MS } from '../db/statements.ts';
import { MAX_EVENTS_LOOKED_AT, type DisabledReason } from '../events/event-types.ts';
import { toEvent } from '../events/events.service.ts';
import type { EventLog, EventRow } from '../events/events.store.ts';
import { wakeEndpoints, type EndpointPointer, type WakeDeps } from '../events/webhook-queue.ts';
import { createId } from '../lib/ids.ts';
import type { Runtime } from '../runtime.ts';
import {
  claimEndpointStatements,
  disableEndpointStatements,
  moveEndpoint,
  postponeEndpoint,
  type ClaimedEndpoint,
  type Failure,
  type Held,
} from './delivery.store.ts';
import { RECEIVER_DEADLINE_MS, sendToReceiver, type Attempt, type SendDeps } from './receiver.ts';
import { CRON_INTERVAL_MS, DISABLED_AFTER_MS, retryDelayMs } from './retries.ts';

export interface DeliveryDeps extends WakeDeps, SendDeps {
  databases: Tenants;
  runtime: Pick<Runtime, 'now' | 'random' | 'timer' | 'fetch' | 'log'>;
}

/** Long enough for one request and the write of its result, each with its deadline. Renewed with each result. */
const LEASE_MS = RECEIVER_DEADLINE_MS + WRITE_DEADLINE_MS + 10_000;
/** The platform gives work after an event 30 s. A request that begins before this ends well within them. */
const MAX_SENDING_MS = 15_000;

/** GONE (RFC 9110, 15.5.11): the receiver will never be back. */
const GONE = 410;

/** One deliverer at work. */
interface Delivery {
  deps: DeliveryDeps;
  tenant: Tenant;
  pointer: EndpointPointer;
  lease: string;
  startedAt: number;
  endpoint: ClaimedEndpoint;
  log: EventLog;
  events: EventRow[];
}

/**
 * Sends what an endpoint is due, at most `maxRequests` events, and wakes it again if there is more. Three D1 queries and
 * one row written to claim it, and one row written for each event. Never rejects: what fails is found by the cron.
 */
export async function deliverToEndpoint(
  deps: DeliveryDeps,
  pointer: EndpointPointer,
  maxRequests: number,
): Promise<void> {
  try {
    const delivery = await claim(deps, pointer, maxRequests);
    if (delivery !== undefined) await deliver(delivery, maxRequests);
  } catch (error) {
    // Its bank is moving, or has moved: the cron finds the endpoint where it is then.
    if (error instanceof TenantNotOpenError) return;
    const { bankId: bank, endpointId: webhook } = pointer;
    const cause = describeCause(error);
    deps.runtime.log('warn', { event: 'webhook_delivery_interrupted', bank, webhook, cause });
  }
}

/** @returns undefined if it is not due: there is nothing to send, it waits for a retry, or somebody else is sending */
async function claim(
  deps: DeliveryDeps,
  pointer: EndpointPointer,
  maxEvents: number,
): Promise<Delivery | undefined> {
  const startedAt = deps.runtime.now();
  const lease = createId('dlv', deps.runtime);
  const claimed = { ...pointer, lease, now: startedAt, leaseUntil: startedAt + LEASE_MS };
  const statements = claimEndpointStatements(claimed, maxEvents);
  const tenant = deps.databases.tenantOf(bankOf(pointer));
  const { endpoint, log, events } = await tenant.write(statements);
  if (endpoint[0] === undefined || log[0] === undefined) return undefined;
  return { deps, tenant, pointer, lease, startedAt, endpoint: endpoint[0], log: log[0], events };
}

async function deliver(delivery: Delivery, maxRequests: number): Promise<void> {
  const { deps, tenant, pointer, lease, startedAt, endpoint, log, events } = delivery;
  if (endpoint.position + 1 < log.oldest) return disable(delivery, endpoint.position, 'EVENTS_EXPIRED', null);
  // If no more events match, the position moves over all that were looked at.
  const lookedAt = Math.min(endpoint.position + MAX_EVENTS_LOOKED_AT, log.newest);
  const steps = events.length === 0 ? [undefined] : events;
  let { position } = endpoint;
  let leaseUntil = startedAt + LEASE_MS;
  for (const [index, event] of steps.entries()) {
    // The answer of D1 came late: the lease would end before the receiver answers.
    if (deps.runtime.now() > leaseUntil - RECEIVER_DEADLINE_MS) return;
    const attempt = event && (await send(delivery, event));
    if (attempt?.delivered === false) return postponeOrDisable(delivery, position, attempt);
    const now = deps.runtime.now();
    const isLast = index === steps.length - 1;
    const isDone = isLast || now - startedAt > MAX_SENDING_MS;
    leaseUntil = isDone ? 0 : now + LEASE_MS;
    const next = event === undefined || (isLast && events.length < maxRequests) ? lookedAt : event.sequence;
    const [moved] = await tenant.write([
      moveEndpoint(
        { ...pointer, lease, position },
        {
          position: next,
          leaseUntil,
          sent: attempt?.statusCode == null ? null : { at: now, status: attempt.statusCode },
        },
      ),
    ]);
    // Somebody else has the endpoint by now, or it was changed.
    if (moved[0] === undefined) return;
    if (isDone) return moved[0].isBehind === 1 ? wakeEndpoints(deps, tenant.home, [pointer]) : undefined;
    position = next;
  }
}

async function send({ deps, pointer, endpoint }: Delivery, row: EventRow): Promise<Attempt> {
  const { bankId, endpointId } = pointer;
  const event = toEvent(bankId, row);
  const attempt = await sendToReceiver(deps, { ...endpoint, bankId, id: endpointId }, event);
  const { delivered, statusCode, milliseconds } = attempt;
  deps.runtime.log(delivered ? 'info' : 'warn', {
    event: delivered ? 'webhook_delivered' : 'webhook_attempt_failed',
    bank: bankId,
    webhook: endpointId,
    sequence: row.sequence,
    // The rest of the URL may hold a secret.
    host: new URL(endpoint.url).hostname,
    status: statusCode,
    milliseconds,
  });
  return attempt;
}

async function postponeOrDisable(
  delivery: Delivery,
  position: number,
  { statusCode }: Attempt,
): Promise<void> {
  const { deps, tenant, pointer, lease, endpoint } = delivery;
  const now = deps.runtime.now();
  const failure = { at: now, status: statusCode };
  if (statusCode === GONE) return disable(delivery, position, 'GONE', failure);
  // A success of this delivery has ended the failures from before.
  const isFirst = position > endpoint.position;
  const failingSince = isFirst ? now : (endpoint.failingSince ?? now);
  if (now - failingSince >= DISABLED_AFTER_MS) return disable(delivery, position, 'FAILING', failure);
  const delayMs = retryDelayMs(isFirst ? 0 : endpoint.failures, deps.runtime.random);
  const postponed = postponeEndpoint({ ...pointer, lease, position }, failure, now + delayMs);
  await tenant.write([postponed]);
  // A later one is the cron's.
  if (delayMs < CRON_INTERVAL_MS)
    await wakeEndpoints(deps, tenant.home, [pointer], Math.ceil(delayMs / 1_000));
}

async function disable(
  { deps, tenant, pointer, lease }: Delivery,
  position: number,
  reason: DisabledReason,
  failure: Failure | null,
): Promise<void> {
  const held: Held = { ...pointer, lease, position };
  const statements = disableEndpointStatements(held, deps.runtime.now(), reason, failure);
  const { disabled, due } = await tenant.write(statements);
  if (disabled.length > 0) {
    const { bankId: bank, endpointId: webhook } = pointer;
    deps.runtime.log('warn', { event: 'webhook_disabled', bank, webhook, reason });
  }
  await wakeEndpoints(deps, tenant.home, due);
}
