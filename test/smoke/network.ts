/** Stand-ins between an importer and its service: relays, TLS, proxies, and servers of other kinds. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer as createHttpServer, request, type IncomingMessage } from 'node:http';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';

export interface Listening {
  port: number;
  /** Closes the server and every connection. */
  stop: () => Promise<void>;
}

/** @param port 0 for any free one */
export async function listen(server: Server, port = 0): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(port, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function join(one: Socket, other: Socket): void {
  one.pipe(other).pipe(one);
  for (const [socket, peer] of [
    [one, other],
    [other, one],
  ] as const) {
    socket.on('error', () => peer.destroy());
    socket.on('close', () => peer.destroy());
  }
}

/** Relays every connection to `url`, byte for byte. */
export const relayTo = (url: string) =>
  createServer((socket) => join(socket, connect(Number(new URL(url).port), 'localhost')));

export interface Certificate {
  key: Buffer;
  cert: Buffer;
  /** Path of the certificate, for NODE_EXTRA_CA_CERTS. */
  path: string;
}

/** Creates a self-signed certificate. @param stem of the paths of its files */
export async function makeCertificate(host: string, stem: string): Promise<Certificate> {
  const [keyPath, path] = [`${stem}.key.pem`, `${stem}.pem`];
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const named = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`];
  await promisify(execFile)('openssl', ['req', '-x509', ...ec, ...named, '-keyout', keyPath, '-out', path]);
  return { key: await readFile(keyPath), cert: await readFile(path), path };
}

/** Puts the service at `url` behind TLS. */
export const behindTls = (url: string, { key, cert }: Certificate) =>
  createTlsServer({ key, cert }, (socket) => join(socket, connect(Number(new URL(url).port), 'localhost')));

/** An HTTP proxy that records its requests. */
export function createProxy(): { server: Server; requests: string[] } {
  const requests: string[] = [];
  const server = createHttpServer((incoming: IncomingMessage, outgoing) => {
    requests.push(`${incoming.method} ${incoming.url}`);
    const forwarded = request(
      incoming.url ?? '',
      { method: incoming.method, headers: incoming.headers },
      (response: IncomingMessage) => {
        outgoing.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(outgoing);
      },
    );
    incoming.pipe(forwarded);
  });
  server.on('connect', (incoming: IncomingMessage, socket: Socket) => {
    requests.push(`CONNECT ${incoming.url}`);
    const target = connect(Number(incoming.url?.split(':')[1]), 'localhost', () => {
      socket.write('HTTP/1.1 200 Connected\r\n\r\n');
      join(socket, target);
    });
  });
  return { server, requests };
}

/** A server that answers every connection with these bytes. */
export const saying = (text: string) => createServer((socket) => socket.once('data', () => socket.end(text)));

/** A server that resets every connection. */
export const resetting = () => createServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
