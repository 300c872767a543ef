/**
 * The last six characters of a live API key are a checksum of the rest, so that a typo never reaches the database and a
 * secret scanner can recognise an API key. It proves nothing: only the hash in D1 does.
 */

/** CRC-32 as in ISO 3309, reflected. */
const POLYNOMIAL = 0xedb88320;
/** Four bytes in base64url. */
const CHECKSUM_CHARACTERS = 6;

/** @returns six characters of base64url */
export function checksumOf(text: string): string {
  let crc = 0xffffffff;
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
  }
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, ~crc >>> 0);
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .slice(0, CHECKSUM_CHARACTERS);
}

export function hasChecksum(key: string): boolean {
  const body = key.slice(0, -CHECKSUM_CHARACTERS);
  return checksumOf(body) === key.slice(-CHECKSUM_CHARACTERS);
}
