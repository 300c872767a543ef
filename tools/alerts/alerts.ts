/** Selects the log lines that need somebody at once. docs/operations.md says what to do about each. */
import type { LogEvent } from '../../src/log-events.ts';

export const ALERTS: readonly LogEvent[] = [
  'batch_stalled',
  'dead_letter_failed',
  'dependency_unavailable',
  'field_key_missing',
  'payee_budget_used_up',
  'row_rejected',
  'sweep_failed',
  'unreadable_message',
];

/** The parts of a trace that are read: never the request, whose URL may contain an email address or a phrase. */
export type Trace = Pick<TraceItem, 'logs' | 'outcome'>;

/** @returns a text for each event that needs an alert */
export function alertsOf(traces: readonly Trace[]): Map<string, string> {
  const alerts = new Map<string, string>();
  for (const { logs, outcome } of traces) {
    // exceededCpu, exceededMemory and the like: the Worker was stopped before it could log anything.
    if (!['ok', 'canceled', 'responseStreamDisconnected'].includes(outcome)) alerts.set(outcome, outcome);
    for (const { message } of logs) {
      const line = readLine(message);
      if (line === undefined) continue;
      const { event, status } = line;
      if (event === 'request' && status === 500) alerts.set('500', JSON.stringify(line));
      if (ALERTS.includes(event as LogEvent)) alerts.set(String(event), JSON.stringify(line));
    }
  }
  return alerts;
}

/** Each log line of the service is one JSON text. */
function readLine(message: unknown): Record<string, unknown> | undefined {
  const text: unknown = Array.isArray(message) ? message[0] : message;
  if (typeof text !== 'string' || !text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
