/**
 * Reads the event log of a bank, in the order of the commits. Promise: whoever reads on after the last event that it has
 * misses none and sees none twice; whoever is too late is told so.
 */
import type { LocatedBank } from '../databases/home.ts';
import type { Tenants } from '../databases/tenant.ts';
import { AppError, invalid } from '../errors.ts';
import { eventId, sequenceOf } from './event-id.ts';
import { EVENTS_KEPT_MS, MAX_EVENTS_LOOKED_AT, type EventType } from './event-types.ts';
import type { Event } from './events.responses.ts';
import { selectEventLog, selectEvents, type EventLog, type EventRow } from './events.store.ts';

export interface EventDeps {
  databases: Tenants;
}

export interface EventListQuery {
  /** Where to begin. */
  after: { id: string } | 'oldest' | 'latest';
  type?: EventType | undefined;
  limit: number;
}

export interface EventPage {
  events: Event[];
  /** The id after which to read on. */
  next: string;
  /** Are there more events already? */
  hasMore: boolean;
}

/**
 * One D1 call, which reads at most MAX_EVENTS_LOOKED_AT + 3 rows.
 * @throws a 400 if `after` is no event of this bank; EVENTS_EXPIRED if events after it are not kept any more
 */
export async function readEvents(
  { databases }: EventDeps,
  bank: LocatedBank,
  { after, type, limit }: EventListQuery,
): Promise<EventPage> {
  const { bankId } = bank;
  const from = typeof after === 'string' ? undefined : readAfter(bankId, after.id);
  const { log, rows } = await databases.tenantOf(bank).readPrimary({
    log: selectEventLog(bankId),
    rows: after === 'latest' ? [] : [selectEvents(bankId, { after: from, type, limit })],
  });
  const ends = log[0] ?? { newest: 0, oldest: 1 };
  if (from !== undefined) assertKept(bankId, from, ends);
  const start = after === 'latest' ? ends.newest : (from ?? ends.oldest - 1);
  const last = rows.length === limit ? rows.at(-1)?.sequence : undefined;
  const lookedAt = last ?? Math.min(start + MAX_EVENTS_LOOKED_AT, ends.newest);
  return {
    events: rows.map((row) => toEvent(bankId, row)),
    next: eventId(bankId, lookedAt),
    hasMore: lookedAt < ends.newest,
  };
}

/** @throws a 400 */
export function readAfter(bankId: string, id: string): number {
  const sequence = sequenceOf(bankId, id);
  if (sequence === undefined) throw unknownEvent();
  return sequence;
}

function unknownEvent(): AppError {
  return invalid('after', 'must be the id of an event of your bank; leave it out to begin anew');
}

const DAYS_KEPT = EVENTS_KEPT_MS / (24 * 3_600_000);

/** @throws a 400 for an event that is still to come; EVENTS_EXPIRED */
export function assertKept(bankId: string, after: number, { newest, oldest }: EventLog): void {
  if (after > newest) throw unknownEvent();
  if (after + 1 >= oldest) return;
  const kept = oldest > newest ? 'none is kept' : `the oldest is ${eventId(bankId, oldest)}`;
  const begin = eventId(bankId, oldest - 1);
  const message = `is older than ${DAYS_KEPT} days, and events after it are gone: ${kept}; to go on from there, use ${begin}`;
  throw new AppError('EVENTS_EXPIRED', { errors: [{ field: 'after', message }] });
}

export function toEvent(bankId: string, { sequence, type, data, createdAt }: EventRow): Event {
  return {
    id: eventId(bankId, sequence),
    type,
    createdAt: new Date(createdAt).toISOString(),
    data: JSON.parse(data),
  };
}
