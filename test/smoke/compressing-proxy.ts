/**
 * A local proxy that does what Cloudflare does to responses without `no-transform`: it compresses JSON, and so turns each
 * strong ETag into a weak one.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';

export interface Proxy {
  url: string;
  close: () => Promise<void>;
}

/** Headers of a single connection, and those that are computed again. */
const NOT_FORWARDED = ['connection', 'content-length', 'content-encoding', 'host', 'transfer-encoding'];

/** @param upstream URL of the service, without a path */
export async function startCompressingProxy(upstream: string): Promise<Proxy> {
  const server = createServer((request, response) => {
    forward(upstream, request).then(
      ({ status, headers, body }) => response.writeHead(status, Object.fromEntries(headers)).end(body),
      (error: unknown) => response.writeHead(502).end(String(error)),
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function forward(upstream: string, request: IncomingMessage) {
  const requestHeaders = new Headers(request.headers as Record<string, string>);
  for (const name of NOT_FORWARDED) requestHeaders.delete(name);
  const sent = await buffer(request);
  const response = await fetch(upstream + request.url, {
    method: request.method ?? 'GET',
    headers: requestHeaders,
    ...(sent.length === 0 ? {} : { body: sent }),
  });
  const headers = new Headers(response.headers);
  for (const name of NOT_FORWARDED) headers.delete(name);
  const body = Buffer.from(await response.arrayBuffer());
  const isJson = headers.get('Content-Type')?.startsWith('application/json') === true;
  if (!isJson) return { status: response.status, headers, body };
  headers.set('Content-Encoding', 'gzip');
  const tag = headers.get('ETag');
  if (tag?.startsWith('"') === true) headers.set('ETag', `W/${tag}`);
  return { status: response.status, headers, body: gzipSync(body) };
}
