/** What must be true of events and their deliveries after every seed. */
import type { BatchRow, State } from './invariants.ts';
import { ENDPOINTS, type Receivers, type SimulatedEndpoint } from './receivers.ts';

export interface StoredEvent {
  bank_id: string;
  sequence: number;
  type: string;
  data: string;
  created_at: number;
}

type ReportViolation = (violation: string) => void;

export function checkEvents(state: State, violate: ReportViolation): void {
  for (const { bank_id: id, event_sequence: newest } of state.banks) {
    const sequences = state.events.filter(({ bank_id }) => bank_id === id).map(({ sequence }) => sequence);
    if (sequences.some((sequence, index) => sequence !== index + 1) || sequences.length !== newest)
      violate('the event log has a gap');
  }
  for (const batch of state.batches) checkBatchEvents(state, batch, violate);
  checkCustomerEvents(state, violate);
}

/** A completed batch has one event, with its final counts. */
function checkBatchEvents({ events }: State, batch: BatchRow, violate: ReportViolation): void {
  const completions = events.filter(
    ({ bank_id, type, data }) =>
      bank_id === batch.bank_id && type === 'batch.completed' && JSON.parse(data).batchId === batch.id,
  );
  if (completions.length !== 1) return violate(`a completed batch has ${completions.length} events`);
  const { status, total, successful, failed } = JSON.parse(completions[0]?.data ?? '');
  const counts = [batch.status, batch.total, batch.created, batch.total - batch.created];
  if (JSON.stringify([status, total, successful, failed]) !== JSON.stringify(counts))
    violate('an event has other counts than its batch');
}

/** Every change in the audit log has one event, and every event its change: each update of a seed changes a value. */
function checkCustomerEvents({ events, audit }: State, violate: ReportViolation): void {
  const named = (rows: string[]) => rows.toSorted().join();
  const changes = (action: string) => audit.filter((row) => row.action === action);
  const ofType = (type: string) => events.filter((row) => row.type === type);
  const updates = changes('customer.updated').map(({ bank_id, request_id }) => `${bank_id} ${request_id}`);
  const updateEvents = ofType('customer.updated').map(
    ({ bank_id, data }) => `${bank_id} ${JSON.parse(data).revision}`,
  );
  const erasures = changes('customer.erased').map(({ bank_id, subject }) => `${bank_id} ${subject}`);
  const erasureEvents = ofType('customer.erased').map(
    ({ bank_id, data }) => `${bank_id} ${JSON.parse(data).customerId}`,
  );
  if (named(updates) !== named(updateEvents) || named(erasures) !== named(erasureEvents))
    violate('the events differ from the changes');
}

/** Every endpoint took every event that it wants, in order: it may have taken some again. */
export function checkDeliveries(state: State, receivers: Receivers, violate: ReportViolation): void {
  for (const violation of receivers.violations) violate(violation);
  for (const endpoint of ENDPOINTS) {
    const wanted = state.events
      .filter(({ bank_id, type }) => bank_id === endpoint.bank && endpoint.types.includes(type))
      .map((row) => bodyOf(endpoint, row));
    const taken = receivers.taken.get(endpoint.id) ?? [];
    if (taken.some((body) => !wanted.includes(body)))
      violate('an event was delivered that the bank does not have or want');
    const first = [...new Set(taken)];
    if (first.length < wanted.length) violate('an event was not delivered');
    else if (first.join() !== wanted.join()) violate('events were delivered out of order');
  }
}

function bodyOf({ bank }: SimulatedEndpoint, { sequence, type, data, created_at }: StoredEvent): string {
  const createdAt = new Date(created_at).toISOString();
  return JSON.stringify({ id: `evt_${bank}_${sequence}`, type, createdAt, data: JSON.parse(data) });
}
