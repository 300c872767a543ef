/**
 * Seals the fields that nobody reads from the database. Each value is bound to its bank, owner and field, so that it
 * can't be opened in another row or column. It names the version of its key: `1.` and base64 of initialisation vector,
 * ciphertext and tag.
 * Accepted: with random vectors, one key should not seal more than 2^32 values (NIST SP 800-38D, 8.3), which is two
 * billion customers between two rotations.
 */
import { importSealingKey, seal, unseal } from './aes-gcm.ts';

export interface FieldOwner {
  bankId: string;
  /** The customer, or the webhook endpoint. */
  ownerId: string;
  field: string;
}

export interface FieldKey {
  version: number;
  key: CryptoKey;
  /** For HMACs of what holds such fields: without a key they could be guessed one by one. */
  codeKey: CryptoKey;
}

/** AES-256. */
export const FIELD_KEY_BYTES = 32;

const utf8 = new TextEncoder();

// Node 24, which runs the tools, has no base64 of its own on Uint8Array. Not spread: that is four times slower.
const toBase64 = (bytes: Uint8Array) => btoa(Reflect.apply(String.fromCharCode, null, bytes as never));
const fromBase64 = (text: string) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

const textOf = ({ bankId, ownerId, field }: FieldOwner) => `${bankId} ${ownerId} ${field}`;

/**
 * @param secret 32 bytes in base64
 * @throws if it is anything else
 */
export async function importFieldKey(version: number, secret: string): Promise<FieldKey> {
  const bytes = fromBase64(secret);
  if (bytes.length !== FIELD_KEY_BYTES) throw new RangeError('a field key has 32 bytes');
  const [key, base] = await Promise.all([
    importSealingKey(bytes),
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

/** Returns the version of the key and an HMAC-SHA-256 in hexadecimal: `1.ab…`. */
export async function hmacHex({ version, codeKey }: FieldKey, text: string): Promise<string> {
  const code = await crypto.subtle.sign('HMAC', codeKey, utf8.encode(text));
  const bytes = Array.from(new Uint8Array(code), (byte) => byte.toString(16).padStart(2, '0'));
  return `${version}.${bytes.join('')}`;
}

export function sealField({ version, key }: FieldKey, owner: FieldOwner, text: string): Promise<string> {
  return seal(key, textOf(owner), text, (bytes) => `${version}.${toBase64(bytes)}`);
}

/** Returns the version of the key that a value was sealed with; undefined if it is not sealed. */
export function versionOf(value: string): number | undefined {
  const version = /^([1-9]\d*)\.[\w+/]{38,}={0,2}$/.exec(value)?.[1];
  return version === undefined ? undefined : Number(version);
}

/**
 * @param keys every version that may occur
 * @throws if the key is missing, or the value was altered or belongs to another owner
 */
export async function openField(
  keys: ReadonlyMap<number, FieldKey>,
  owner: FieldOwner,
  value: string,
): Promise<string> {
  const version = versionOf(value);
  const found = version === undefined ? undefined : keys.get(version);
  if (found === undefined) throw new Error(`there is no field key of version ${version ?? '(none)'}`);
  return unseal(found.key, textOf(owner), fromBase64(value.slice(value.indexOf('.') + 1)));
}

/** The names of the secrets that hold field keys, one per version. */
const FIELD_KEY_NAME = /^FIELD_KEY_([1-9]\d{0,5})$/;

/** Returns the versions of the field keys among these names, oldest first. */
export function fieldKeyVersions(names: Iterable<string>): number[] {
  return [...names]
    .map((name) => Number(FIELD_KEY_NAME.exec(name)?.[1] ?? 0))
    .filter((version) => version > 0)
    .toSorted((one, other) => one - other);
}
