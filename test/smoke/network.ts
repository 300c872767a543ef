/** What stands between an importer and its service: relays, TLS, proxies, and servers that are something else. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer as createHttpServer, request, type IncomingMessage } from 'node:http';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';

export interface Listening {
  port: number;
  /** Closes it, and every connection. */
  stop: () => Promise<void>;
}

/** @param port 0: one that is free */
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

/** What arrives goes on to `url`, byte for byte. */
export const relayTo = (url: string) =>
  createServer((socket) => join(socket, connect(Number(new URL(url).port), 'localhost')));

export interface Certificate {
  key: Buffer;
  cert: Buffer;
  /** Of the certificate, for NODE_EXTRA_CA_CERTS. */
  path: string;
}

/** A certificate that signs itself. @param stem of the files that it makes */
export async function makeCertificate(host: string, stem: string): Promise<Certificate> {
  const [keyPath, path] = [`${stem}.key.pem`, `${stem}.pem`];
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const named = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`];
  await promisify(execFile)('openssl', ['req', '-x509', ...ec, ...named, '-keyout', keyPath, '-out', path]);
  return { key: await readFile(keyPath), cert: await readFile(path), path };
}

/** The service at `url`, behind TLS. */
export const behindTls = (url: string, { key, cert }: Certificate) =>
  createTlsServer({ key, cert }, (socket) => join(socket, connect(Number(new URL(url).port), 'localhost')));

/** An HTTP proxy, which takes down what it was asked for. */
export function createProxy(): { server: Server; asked: string[] } {
  const asked: string[] = [];
  const server = createHttpServer((ask: IncomingMessage, answer) => {
    asked.push(`${ask.method} ${ask.url}`);
    const onward = request(
      ask.url ?? '',
      { method: ask.method, headers: ask.headers },
      (response: IncomingMessage) => {
        answer.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(answer);
      },
    );
    ask.pipe(onward);
  });
  server.on('connect', (ask: IncomingMessage, socket: Socket) => {
    asked.push(`CONNECT ${ask.url}`);
    const target = connect(Number(ask.url?.split(':')[1]), 'localhost', () => {
      socket.write('HTTP/1.1 200 Connected\r\n\r\n');
      join(socket, target);
    });
  });
  return { server, asked };
}

/** Something that answers every connection with these bytes, whatever was asked. */
export const saying = (text: string) => createServer((socket) => socket.once('data', () => socket.end(text)));

/** Something that hangs up. */
export const resetting = () => createServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
