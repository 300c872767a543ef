/**
 * Seals text with AES-256-GCM, bound to its context, so that it can't be opened in another one. Sealed bytes are the
 * initialisation vector, the ciphertext and the tag.
 */

/** Bytes of an initialisation vector of AES-GCM (NIST SP 800-38D). */
const IV_BYTES = 12;
/** Vectors drawn from the system at a time, because each call costs a microsecond. */
const POOLED_IVS = 1_024;
const pool = new Uint8Array(POOLED_IVS * IV_BYTES);
let drawn = pool.length;

const utf8 = new TextEncoder();

function freshIv(): Uint8Array<ArrayBuffer> {
  if (drawn === pool.length) {
    crypto.getRandomValues(pool);
    drawn = 0;
  }
  drawn += IV_BYTES;
  return pool.slice(drawn - IV_BYTES, drawn);
}

const algorithmOf = (about: string, iv: Uint8Array<ArrayBuffer>) => ({
  name: 'AES-GCM',
  iv,
  additionalData: utf8.encode(about),
});

/** @param bytes 32 bytes */
export function importSealingKey(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt']);
}

/**
 * Not an async function: a batch seals 20,000 fields while a bank waits, and it would cost a promise more for each.
 * @param toText how the sealed bytes are written
 */
export function seal(
  key: CryptoKey,
  about: string,
  text: string,
  toText: (bytes: Uint8Array) => string,
): Promise<string> {
  const iv = freshIv();
  return crypto.subtle.encrypt(algorithmOf(about, iv), key, utf8.encode(text)).then((sealed) => {
    const bytes = new Uint8Array(IV_BYTES + sealed.byteLength);
    bytes.set(iv);
    bytes.set(new Uint8Array(sealed), IV_BYTES);
    return toText(bytes);
  });
}

/** @throws if it was altered, sealed with another key, or belongs to another context */
export async function unseal(key: CryptoKey, about: string, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const algorithm = algorithmOf(about, bytes.subarray(0, IV_BYTES));
  return new TextDecoder().decode(await crypto.subtle.decrypt(algorithm, key, bytes.subarray(IV_BYTES)));
}
