/**
 * `fetch` on top of Node's http module. The global `fetch` copies each body and wraps it in streams, which takes 40 MB:
 * more than the rest of an import.
 */
import { request as http, type IncomingMessage } from 'node:http';
import { request as https } from 'node:https';
import type { Fetch } from '@peere/client';
import { agentFor, explainProxyError, proxyFor } from './proxy.ts';

/** How long a proxy may take to open a tunnel, which no signal can end in Node 24. Less than the timeout of an attempt. */
const TUNNEL_TIMEOUT_MS = 8_000;

export const fetchByHttp: Fetch = (url, { method, headers, body, signal }) =>
  new Promise((resolve, reject) => {
    const { protocol, origin } = new URL(url);
    const proxy = proxyFor(protocol);
    const request = protocol === 'https:' ? https : http;
    const options = { method, headers, signal, agent: agentFor(protocol), timeout: TUNNEL_TIMEOUT_MS };
    const sent = request(url, options, (response) => {
      resolve({
        ok: response.statusCode !== undefined && response.statusCode >= 200 && response.statusCode < 300,
        status: response.statusCode ?? 0,
        headers: { get: (name) => headerOf(response, name) },
        text: () => readText(response),
      });
    });
    sent.on('error', (error) =>
      reject(proxy === undefined ? error : explainProxyError(error, proxy, origin)),
    );
    const stop = () => reject(signal.reason as Error);
    signal.addEventListener('abort', stop);
    // A timeout signal with a listener stays in memory until it fires, and the body with it: 30 s of bodies are 100 MB.
    sent.on('close', () => signal.removeEventListener('abort', stop));
    sent.end(body);
  });

function headerOf({ headers }: IncomingMessage, name: string): string | null {
  const value = headers[name.toLowerCase()];
  return (Array.isArray(value) ? value.join(', ') : value) ?? null;
}

async function readText(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const piece of response as AsyncIterable<string>) text += piece;
  return text;
}
