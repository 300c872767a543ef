/**
 * `If-Match` and `If-None-Match` (RFC 9110, 13.1): has the customer changed since the client read it?
 * Tags are compared without their `W/`, in `If-Match` too, where the RFC asks for strong ones: whoever compresses an
 * answer on its way (Cloudflare does) makes its ETag a weak one, and the revision that it names is the same.
 */
import { invalid } from '../errors.ts';
import type { HttpContext } from './context.ts';

const ETAGS = /^\s*(W\/)?"[\x21\x23-\x7E]*"(\s*,\s*(W\/)?"[\x21\x23-\x7E]*")*\s*$/;
const OPAQUE_TAG = /"([^"]*)"/g;
/** Longer lists than any client keeps, and far shorter than what takes time to read. */
const MOST_CHARACTERS = 1_024;

/**
 * @returns the opaque tags that the header names; undefined if it is absent or names any (`*`)
 * @throws a 400 for what is no list of entity tags
 */
function readTags(context: HttpContext, name: 'If-Match' | 'If-None-Match'): string[] | undefined {
  const header = context.req.header(name);
  if (header === undefined || header.trim() === '*') return undefined;
  if (header.length > MOST_CHARACTERS || !ETAGS.test(header)) {
    throw invalid(name, 'must be * or entity tags in double quotes, as an ETag header gave them');
  }
  return [...header.matchAll(OPAQUE_TAG)].map(([, tag = '']) => tag);
}

/** The revisions of which one must be the customer's for a change to be made; undefined: any. */
export function expectedRevisions(context: HttpContext): string[] | undefined {
  return readTags(context, 'If-Match');
}

/**
 * Reads `If-None-Match`, before anything is looked up: a header that is malformed is a 400 whoever is asked for.
 * @returns does the client have this revision already, so that a 304 will do?
 */
export function knownRevisions(context: HttpContext): (revision: string) => boolean {
  if (context.req.header('If-None-Match') === undefined) return () => false;
  const tags = readTags(context, 'If-None-Match');
  return (revision) => tags?.includes(revision) ?? true;
}

export function setEtag(context: HttpContext, revision: string): void {
  context.get('headers')['ETag'] = `"${revision}"`;
}
