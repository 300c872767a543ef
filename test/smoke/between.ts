/** A server between a client and the real one, that hands on what it gets, or loses it. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What becomes of a request: `loses`: it is done, and its answer never comes. `stalls`: nothing ever comes. */
export type Between = 'hands on' | 'fails' | 'loses' | 'stalls';

export interface Proxy {
  url: string;
  stop: () => Promise<void>;
}

/** @param decide what becomes of a request, told of as it comes */
export async function startBetween(
  target: string,
  decide: (method: string, path: string) => Between,
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
  decide: (method: string, path: string) => Between,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = 'GET', url = '/' } = request;
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const fate = decide(method, url);
  if (fate === 'stalls') return;
  if (fate === 'fails') {
    response.writeHead(500).end('{}');
    return;
  }
  const { connection: _, host: __, 'content-length': ___, ...headers } = request.headers;
  const body = Buffer.concat(parts);
  const answer = await fetch(target + url, {
    method,
    headers: headers as Record<string, string>,
    ...(body.length === 0 ? {} : { body }),
  });
  const text = await answer.text();
  if (fate === 'loses') {
    request.socket.destroy();
    return;
  }
  const {
    'content-encoding': _1,
    'content-length': _2,
    'transfer-encoding': _3,
    ...kept
  } = Object.fromEntries(answer.headers);
  response.writeHead(answer.status, kept).end(text);
}
