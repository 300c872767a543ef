/** Signatures of webhooks, by the Standard Webhooks specification 1.0. Runs in Node, browsers and Workers. */
import type { Event, PingEvent } from './types.ts';

/** A request as a receiver gets it: a `Request` of fetch, or the headers and the body as they arrived. */
export type ReceivedWebhook =
  | { headers: HeaderReader; text: () => Promise<string> }
  | { headers: HeaderReader | HeaderRecord; body: string | Uint8Array };

interface HeaderReader {
  get: (name: string) => string | null;
}
/** As Node has them: names in lower case. */
type HeaderRecord = Record<string, string | readonly string[] | undefined>;

/** What a webhook sends: an event, or the `ping` of a test. */
export type WebhookEvent = Event | PingEvent;

/** Somebody else sent the request, or it was changed or sent again on its way: answer with a 400 and do nothing. */
export class WebhookVerificationError extends Error {
  override readonly name = 'WebhookVerificationError';
}

/** The specification's tolerance: a request that somebody recorded is of no use later. */
const TOLERANCE_SECONDS = 300;
const PREFIX = 'whsec_';
const utf8 = new TextEncoder();

/**
 * Verifies that a request comes from the service, and returns its event. Compares in constant time.
 * @param request with the body as it arrived: a body that was parsed and serialised again has another signature
 * @param secret `whsec_…`; during a rotation you may give both
 * @throws WebhookVerificationError
 */
export async function verifyWebhook(
  request: ReceivedWebhook,
  secret: string | readonly string[],
): Promise<WebhookEvent> {
  const read = headerReader(request.headers);
  const [id, timestamp, signatures] = [
    read('webhook-id'),
    read('webhook-timestamp'),
    read('webhook-signature'),
  ];
  if (id === null || timestamp === null || signatures === null) {
    throw new WebhookVerificationError('webhook-id, webhook-timestamp or webhook-signature is missing');
  }
  if (!(Math.abs(Date.now() / 1_000 - Number(timestamp)) <= TOLERANCE_SECONDS)) {
    throw new WebhookVerificationError('webhook-timestamp is more than 5 minutes from now: check the clock');
  }
  const body = await bodyOf(request);
  const signed = join(utf8.encode(`${id}.${timestamp}.`), body);
  const keys = await Promise.all([secret].flat().map((one) => importSecret(one, 'verify')));
  for (const signature of signatures.split(' ')) {
    const bytes = signature.startsWith('v1,') ? fromBase64(signature.slice(3)) : undefined;
    if (bytes === undefined) continue;
    for (const key of keys) {
      if (await crypto.subtle.verify('HMAC', key, bytes, signed)) {
        return JSON.parse(new TextDecoder().decode(body)) as WebhookEvent;
      }
    }
  }
  throw new WebhookVerificationError(
    'no signature fits the body: check the secret, and that the body is unchanged',
  );
}

/**
 * Signs an event as the service does, to test a receiver.
 * @param body of the request
 * @returns its headers
 */
export async function signWebhook(
  secret: string,
  { id, timestamp, body }: { id: string; timestamp: Date; body: string },
): Promise<Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>> {
  const seconds = String(Math.floor(timestamp.getTime() / 1_000));
  const key = await importSecret(secret, 'sign');
  const signature = await crypto.subtle.sign('HMAC', key, utf8.encode(`${id}.${seconds}.${body}`));
  return {
    'webhook-id': id,
    'webhook-timestamp': seconds,
    'webhook-signature': `v1,${btoa(String.fromCharCode(...new Uint8Array(signature)))}`,
  };
}

function headerReader(headers: HeaderReader | HeaderRecord): (name: string) => string | null {
  if (typeof headers['get'] === 'function') return (name) => (headers as HeaderReader).get(name);
  const record = headers as HeaderRecord;
  return (name) => {
    const value = record[name];
    return typeof value === 'string' ? value : null;
  };
}

async function bodyOf(request: ReceivedWebhook): Promise<Uint8Array<ArrayBuffer>> {
  const body = 'text' in request ? await request.text() : request.body;
  return Uint8Array.from(typeof body === 'string' ? utf8.encode(body) : body);
}

function join(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(one.length + other.length);
  bytes.set(one);
  bytes.set(other, one.length);
  return bytes;
}

/** @throws TypeError, because a wrong secret is a mistake of the receiver and no fault of the request */
function importSecret(secret: string, use: 'sign' | 'verify') {
  const bytes = secret.startsWith(PREFIX) ? fromBase64(secret.slice(PREFIX.length)) : undefined;
  if (bytes === undefined || bytes.length === 0) {
    throw new TypeError('secret must be the secret of a webhook: whsec_ and base64');
  }
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, [use]);
}

/** @returns undefined if it is no base64 */
function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
