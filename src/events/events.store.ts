/** The event log in D1: the only statements on `events`. */
import { sql, type SQL } from 'drizzle-orm';
import type { Statement } from '../db/statements.ts';
import { MAX_EVENTS_LOOKED_AT, type EventType } from './event-types.ts';

export interface NewEvent {
  bankId: string;
  /** When it happens. An event is never older than the one in front of it, whatever the isolates' clocks say. */
  now: number;
  type: EventType | SQL<EventType>;
  /** Ids and counts in JSON: never a value of a customer. */
  data: string | SQL;
}

/**
 * Records an event if its change is about to happen. Must come before the change itself, in the same transaction, because
 * `rows` is about the state before it. Two rows written.
 * @param rows what follows the columns of a SELECT: `FROM … WHERE …`. It selects one row, or none for no event.
 */
export function insertEvent({ bankId, now, type, data }: NewEvent, rows: SQL): Statement[] {
  const newest = sql`(SELECT event_sequence FROM tenants WHERE bank_id = ${bankId})`;
  const before = sql`(SELECT created_at FROM events WHERE bank_id = ${bankId} AND sequence = ${newest})`;
  return [
    sql`INSERT INTO events (bank_id, sequence, type, data, created_at)
        SELECT ${bankId}, ${newest} + 1, ${type}, ${data}, max(${now}, coalesce(${before}, 0)) ${rows}`,
    // Follows the log, so that it needs no condition of its own.
    sql`UPDATE tenants SET event_sequence = event_sequence + 1 WHERE bank_id = ${bankId} AND EXISTS (
          SELECT 1 FROM events WHERE bank_id = tenants.bank_id AND sequence = tenants.event_sequence + 1)`,
  ];
}

/** The ends of a bank's log, as sequences. If it is empty, `oldest` is the one that comes next. */
export interface EventLog {
  newest: number;
  oldest: number;
}

/** Two rows read. */
export function selectEventLog(bankId: string): Statement<EventLog> {
  return sql<EventLog>`SELECT event_sequence AS newest, coalesce(${oldestOf(bankId)}, event_sequence + 1) AS oldest
      FROM tenants WHERE bank_id = ${bankId}`;
}

const oldestOf = (bankId: string): SQL =>
  sql`(SELECT sequence FROM events WHERE bank_id = ${bankId} ORDER BY sequence LIMIT 1)`;

export interface EventRow {
  sequence: number;
  type: EventType;
  /** JSON. */
  data: string;
  createdAt: number;
}

export interface EventQuery {
  /** The sequence after which to begin; undefined: with the oldest. */
  after: number | undefined;
  type: EventType | undefined;
  limit: number;
}

/** In order. Looks at MAX_EVENTS_LOOKED_AT events at most, so there may be more even if this returns fewer than `limit`. */
export function selectEvents(bankId: string, { after, type, limit }: EventQuery): Statement<EventRow> {
  const start = after === undefined ? sql`coalesce(${oldestOf(bankId)} - 1, 0)` : sql`${after}`;
  const ofType = type === undefined ? sql`true` : sql`type = ${type}`;
  return sql<EventRow>`SELECT sequence, type, data, created_at AS createdAt FROM events
      WHERE bank_id = ${bankId} AND sequence > ${start} AND sequence <= ${start} + ${MAX_EVENTS_LOOKED_AT}
        AND ${ofType}
      ORDER BY sequence LIMIT ${limit}`;
}
