/** docs/operations.md explains every log event, and the tail Worker alerts on the urgent ones. */
import { describe, expect, it } from 'vitest';
import operations from '../docs/operations.md?raw';
import wranglerToml from '../wrangler.toml?raw';
import { LOG_EVENTS } from '../src/log-events.ts';
import { ALERTS, alertsOf, type Trace } from '../tools/alerts/alerts.ts';
import { sentCustomers } from './support/customers.ts';
import { Service, type LogLine } from './support/service.ts';

/** Rows of the table of events. */
const runbook = [...operations.matchAll(/^\| `(\w+)` +\| (now|today|no) +\| (.+?) +\| (.+?) +\|$/gm)].map(
  ([, event = '', urgency, meaning, whatToDo]) => ({ event, urgency, meaning, whatToDo }),
);

/** The form in which the platform passes log lines to a tail Worker. */
const traceOf = (lines: LogLine[], outcome = 'ok'): Trace => ({
  outcome,
  logs: lines.map((line) => ({ timestamp: 0, level: 'error', message: [JSON.stringify(line)] })),
});

describe('docs/operations.md', () => {
  it('says what every event means, how urgent it is and what to do, and has no other event', () => {
    expect(runbook.map(({ event }) => event).toSorted()).toEqual([...LOG_EVENTS].toSorted());
    for (const { meaning, whatToDo } of runbook) expect([meaning, whatToDo]).not.toContain('');
  });

  it('marks as urgent the events that the tail Worker alerts on', () => {
    const urgent = runbook.filter(({ urgency }) => urgency === 'now').map(({ event }) => event);
    expect(urgent.toSorted()).toEqual([...ALERTS].toSorted());
  });
});

describe('the tail Worker', () => {
  it('alerts once when the field key is missing, and not on the refused batch', async () => {
    const service = new Service(() => ({ FIELD_KEY_1: undefined }));
    expect((await service.post(sentCustomers(1))).status).toBe(503);
    expect([...alertsOf([traceOf(service.log)]).keys()]).toEqual(['field_key_missing']);
  });

  it('alerts on a 500 and on an invocation that the platform ended', () => {
    const line = { event: 'request', status: 500, requestId: 'req_1' };
    const alerts = alertsOf([traceOf([line]), traceOf([], 'exceededCpu')]);
    expect([...alerts.keys()]).toEqual(['500', 'exceededCpu']);
    expect(alerts.get('500')).toContain('req_1');
  });

  it('does not alert on ordinary events or on lines of other programs', () => {
    const usual = [
      { event: 'request', status: 200 },
      { event: 'request', status: 404 },
      { event: 'chunk_done' },
    ];
    const foreign = { outcome: 'ok', logs: [{ timestamp: 0, level: 'log', message: ['{not JSON'] }] };
    expect(alertsOf([traceOf(usual), foreign, traceOf([], 'canceled')]).size).toBe(0);
  });
});

describe('the platform’s own logs', () => {
  /** Settings of one table of wrangler.toml. */
  const settings = (table: string) =>
    wranglerToml.split(/^\[/m).find((text) => text.replace('env.production.', '').startsWith(`${table}]`)) ??
    '';

  it.each([
    ['observability', 'redact_query_string = true'],
    ['observability.logs', 'invocation_logs = false'],
    ['observability.traces', 'enabled = false'],
  ])('are without URLs because of [%s] %s', (table, setting) => {
    expect(settings(table)).toContain(`\n${setting}`);
    expect(operations).toContain(`\`${table}.${setting}\``);
  });
});
