/** A proxy between a client and the real server that forwards requests, or makes them fail. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the proxy does with a request. `loses` forwards it and drops the response; `stalls` never responds. */
export type Between = 'forwards' | 'fails' | 'loses' | 'stalls';

export interface Proxy {
  url: string;
  stop: () => Promise<void>;
}

/** @param decide called for each request */
export async function startBetween(
  target: string,
  decide: (method: string, path: string) => Between | Promise<Between>,
): Promise<Proxy> {
  const server = createServer((request, response) => void pass(target, decide, request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function pass(
  target: string,
  decide: (method: string, path: string) => Between | Promise<Between>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = 'GET', url = '/' } = request;
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const fate = await decide(method, url);
  if (fate === 'stalls') return;
  if (fate === 'fails') {
    response.writeHead(500).end('{}');
    return;
  }
  const { connection: _, host: __, 'content-length': ___, ...headers } = request.headers;
  const body = Buffer.concat(parts);
  const upstream = await fetch(target + url, {
    method,
    headers: headers as Record<string, string>,
    ...(body.length === 0 ? {} : { body }),
  });
  const text = await upstream.text();
  if (fate === 'loses') {
    request.socket.destroy();
    return;
  }
  const {
    'content-encoding': _1,
    'content-length': _2,
    'transfer-encoding': _3,
    ...kept
  } = Object.fromEntries(upstream.headers);
  response.writeHead(upstream.status, kept).end(text);
}
