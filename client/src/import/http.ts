/**
 * `fetch` by Node's own http. The global one makes streams and copies of each body, and takes 40 MB for it: more than
 * the rest of an import.
 */
import { request as http, type IncomingMessage } from 'node:http';
import { request as https } from 'node:https';
import type { Fetch } from '../transport.ts';

export const fetchByHttp: Fetch = (url, { method, headers, body, signal }) =>
  new Promise((resolve, reject) => {
    const request = url.startsWith('https:') ? https : http;
    const sent = request(url, { method, headers, signal }, (response) => {
      resolve({
        ok: response.statusCode !== undefined && response.statusCode >= 200 && response.statusCode < 300,
        status: response.statusCode ?? 0,
        headers: { get: (name) => headerOf(response, name) },
        text: () => textOf(response),
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });

function headerOf({ headers }: IncomingMessage, name: string): string | null {
  const value = headers[name.toLowerCase()];
  return (Array.isArray(value) ? value.join(', ') : value) ?? null;
}

async function textOf(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const piece of response as AsyncIterable<string>) text += piece;
  return text;
}
