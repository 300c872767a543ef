/**
 * `If-Match` and `If-None-Match` (RFC 9110, 13.1): has the customer changed since the client read it?
 * Tags are compared without their `W/`, for `If-Match` too, although the RFC asks for strong tags there: a proxy that
 * compresses a response (Cloudflare does) weakens its ETag, and the revision that the tag names stays the same.
 */
import { invalid } from '../errors.ts';

const ETAGS = /^\s*(W\/)?"[\x21\x23-\x7E]*"(\s*,\s*(W\/)?"[\x21\x23-\x7E]*")*\s*$/;
const OPAQUE_TAG = /"([^"]*)"/g;
/** Longer than any list a client keeps, and short enough to read at once. */
const MAX_HEADER_CHARACTERS = 1_024;

/**
 * @returns the opaque tags of the header; undefined for `*`
 * @throws a 400 for a header that is not a list of entity tags
 */
function readTags(name: 'If-Match' | 'If-None-Match', header: string): string[] | undefined {
  if (header.trim() === '*') return undefined;
  if (header.length > MAX_HEADER_CHARACTERS || !ETAGS.test(header)) {
    throw invalid(name, 'must be * or entity tags in double quotes, as an ETag header gave them');
  }
  return [...header.matchAll(OPAQUE_TAG)].map(([, tag = '']) => tag);
}

/**
 * @param ifMatch the header as it was sent
 * @returns the revisions of which the customer must have one to be changed; undefined: any
 */
export function expectedRevisions(ifMatch: string | undefined): string[] | undefined {
  return ifMatch === undefined ? undefined : readTags('If-Match', ifMatch);
}

/**
 * Call before anything is looked up, so that a malformed header is a 400 whoever is asked for.
 * @param ifNoneMatch the header as it was sent
 * @returns tells whether the client has a revision already, so that a 304 is enough
 */
export function readKnownRevisions(ifNoneMatch: string | undefined): (revision: string) => boolean {
  if (ifNoneMatch === undefined) return () => false;
  const tags = readTags('If-None-Match', ifNoneMatch);
  return (revision) => tags?.includes(revision) ?? true;
}

export function toEtag(revision: string): string {
  return `"${revision}"`;
}
