/** Signatures by the Standard Webhooks specification 1.0: HMAC-SHA-256 of the event's id, the time and the body. */

const PREFIX = 'whsec_';
/** The specification asks for 24 to 64. */
const SECRET_BYTES = 32;

const utf8 = new TextEncoder();
const toBase64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));

/** @param random as in Runtime: 32 random bits, from 0 up to 1 */
export function createSecret(random: () => number): string {
  const words = Uint32Array.from({ length: SECRET_BYTES / 4 }, () => random() * 2 ** 32);
  return PREFIX + toBase64(new Uint8Array(words.buffer));
}

export interface Signed {
  /** Of the event. The same for every attempt, so that the receiver can recognise one that it has. */
  id: string;
  /** Seconds since 1970-01-01 UTC. The receiver refuses an old one. */
  timestamp: number;
  body: string;
}

/** @returns the headers; with two secrets, a signature by each */
export async function signatureHeaders(
  secrets: readonly string[],
  { id, timestamp, body }: Signed,
): Promise<Record<string, string>> {
  const signatures: string[] = [];
  for (const secret of secrets) {
    const bytes = Uint8Array.from(atob(secret.slice(PREFIX.length)), (char) => char.charCodeAt(0));
    const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, [
      'sign',
    ]);
    const signature = await crypto.subtle.sign('HMAC', key, utf8.encode(`${id}.${timestamp}.${body}`));
    signatures.push(`v1,${toBase64(new Uint8Array(signature))}`);
  }
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.join(' '),
  };
}
