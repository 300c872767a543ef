/**
 * Fields that nobody reads from the database: AES-256-GCM, bound to the bank, the customer and the field they
 * belong to, so that a value copied to another row or column opens nowhere. A sealed value names the version of its
 * key: `1.` and base64 of initialisation vector, ciphertext and tag.
 * Accepted: with random vectors, one key should not seal more than 2^32 values (NIST SP 800-38D, 8.3); that is two
 * billion customers between two rotations.
 */

export interface FieldOwner {
  bankId: string;
  customerId: string;
  field: string;
}

export interface FieldKey {
  version: number;
  key: CryptoKey;
  /** For codes of what holds such fields: without it they could be tried out one by one. */
  codeKey: CryptoKey;
}

/** Bytes of an initialisation vector of AES-GCM (NIST SP 800-38D). */
const IV_BYTES = 12;
/** Bytes of a key. */
export const FIELD_KEY_BYTES = 32;

const utf8 = new TextEncoder();

// Node 24, which runs the tools, has no base64 of its own on Uint8Array. Not spread: that is four times slower.
const toBase64 = (bytes: Uint8Array) => btoa(Reflect.apply(String.fromCharCode, null, bytes as never));
const fromBase64 = (text: string) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

function algorithmOf({ bankId, customerId, field }: FieldOwner, iv: Uint8Array) {
  return { name: 'AES-GCM', iv, additionalData: utf8.encode(`${bankId} ${customerId} ${field}`) };
}

/**
 * @param secret 32 bytes in base64
 * @throws where it is anything else
 */
export async function importFieldKey(version: number, secret: string): Promise<FieldKey> {
  const bytes = fromBase64(secret);
  if (bytes.length !== FIELD_KEY_BYTES) throw new RangeError('a field key has 32 bytes');
  const [key, base] = await Promise.all([
    crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt']),
    crypto.subtle.importKey('raw', bytes, 'HKDF', false, ['deriveKey']),
  ]);
  const codeKey = await crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: utf8.encode('code') },
    base,
    { name: 'HMAC', hash: 'SHA-256', length: 256 },
    false,
    ['sign'],
  );
  return { version, key, codeKey };
}

/** HMAC-SHA-256, hexadecimal, behind the version of the key: `1.ab…`. */
export async function codeOf({ version, codeKey }: FieldKey, text: string): Promise<string> {
  const code = await crypto.subtle.sign('HMAC', codeKey, utf8.encode(text));
  const bytes = Array.from(new Uint8Array(code), (byte) => byte.toString(16).padStart(2, '0'));
  return `${version}.${bytes.join('')}`;
}

/** Vectors drawn from the system at a time: one call for every 1,024, because each costs a microsecond. */
const POOLED_IVS = 1_024;
const pool = new Uint8Array(POOLED_IVS * IV_BYTES);
let drawn = pool.length;

function freshIv(): Uint8Array {
  if (drawn === pool.length) {
    crypto.getRandomValues(pool);
    drawn = 0;
  }
  drawn += IV_BYTES;
  return pool.slice(drawn - IV_BYTES, drawn);
}

// A batch seals 20,000 fields while a bank waits: no async function, which would cost a promise more for each.
export function sealField({ version, key }: FieldKey, owner: FieldOwner, text: string): Promise<string> {
  const iv = freshIv();
  return crypto.subtle.encrypt(algorithmOf(owner, iv), key, utf8.encode(text)).then((sealed) => {
    const bytes = new Uint8Array(IV_BYTES + sealed.byteLength);
    bytes.set(iv);
    bytes.set(new Uint8Array(sealed), IV_BYTES);
    return `${version}.${toBase64(bytes)}`;
  });
}

/** The version of the key that a value was sealed with; undefined where it is not sealed at all. */
export function versionOf(value: string): number | undefined {
  const version = /^([1-9]\d*)\.[\w+/]{38,}={0,2}$/.exec(value)?.[1];
  return version === undefined ? undefined : Number(version);
}

/**
 * @param keys of every version that may come
 * @throws where the key is missing, or the value was altered or belongs to somebody else
 */
export async function openField(
  keys: ReadonlyMap<number, FieldKey>,
  owner: FieldOwner,
  value: string,
): Promise<string> {
  const version = versionOf(value);
  const found = version === undefined ? undefined : keys.get(version);
  if (found === undefined) throw new Error(`there is no field key of version ${version ?? '(none)'}`);
  const bytes = fromBase64(value.slice(value.indexOf('.') + 1));
  const algorithm = algorithmOf(owner, bytes.subarray(0, IV_BYTES));
  return new TextDecoder().decode(
    await crypto.subtle.decrypt(algorithm, found.key, bytes.subarray(IV_BYTES)),
  );
}

/** Names of the secrets that hold field keys, one for each version. */
const FIELD_KEY_NAME = /^FIELD_KEY_([1-9]\d{0,5})$/;

/** The versions of the field keys that there are, oldest first. */
export function fieldKeyVersions(names: Iterable<string>): number[] {
  return [...names]
    .map((name) => Number(FIELD_KEY_NAME.exec(name)?.[1] ?? 0))
    .filter((version) => version > 0)
    .toSorted((one, other) => one - other);
}
