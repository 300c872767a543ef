/**
 * Summarises the output of `wrangler dev`: one line for each request, warning and error; everything else is dropped.
 * Most of it comes from the Worker's own log lines, which are JSON from an allow-list and have no personal data. It
 * relies little on wrangler's own format: if that changes, a line is missing, and the server still works.
 */
import { stripVTControlCharacters } from 'node:util';

export interface Summary {
  kind: 'request' | 'fault';
  text: string;
}

/** A request for a file in dist/site, which the Worker does not see. Its path is not personal data. */
const PAGE = /^\[wrangler:info\] (GET|HEAD) (\/(?!v1\/|cdn-cgi\/)\S+) ([23]\d\d) .*\((\d+)ms\)$/;
const WORKER_LINE = /^(?:(▲|✘) \[\w+\] )?(\{"event":.*\})$/;
const FAULT = /^(?:\[wrangler:error\]|✘ \[ERROR\]) (.+)$/;

/** @returns undefined for a line that is dropped */
export function summarise(printed: string): Summary | undefined {
  const line = stripVTControlCharacters(printed).trim();
  const [, mark, json] = WORKER_LINE.exec(line) ?? [];
  if (json !== undefined) return summariseWorkerLine(json, mark);
  const [, method = '', path = '', status = '', milliseconds = ''] = PAGE.exec(line) ?? [];
  if (path !== '') return requestLine(method, path, status, milliseconds);
  const [, fault] = FAULT.exec(line) ?? [];
  return fault === undefined ? undefined : { kind: 'fault', text: `error  ${fault}` };
}

function summariseWorkerLine(json: string, mark: string | undefined): Summary | undefined {
  let line: Record<string, string | number | null>;
  try {
    line = JSON.parse(json);
  } catch {
    return undefined;
  }
  const { event, ...fields } = line;
  if (event === 'request') {
    const { method, route, status, milliseconds, code } = fields;
    return requestLine(`${method}`, `${route ?? '(unknown path)'}`, `${status}`, `${milliseconds}`, code);
  }
  if (mark === undefined) return undefined;
  const details = Object.entries(fields).filter(([, value]) => value !== null);
  const text = [mark === '▲' ? 'warning' : 'error', event, ...details.map((pair) => pair.join('='))].join(
    '  ',
  );
  return { kind: 'fault', text };
}

function requestLine(
  method: string,
  path: string,
  status: string,
  milliseconds: string,
  code: string | number | null = null,
): Summary {
  const text = `${method.padEnd(6)}  ${path}  ${status}${code === null ? '' : ` ${code}`}  ${milliseconds} ms`;
  return { kind: 'request', text };
}
