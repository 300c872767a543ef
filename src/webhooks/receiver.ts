/** Sends one signed request to a receiver. Whatever it answers is looked at by its status alone. */
import { openField, versionOf, type FieldKey } from '../crypto/field-cipher.ts';
import { withinDeadline, type Runtime } from '../runtime.ts';
import type { Deployment } from '../env.ts';
import { faultOfReceiverUrl } from './receiver-url.ts';
import { signatureHeaders } from './signature.ts';
import type { Receiver } from './webhooks.store.ts';

/** How long a receiver has to answer. */
export const RECEIVER_DEADLINE_MS = 10_000;

export interface SendDeps {
  runtime: Pick<Runtime, 'now' | 'timer' | 'fetch'>;
  /** Decides which URLs are allowed. */
  deployment: Deployment;
  /** The key that seals secrets: the given version, or the newest. */
  fieldKey: (version?: number) => Promise<FieldKey>;
}

export interface Endpoint extends Receiver {
  bankId: string;
  id: string;
}

export interface Attempt {
  delivered: boolean;
  /** Null: there was no response in time. */
  statusCode: number | null;
  milliseconds: number;
}

export const WEBHOOK_SECRET = 'webhookSecret';

/**
 * @param message its `id` is the same for every attempt
 * @throws UNAVAILABLE if the field key of a secret is missing. Whatever the receiver does is an attempt.
 */
export async function sendToReceiver(
  deps: SendDeps,
  endpoint: Endpoint,
  message: { id: string },
): Promise<Attempt> {
  const { runtime } = deps;
  const body = JSON.stringify(message);
  const startedAt = runtime.now();
  const signed = { id: message.id, timestamp: Math.floor(startedAt / 1_000), body };
  const headers = await signatureHeaders(await openSecrets(deps, endpoint, startedAt), signed);
  const statusCode = await post(deps, endpoint.url, headers, body);
  const delivered = statusCode !== null && statusCode >= 200 && statusCode < 300;
  return { delivered, statusCode, milliseconds: runtime.now() - startedAt };
}

/** The secrets that are valid now, newest first. */
async function openSecrets(
  { fieldKey }: SendDeps,
  { bankId, id, secret, previousSecret, previousSecretUntil }: Endpoint,
  now: number,
): Promise<string[]> {
  const sealed =
    previousSecret !== null && now < (previousSecretUntil ?? 0) ? [secret, previousSecret] : [secret];
  const opened: string[] = [];
  for (const value of sealed) {
    const key = await fieldKey(versionOf(value));
    opened.push(
      await openField(new Map([[key.version, key]]), { bankId, ownerId: id, field: WEBHOOK_SECRET }, value),
    );
  }
  return opened;
}

/** @returns the status; null if there was no response in time */
async function post(
  { runtime, deployment }: SendDeps,
  url: string,
  headers: Record<string, string>,
  body: string,
): Promise<number | null> {
  // It was judged when it was stored; the deployment, or the rules, may be others by now.
  if (faultOfReceiverUrl(url, deployment) !== undefined) return null;
  const stop = new AbortController();
  try {
    const sending = runtime.fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'User-Agent': 'Peere-Webhooks/1', ...headers },
      body,
      // A redirect could lead to a host that was never judged.
      redirect: 'manual',
      signal: stop.signal,
    });
    const response = await withinDeadline(runtime.timer, RECEIVER_DEADLINE_MS, 'RECEIVER', sending);
    // It may be endless, and nobody reads it.
    response.body?.cancel().catch(() => undefined);
    return response.status;
  } catch {
    stop.abort();
    return null;
  }
}
