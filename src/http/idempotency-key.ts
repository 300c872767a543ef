/** The `Idempotency-Key` header, by draft-ietf-httpapi-idempotency-key-header-07: bare, or as a quoted string. */
import { invalid } from '../errors.ts';

const MAX_CHARACTERS = 255;
const VISIBLE = /^[\x21-\x7E]+$/;
/** A Structured Field string (RFC 8941): only `"` and `\` are escaped. */
const QUOTED = /^"((?:[^"\\]|\\["\\])*)"$/;

/**
 * @returns the idempotency key; undefined if the request has none
 * @throws a 400 for a malformed one
 */
export function readIdempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const quoted = QUOTED.exec(header)?.[1]?.replace(/\\(.)/g, '$1');
  const key = quoted ?? header;
  const broken = quoted === undefined && header.startsWith('"');
  if (broken || key.length > MAX_CHARACTERS || !VISIBLE.test(key)) {
    throw invalid(
      'Idempotency-Key',
      `must be 1 to ${MAX_CHARACTERS} visible ASCII characters without spaces, bare or in double quotes`,
    );
  }
  return key;
}
